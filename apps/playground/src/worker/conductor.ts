/**
 * The worker without its surroundings: takes commands one at a time, in order, and trains in between. Training stops after the current step
 * when a command has come, and goes on when it is done; so nothing overlaps, and a device never changes under a step.
 */

import { GradusError, UnsupportedError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { decodeSafetensors } from '@gradus/formats';
import { scope } from '@gradus/tensor';
import { MODEL_CHOICES } from '../choices.ts';
import type { DeviceName, ModelName } from '../choices.ts';
import type { Command, Phase, Report, Setup, Status } from '../protocol.ts';
import type { Images } from './images.ts';
import { MODELS } from './models.ts';
import { Throughput } from './throughput.ts';
import { Trainer } from './trainer.ts';
import type { Step } from './trainer.ts';

/** The page is told how training goes at most this often, in milliseconds. */
const REPORT_MS = 150;

/** A sample of the test images is looked at after so many steps and so many milliseconds, whichever is later; the first look comes sooner. */
const STEPS_PER_TEST = 100;
const TEST_MS = 1000;
const FIRST_TEST = 20;

/** Codes of errors after which a device is of no use, and another of its kind may be. */
const LOST: readonly string[] = ['DEVICE_LOST', 'WORKER_LOST'];
/** A device that is lost so many times with no test between is not asked for again. */
const MOST_RECOVERIES = 2;

/** What the conductor needs of its surroundings. */
export interface Surroundings {
  readonly post: (report: Report) => void;
  readonly open: (device: DeviceName) => Promise<Backend>;
  readonly images: Images;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** Sums since the last report. */
interface Since {
  readonly at: number;
  readonly images: number;
  readonly loss: number;
  readonly right: number;
}

/** See above. */
export class Conductor {
  readonly #around: Surroundings;
  readonly #waiting: Command[] = [];
  readonly #throughput = new Throughput();
  #wake: () => void = () => {};
  #closed = false;
  #phase: Phase = 'paused';
  #setup: Setup | null = null;
  #trainer: Trainer | null = null;
  /** Were its weights loaded? */
  #loaded = false;
  #nextTest = FIRST_TEST;
  /** Is a test on all test images to be made, after an epoch or a file? */
  #fullTestDue = false;
  /** Devices lost since the last test. */
  #recoveries = 0;
  /** When it was tested last. */
  #testedAt = -Infinity;
  #since: Since = { at: 0, images: 0, loss: 0, right: 0 };

  constructor(surroundings: Surroundings) {
    this.#around = surroundings;
  }

  /** Puts a command in the line. */
  receive(command: Command): void {
    this.#waiting.push(command);
    this.#wake();
  }

  /** Ends {@link run} after the current step, and frees what there is. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Works until it is closed. What fails is reported, and the next command has its turn. */
  async run(): Promise<void> {
    while (!this.#closed) {
      const command = this.#waiting.shift();
      if (command !== undefined) await this.#attempt(command.type, () => this.#carryOut(command));
      else if (this.#fullTestDue) await this.#attempt('train', () => this.#test('test'));
      else if (this.#phase === 'training') await this.#attempt('train', () => this.#trainOn());
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#trainer?.dispose();
    this.#trainer = null;
  }

  async #attempt(during: Command['type'], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (await this.#recovered(error)) return;
      if (during === 'train') {
        this.#phase = 'paused';
        this.#fullTestDue = false;
      }
      const message = error instanceof Error ? error.message : String(error);
      this.#post({ type: 'failure', failure: { during, code: error instanceof GradusError ? error.code : 'UNKNOWN', message } });
      this.#reportStatus();
    }
  }

  /** Where the device was lost, makes it anew and goes on from what was remembered last. False where that is no help. */
  async #recovered(error: unknown): Promise<boolean> {
    const [trainer, setup] = [this.#trainer, this.#setup];
    const isLost = error instanceof GradusError && LOST.includes(error.code);
    if (!isLost || trainer?.remembers !== true || setup === null || this.#recoveries === MOST_RECOVERIES) return false;
    this.#recoveries++;
    try {
      trainer.recover(await this.#around.open(setup.device));
    } catch {
      return false; // what is reported is why the device was lost
    }
    this.#nextTest = trainer.steps + FIRST_TEST;
    this.#throughput.reset();
    this.#post({ type: 'recovered', device: setup.device, images: trainer.images });
    this.#reportStatus();
    return true;
  }

  async #carryOut(command: Command): Promise<void> {
    switch (command.type) {
      case 'setup':
        return this.#begin(command.setup);
      case 'train':
        this.#need();
        this.#phase = 'training';
        return this.#reportStatus();
      case 'pause':
        this.#phase = 'paused';
        return this.#reportStatus();
      case 'pace':
        this.#setup = { ...this.#need().setup, ...command.pace };
        this.#need().trainer.pace = command.pace;
        return this.#reportStatus();
      case 'move':
        return this.#move(command.device);
      case 'classify':
        return this.#post({ type: 'classified', id: command.id, probabilities: await this.#need().trainer.classify(command.pixels) });
      case 'test-image':
        return this.#showTestImage(command.index);
      case 'save':
        return this.#save();
      case 'load':
        return this.#load(command.bytes);
      case 'files':
        await this.#around.images.put(command.dataset, command.files);
        return this.#post({ type: 'data', dataset: command.dataset });
      default:
        throw new UnsupportedError({ op: 'conductor', expected: 'a known command', got: JSON.stringify(command satisfies never) });
    }
  }

  async #begin(setup: Setup): Promise<void> {
    this.#phase = 'paused';
    const device = await this.#around.open(setup.device);
    this.#trainer?.dispose();
    this.#trainer = new Trainer(setup.model, device, setup.seed, setup, this.#around.now);
    this.#setup = setup;
    this.#loaded = false;
    this.#startOver();
    this.#reportStatus();
  }

  async #move(to: DeviceName): Promise<void> {
    const { trainer, setup } = this.#need();
    const { device: from } = setup;
    if (from === to) return this.#reportStatus();
    const device = await this.#around.open(to);
    try {
      await trainer.moveTo(device);
    } catch (error) {
      device.dispose();
      throw error;
    }
    this.#setup = { ...setup, device: to };
    this.#throughput.reset();
    this.#post({ type: 'moved', from, to, images: trainer.images });
    this.#reportStatus();
  }

  async #showTestImage(index: number): Promise<void> {
    const { setup } = this.#need();
    const all = await this.#around.images.get(setup.dataset, 'test', true);
    const number = index % all.length;
    const [x, y] = await all.batch(Int32Array.of(number));
    this.#post({ type: 'test-image', index: number, label: Number(y.data[0]), pixels: Float32Array.from(x.data) });
  }

  async #save(): Promise<void> {
    const { trainer, setup } = this.#need();
    const metadata = { model: setup.model, dataset: setup.dataset, seed: String(setup.seed), steps: String(trainer.steps) };
    this.#post({ type: 'saved', name: `gradus-${setup.dataset}-${setup.model}.safetensors`, bytes: await trainer.save(metadata) });
  }

  async #load(bytes: Uint8Array): Promise<void> {
    const { setup } = this.#need();
    const model = modelOf(bytes) ?? setup.model;
    const device = await this.#around.open(setup.device);
    const next = new Trainer(model, device, setup.seed, setup, this.#around.now);
    try {
      next.load(bytes);
    } catch (error) {
      next.dispose();
      throw error;
    }
    this.#trainer?.dispose();
    this.#trainer = next;
    this.#setup = { ...setup, model };
    this.#loaded = true;
    this.#startOver();
    this.#phase = 'paused';
    this.#fullTestDue = true;
    this.#reportStatus();
  }

  /** Trains until a command comes, a test is due or the epoch ends. */
  async #trainOn(): Promise<void> {
    const { trainer, setup } = this.#need();
    const train = await this.#around.images.get(setup.dataset, 'train', MODELS[setup.model].flatten);
    if (this.#interrupted()) return;
    this.#throughput.resume(this.#around.now());
    const ended = await trainer.train(train, (step) => {
      this.#count(trainer, step);
      return !this.#interrupted() && !this.#isTestDue(trainer);
    });
    this.#report(trainer);
    if (ended) this.#fullTestDue = true;
    else if (this.#isTestDue(trainer)) await this.#test('sample');
  }

  #isTestDue({ steps }: Trainer): boolean {
    return steps >= this.#nextTest && this.#around.now() - this.#testedAt >= TEST_MS;
  }

  #interrupted(): boolean {
    return this.#closed || this.#waiting.length > 0;
  }

  #count(trainer: Trainer, { images, loss, accuracy }: Step): void {
    const now = this.#around.now();
    const since = this.#since;
    this.#throughput.add(images, now);
    this.#since = { at: since.at, images: since.images + images, loss: since.loss + loss * images, right: since.right + accuracy * images };
    if (now - since.at >= REPORT_MS) this.#report(trainer);
  }

  #report({ steps, images: seen, epochs }: Trainer): void {
    const { images, loss, right } = this.#since;
    this.#since = { at: this.#around.now(), images: 0, loss: 0, right: 0 };
    if (images === 0) return;
    const progress = { steps, images: seen, epochs, loss: loss / images, accuracy: right / images, imagesPerSecond: this.#throughput.rate };
    this.#post({ type: 'progress', progress });
  }

  /** Tests on all test images or on a sample. A command that comes meanwhile goes first, and the test is made anew after it. */
  async #test(part: 'test' | 'sample'): Promise<void> {
    const { trainer, setup } = this.#need();
    const images = await this.#around.images.get(setup.dataset, part, MODELS[setup.model].flatten);
    const tested = await trainer.test(images, () => this.#interrupted());
    if (tested === null) return;
    await trainer.remember();
    this.#recoveries = 0;
    this.#fullTestDue = false;
    this.#nextTest = (Math.floor(trainer.steps / STEPS_PER_TEST) + 1) * STEPS_PER_TEST;
    this.#testedAt = this.#around.now();
    const { steps, images: seen } = trainer;
    this.#post({ type: 'evaluation', evaluation: { ...tested, steps, images: seen, complete: part === 'test' } });
  }

  /** Nothing was measured yet. */
  #startOver(): void {
    this.#recoveries = 0;
    this.#fullTestDue = false;
    this.#nextTest = FIRST_TEST;
    this.#testedAt = -Infinity;
    this.#throughput.reset();
  }

  /** The network there is. @throws UnsupportedError before the first setup */
  #need(): { readonly trainer: Trainer; readonly setup: Setup } {
    if (this.#trainer !== null && this.#setup !== null) return { trainer: this.#trainer, setup: this.#setup };
    throw new UnsupportedError({ op: 'conductor', expected: 'a network', got: 'none', fix: 'send a setup first.' });
  }

  #reportStatus(): void {
    const [setup, trainer] = [this.#setup, this.#trainer];
    if (setup === null || trainer === null) return;
    const { weights, steps, images, epochs } = trainer;
    const status: Status = {
      phase: this.#phase,
      setup,
      deviceTitle: trainer.device.name,
      weights,
      trained: this.#loaded || steps > 0,
      steps,
      images,
      epochs,
    };
    this.#post({ type: 'status', status });
  }

  #post(report: Report): void {
    this.#around.post(report);
  }
}

/** The kind of network that a file says it holds; undefined where it says nothing that is known here. */
function modelOf(bytes: Uint8Array): ModelName | undefined {
  const metadata = scope(() => decodeSafetensors(bytes).metadata);
  return Object.keys(MODEL_CHOICES).find((name): name is ModelName => name === metadata['model']);
}
