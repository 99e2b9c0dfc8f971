/** How good a model is on the test images, and how fast. */

import { DataLoader } from '@gradus/data';
import type { LabelledImages } from '@gradus/data';
import { expectedCalibrationError, negativeLogLikelihood } from '@gradus/losses/metrics';
import type { Module } from '@gradus/nn';
import { compile, noGrad, scope, softmax, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { CLASSES } from './models.ts';

/** What a model puts out: `[N, 10]`, or classes `[N]`. */
export type Output = 'logits' | 'probabilities' | 'classes';

/** Images in a batch. */
const BATCH = 500;

/** Bins of the calibration error, as in Guo et al. 2017. */
const BINS = 15;

/** Images whose largest probability is in one of equally wide ranges. */
export interface Bin {
  readonly count: number;
  /** Their mean largest probability; 0 without images, as the next. */
  readonly confidence: number;
  /** The share that is right. */
  readonly accuracy: number;
}

/** What was measured. */
export interface Measurement {
  /** The class of each image. */
  readonly classes: Int32Array;
  readonly labels: Int32Array;
  /** The share that is right. */
  readonly accuracy: number;
  /** The largest probability of each image, and what follows from probabilities; null for a model that gives classes. */
  readonly confidences: Float32Array | null;
  readonly nll: number | null;
  readonly ece: number | null;
  readonly reliability: readonly Bin[] | null;
  /** Of prediction in batches of 500, reading the images included. */
  readonly imagesPerSecond: number;
}

/** Runs a model on all images. @throws the signal's reason when it is aborted */
export async function measure(
  model: Module,
  output: Output,
  images: LabelledImages,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): Promise<Measurement> {
  model.eval();
  using predict = compile((x: Tensor) => noGrad(() => (output === 'logits' ? softmax(model.forward(x)) : model.forward(x))));
  const width = output === 'classes' ? 1 : CLASSES;
  const [found, labels] = [new Float32Array(images.length * width), new Int32Array(images.length)];
  let [at, start] = [0, now()];
  const loader = new DataLoader(images, { batchSize: BATCH });
  for (let round = 0; round < 2; round++) {
    at = 0;
    start = now();
    for await (const [x, y] of loader) {
      signal.throwIfAborted();
      found.set(await predict(x).data(), at * width);
      labels.set(await y.data(), at);
      at += y.size;
      if (round === 0) break; // the first batch is traced, which is not what is timed
    }
  }
  const imagesPerSecond = images.length / (Math.max(now() - start, 1) / 1000);
  if (output === 'classes') {
    const classes = Int32Array.from(found);
    return { classes, labels, accuracy: shareOfEqual(classes, labels), confidences: null, nll: null, ece: null, reliability: null, imagesPerSecond };
  }
  const { classes, confidences } = largest(found);
  const scores = await scope(async () => {
    const [p, y] = [tensor(found, { shape: [images.length, CLASSES] }), tensor(labels)];
    return { nll: await negativeLogLikelihood(p, y).item(), ece: await expectedCalibrationError(p, y, { bins: BINS }).item() };
  });
  const reliability = binned(confidences, classes, labels);
  return { classes, labels, accuracy: shareOfEqual(classes, labels), confidences, ...scores, reliability, imagesPerSecond };
}

/** The share of places at which both have the same class. */
export function shareOfEqual(a: Int32Array, b: Int32Array): number {
  return a.reduce((sum, each, i) => sum + (each === b[i] ? 1 : 0), 0) / a.length;
}

/** The class with the largest probability of each row, the first of equal ones, and that probability. */
function largest(probabilities: Float32Array): { readonly classes: Int32Array; readonly confidences: Float32Array } {
  const rows = probabilities.length / CLASSES;
  const [classes, confidences] = [new Int32Array(rows), new Float32Array(rows)];
  for (let row = 0; row < rows; row++) {
    const p = probabilities.subarray(row * CLASSES, (row + 1) * CLASSES);
    const best = p.reduce((at, each, i) => (each > (p[at] ?? 0) ? i : at), 0);
    classes[row] = best;
    confidences[row] = p[best] ?? 0;
  }
  return { classes, confidences };
}

/** The bins `(i/15, (i+1)/15]` that the calibration error is the mean of. */
function binned(confidences: Float32Array, classes: Int32Array, labels: Int32Array): Bin[] {
  const sums = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (const [i, confidence] of confidences.entries()) {
    const sum = sums[Math.min(Math.max(Math.ceil(confidence * BINS) - 1, 0), BINS - 1)];
    if (sum === undefined) continue;
    sum.count++;
    sum.confidence += confidence;
    sum.right += classes[i] === labels[i] ? 1 : 0;
  }
  return sums.map((sum) => ({ count: sum.count, confidence: sum.confidence / Math.max(sum.count, 1), accuracy: sum.right / Math.max(sum.count, 1) }));
}
