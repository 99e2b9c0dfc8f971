/**
 * A network in training on one device, which can be taken to another between two steps: its weights, buffers and optimizer's moments are copied
 * across, the place in the epoch and the random numbers stay, so training goes on as it would have.
 */

import type { Backend } from '@gradus/backend';
import { DataLoader } from '@gradus/data';
import type { LabelledImages } from '@gradus/data';
import { decodeSafetensors, encodeSafetensors } from '@gradus/formats';
import { crossEntropy } from '@gradus/losses';
import { accuracy } from '@gradus/losses/metrics';
import type { Module } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { argmax, compile, defaultGenerator, manualSeed, noGrad, permutationOf, scope, setDefaultDevice, softmax, tensor } from '@gradus/tensor';
import type { Compiled, GeneratorState, Tensor } from '@gradus/tensor';
import { CLASSES, SIDE } from '../choices.ts';
import type { ModelName } from '../choices.ts';
import type { Pace } from '../protocol.ts';
import { MODELS } from './models.ts';
import { ReadAhead } from './read-ahead.ts';
import { restore, takeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** Images in a batch when nothing is learned. */
const TEST_BATCH = 500;

/** What a step found: means over its images, each as it was before the step. */
export interface Step {
  readonly images: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** Predictions beside labels. */
export interface Tested {
  readonly tested: number;
  readonly accuracy: number;
  /** Counts, `[label · 10 + prediction]`. */
  readonly confusion: Int32Array;
}

/** What lies on the device. */
interface Placed {
  readonly device: Backend;
  readonly model: Module;
  readonly optimizer: Adam;
  /** x is images, y labels; all compiled: traced in the first call and replayed from then on. */
  readonly step: Compiled<(x: Tensor, y: Tensor) => { readonly loss: Tensor; readonly share: Tensor }>;
  readonly predict: Compiled<(x: Tensor) => Tensor>;
  readonly probabilities: Compiled<(x: Tensor) => Tensor>;
}

/** Where training was. */
interface Kept {
  readonly snapshot: Snapshot;
  readonly random: GeneratorState;
  readonly steps: number;
  readonly epochs: number;
  readonly seen: number;
  readonly images: number;
}

/** See above. */
export class Trainer {
  readonly name: ModelName;
  readonly #seed: number;
  readonly #now: () => number;
  #placed: Placed;
  #pace: Pace;
  #steps = 0;
  #epochs = 0;
  /** Images of the current epoch that were seen, and the order of all of them. */
  #seen = 0;
  #order: Int32Array = new Int32Array();
  #images = 0;
  #kept: Kept | null = null;

  /** A new network with random weights. The device is the trainer's from now on: `dispose` ends it. @param now a clock, in milliseconds */
  constructor(name: ModelName, device: Backend, seed: number, pace: Pace, now: () => number) {
    this.#now = now;
    this.name = name;
    this.#seed = seed;
    this.#pace = pace;
    manualSeed(seed);
    this.#placed = place(name, device, pace.lr);
  }

  /** Where it computes. */
  get device(): Backend {
    return this.#placed.device;
  }

  /** Numbers that are learned. */
  get weights(): number {
    return this.#placed.model.parameters().reduce((sum, { size }) => sum + size, 0);
  }

  get steps(): number {
    return this.#steps;
  }

  /** Images seen, in all epochs. */
  get images(): number {
    return this.#images;
  }

  /** Epochs that ran to their end. */
  get epochs(): number {
    return this.#epochs;
  }

  /** How training goes on, from the next step. */
  set pace(pace: Pace) {
    this.#pace = pace;
    this.#placed.optimizer.lr = pace.lr;
  }

  /**
   * Trains to the end of the epoch, or until `onStep` says to stop.
   * @param onStep is given what each step found, in order; false stops
   * @returns did the epoch end?
   */
  async train(images: LabelledImages, onStep: (step: Step) => boolean): Promise<boolean> {
    const { device, model, step } = this.#placed;
    if (this.#seen === 0 || this.#order.length !== images.length) this.#order = permutationOf(images.length, this.#seed, this.#epochs);
    const rest = inOrder(images, this.#order.subarray(this.#seen));
    let goOn = true;
    const ahead = new ReadAhead<Step>(this.#now, (found) => (goOn = onStep(found) && goOn));
    model.train();
    for await (const [x, y] of new DataLoader(rest, { batchSize: this.#pace.batchSize, device })) {
      const found = read(step(x, y), y.size);
      this.#steps++;
      this.#seen += y.size;
      this.#images += y.size;
      await ahead.add(found);
      if (!goOn) break;
    }
    await ahead.finish();
    if (this.#seen < images.length) return false;
    this.#seen = 0;
    this.#epochs++;
    return true;
  }

  /** Predicts the class of each image; null when `stop` said so before the end. */
  async test(images: LabelledImages, stop: () => boolean): Promise<Tested | null> {
    const { device, model, predict } = this.#placed;
    const confusion = new Int32Array(CLASSES * CLASSES);
    let right = 0;
    model.eval();
    for await (const [x, y] of new DataLoader(images, { batchSize: TEST_BATCH, device })) {
      const [predictions, labels] = [await predict(x).data(), await y.data()];
      for (const [i, label] of labels.entries()) {
        const prediction = predictions[i] ?? 0;
        const cell = label * CLASSES + prediction;
        confusion[cell] = (confusion[cell] ?? 0) + 1;
        if (prediction === label) right++;
      }
      if (stop()) return null;
    }
    return { tested: images.length, accuracy: right / images.length, confusion };
  }

  /** The probability of each class. @param pixels of one image, from 0 to 1 */
  async classify(pixels: Float32Array): Promise<Float32Array> {
    const { device, model, probabilities } = this.#placed;
    model.eval();
    const shape = MODELS[this.name].flatten ? [1, SIDE * SIDE] : [1, 1, SIDE, SIDE];
    using x = tensor(pixels, { shape, device });
    using y = probabilities(x);
    return Float32Array.from(await y.data());
  }

  /** Goes on on another device; the one before ends. On an error everything is as it was. */
  async moveTo(device: Backend): Promise<void> {
    const { model, optimizer } = this.#placed;
    this.#replace(device, await takeSnapshot(model, optimizer));
  }

  /** Keeps all that training would go on from, should the device be lost. */
  async remember(): Promise<void> {
    const { model, optimizer } = this.#placed;
    const snapshot = await takeSnapshot(model, optimizer);
    this.#kept = { snapshot, random: defaultGenerator.state, steps: this.#steps, epochs: this.#epochs, seen: this.#seen, images: this.#images };
  }

  /** Is there anything to {@link recover}? */
  get remembers(): boolean {
    return this.#kept !== null;
  }

  /** Goes on on another device from where it was when it was last told to remember: the one it had is lost. */
  recover(device: Backend): void {
    const kept = this.#kept;
    if (kept === null) return;
    defaultGenerator.restore(kept.random);
    this.#replace(device, kept.snapshot);
    this.#steps = kept.steps;
    this.#epochs = kept.epochs;
    this.#seen = kept.seen;
    this.#images = kept.images;
    this.#order = new Int32Array(); // of that epoch, made anew
  }

  #replace(device: Backend, snapshot: Snapshot): void {
    const before = this.#placed;
    const random = defaultGenerator.state;
    let next: Placed | null = null;
    try {
      next = place(this.name, device, this.#pace.lr);
      restore(snapshot, next.model, next.optimizer, device);
      defaultGenerator.restore(random); // the weights it began with are replaced, and should not count
    } catch (error) {
      if (next !== null) removeFrom(next);
      setDefaultDevice(before.device);
      throw error;
    }
    this.#placed = next;
    removeFrom(before);
  }

  /** The weights as a safetensors file, with PyTorch's names. */
  async save(metadata: Readonly<Record<string, string>>): Promise<Uint8Array<ArrayBuffer>> {
    return Uint8Array.from(await encodeSafetensors(this.#placed.model.stateDict(), metadata));
  }

  /** Takes the weights of a safetensors file. @throws FormatError, StateDictError: nothing has changed then */
  load(bytes: Uint8Array): void {
    const { device, model } = this.#placed;
    scope(() => void model.loadStateDict(decodeSafetensors(bytes, { device }).tensors));
  }

  /** Frees everything, the device too. */
  dispose(): void {
    removeFrom(this.#placed);
  }
}

/** A network and its optimizer on a device, which new tensors go to from now on. */
function place(name: ModelName, device: Backend, lr: number): Placed {
  setDefaultDevice(device);
  const model = scope(() => MODELS[name].build()); // what the initial weights are made from ends with it
  const optimizer = new Adam(model.namedParameters(), { lr });
  return {
    device,
    model,
    optimizer,
    step: compile((x: Tensor, y: Tensor) => {
      const logits = model.forward(x);
      const loss = crossEntropy(logits, y);
      optimizer.minimize(loss);
      return { loss, share: accuracy(logits, y) };
    }),
    predict: compile((x: Tensor) => noGrad(() => argmax(model.forward(x), { axis: 1 }))),
    probabilities: compile((x: Tensor) => noGrad(() => softmax(model.forward(x), { axis: 1 }))),
  };
}

function removeFrom({ device, model, optimizer, step, predict, probabilities }: Placed): void {
  for (const each of [step, predict, probabilities, optimizer, model, device]) each.dispose();
}

async function read({ loss, share }: { readonly loss: Tensor; readonly share: Tensor }, images: number): Promise<Step> {
  const [lossValue, accuracyValue] = await Promise.all([loss.item(), share.item()]);
  return { images, loss: lossValue, accuracy: accuracyValue };
}

/** A dataset in another order, or a part of it. */
function inOrder(images: LabelledImages, order: Int32Array): LabelledImages {
  return {
    length: order.length,
    batch: (indices, reuse) =>
      images.batch(
        indices.map((i) => order[i] ?? 0),
        reuse,
      ),
  };
}
