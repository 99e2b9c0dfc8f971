/** The training loop, written out: what `@gradus/nn`, `losses`, `optim` and `data` look like together. */

import { DataLoader } from '@gradus/data';
import type { ImageBatch, LabelledImages } from '@gradus/data';
import { crossEntropy } from '@gradus/losses';
import { accuracy } from '@gradus/losses/metrics';
import type { Module } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { compile, noGrad } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Progress } from './progress.ts';

/** Images in a batch when nothing is learned: only memory limits it. */
const TEST_BATCH = 500;

/** A training run. */
export interface Training {
  readonly model: Module;
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  readonly epochs: number;
  readonly batchSize: number;
  /** Of the first step; it falls in a straight line to 0. */
  readonly lr: number;
  readonly seed: number;
  readonly progress: Progress;
  /** Stops after the current batch. */
  readonly signal: AbortSignal;
  /** Called after each step with the images seen in this epoch so far and the mean loss of the batch. Default: nothing. */
  readonly onStep?: (images: number, loss: number) => void;
  /** Called after each epoch that ran to its end. */
  readonly onEpoch: (epoch: Epoch) => void;
}

/** An epoch, or the part of one that ran. */
export interface Epoch {
  /** Counted from 1. */
  readonly number: number;
  /** Means over the images seen, each at the time when it was seen. NaN before the first batch. */
  readonly loss: number;
  readonly trainAccuracy: number;
  readonly images: number;
  /** The share of the test images that are right; null when training was stopped before it was known. */
  readonly testAccuracy: number | null;
}

/** Trains a model. @returns the epochs, the last one cut short when the signal stopped it */
export async function trainModel(training: Training): Promise<Epoch[]> {
  const { model, test, epochs, signal, onEpoch } = training;
  using optimizer = new Adam(model.parameters(), { lr: training.lr });
  // Traced in the first call and replayed from then on; parameters, moments, rate and step count are found by that.
  using step = compile((x: Tensor, y: Tensor) => {
    const logits = model.forward(x);
    const loss = crossEntropy(logits, y);
    optimizer.minimize(loss);
    return { loss, share: accuracy(logits, y) };
  });
  const loader = new DataLoader(training.train, { batchSize: training.batchSize, shuffle: true, seed: training.seed });
  const done: Epoch[] = [];
  while (done.length < epochs && !signal.aborted) {
    const number = done.length + 1;
    const seen = await trainEpoch(training, optimizer, step, loader);
    const epoch: Epoch = { number, ...seen, testAccuracy: await evaluate(model, test, signal) };
    done.push(epoch);
    if (epoch.testAccuracy !== null) onEpoch(epoch);
  }
  return done;
}

/** One step on a batch: its loss, and the share of its images that were right before the step. */
type Step = (x: Tensor, y: Tensor) => { readonly loss: Tensor; readonly share: Tensor };

async function trainEpoch(
  training: Training,
  optimizer: Adam,
  step: Step,
  loader: DataLoader<ImageBatch>,
): Promise<Omit<Epoch, 'number' | 'testAccuracy'>> {
  const { model, epochs, lr, progress, signal } = training;
  const steps = epochs * loader.length;
  let done = loader.epoch * loader.length;
  let [images, lossSum, right] = [0, 0, 0];
  model.train();
  progress.begin(loader.epoch + 1);
  try {
    for await (const [x, y] of loader) {
      if (signal.aborted) break;
      optimizer.lr = lr * (1 - done++ / steps);
      const { loss, share } = step(x, y);
      images += y.size;
      const batchLoss = await loss.item();
      lossSum += batchLoss * y.size;
      right += (await share.item()) * y.size;
      progress.update(images, lossSum / images);
      training.onStep?.(images, batchLoss);
    }
  } finally {
    progress.end();
  }
  return { images, loss: lossSum / images, trainAccuracy: right / images };
}

/** The share of images that the model has right, from 0 to 1; null when the signal stopped it. */
export async function evaluate(model: Module, test: LabelledImages, signal?: AbortSignal): Promise<number | null> {
  model.eval();
  using share = compile((x: Tensor, y: Tensor) => noGrad(() => accuracy(model.forward(x), y)));
  let right = 0;
  for await (const [x, y] of new DataLoader(test, { batchSize: TEST_BATCH })) {
    if (signal?.aborted === true) return null;
    right += Math.round((await share(x, y).item()) * y.size);
  }
  return right / test.length;
}
