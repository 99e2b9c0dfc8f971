/** The digit networks' steps of Adam in TensorFlow.js, on whatever backend `select` chooses. */

import type * as tfjs from '@tensorflow/tfjs';
import type { Contender } from '../measure.ts';
import { BATCH, CLASSES, RATE, SIZES, labels } from '../works/digits.ts';

/** How a step is run and read. */
export interface TensorFlowStep {
  readonly name: string;
  readonly tf: typeof tfjs;
  /** Makes the backend current. */
  readonly select: () => Promise<void>;
  /** Waits for the loss. */
  readonly read: (loss: tfjs.Tensor) => unknown;
}

/** A network: its logits, and what it learns. */
interface Network {
  readonly logits: () => tfjs.Tensor;
  readonly variables: tfjs.Variable[];
}

const weights = (tf: typeof tfjs, shape: number[], fanIn: number): tfjs.Variable =>
  tf.variable(tf.randomUniform(shape, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)));

async function contender({ name, tf, select, read }: TensorFlowStep, build: () => Network): Promise<Contender> {
  await select();
  const { logits, variables } = build();
  const ys = tf.oneHot(tf.tensor1d(labels(BATCH, CLASSES), 'int32'), CLASSES).toFloat();
  const adam = tf.train.adam(RATE);
  const cost = (): tfjs.Scalar => tf.losses.softmaxCrossEntropy<tfjs.Tensor, tfjs.Scalar>(ys, logits());
  const run = async (): Promise<void> => {
    await select();
    const value = adam.minimize(cost, true, variables);
    if (value === null) return;
    await read(value);
    value.dispose();
  };
  return { name, run };
}

/** Dense layers with ReLU between them. */
function dense(tf: typeof tfjs, sizes: readonly number[]): { readonly of: (x: tfjs.Tensor) => tfjs.Tensor; readonly variables: tfjs.Variable[] } {
  const layers = sizes.slice(1).map((out, i) => {
    const fanIn = sizes[i] ?? 1;
    return { weight: weights(tf, [fanIn, out], fanIn), bias: tf.variable(tf.zeros([out])) };
  });
  const of = (x: tfjs.Tensor): tfjs.Tensor =>
    layers.reduce((h, { weight, bias }, i) => {
      const z = tf.add(tf.matMul(h, weight), bias);
      return i < layers.length - 1 ? tf.relu(z) : z;
    }, x);
  return { of, variables: layers.flatMap(({ weight, bias }) => [weight, bias]) };
}

/** The MLP's step. @param values the images, row by row */
export function tensorFlowMlp(step: TensorFlowStep, values: Float32Array): Promise<Contender> {
  const { tf } = step;
  return contender(step, () => {
    const x = tf.tensor2d(values, [BATCH, SIZES[0]]);
    const { of, variables } = dense(tf, SIZES);
    return { logits: () => of(x), variables };
  });
}

/** The CNN's step; images have their one channel last, as is the custom there. */
export function tensorFlowCnn(step: TensorFlowStep, values: Float32Array): Promise<Contender> {
  const { tf } = step;
  return contender(step, () => {
    const x = tf.tensor4d(values, [BATCH, 28, 28, 1]);
    const filters = [weights(tf, [3, 3, 1, 32], 9), weights(tf, [3, 3, 32, 64], 288)];
    const biases = [tf.variable(tf.zeros([32])), tf.variable(tf.zeros([64]))];
    const head = dense(tf, [9216, 128, CLASSES]);
    const convolved = (): tfjs.Tensor4D =>
      filters.reduce<tfjs.Tensor4D>(
        (h, filter, i) => tf.relu(tf.add(tf.conv2d(h, filter as tfjs.Tensor4D & tfjs.Variable, 1, 'valid'), biases[i] ?? 0)),
        x,
      );
    const logits = (): tfjs.Tensor => head.of(tf.maxPool(convolved(), 2, 2, 'valid').reshape([BATCH, 9216]));
    return { logits, variables: [...filters, ...biases, ...head.variables] };
  });
}
