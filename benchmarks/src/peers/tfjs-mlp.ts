/** The MLP's step of Adam in TensorFlow.js, on whatever backend `select` chooses. */

import type * as tfjs from '@tensorflow/tfjs';
import type { Contender } from '../measure.ts';
import { BATCH, CLASSES, RATE, SIZES, labels } from '../works/digits.ts';

/** @param read waits for the loss */
export async function tensorFlowMlp(
  name: string,
  tf: typeof tfjs,
  values: Float32Array,
  select: () => Promise<void>,
  read: (loss: tfjs.Tensor) => unknown,
): Promise<Contender> {
  await select();
  const xs = tf.tensor2d(values, [BATCH, SIZES[0]]);
  const ys = tf.oneHot(tf.tensor1d(labels(BATCH, CLASSES), 'int32'), CLASSES).toFloat();
  const layers = SIZES.slice(1).map((out, i) => {
    const fanIn = SIZES[i] ?? 1;
    return { weight: tf.variable(tf.randomUniform([fanIn, out], -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn))), bias: tf.variable(tf.zeros([out])) };
  });
  const adam = tf.train.adam(RATE);
  const cost = (): tfjs.Scalar => {
    const logits = layers.reduce((h, { weight, bias }, i) => {
      const z = tf.add(tf.matMul(h, weight as never), bias);
      return (i < layers.length - 1 ? tf.relu(z) : z) as typeof h;
    }, xs);
    return tf.losses.softmaxCrossEntropy<tfjs.Tensor, tfjs.Scalar>(ys, logits);
  };
  const run = async (): Promise<void> => {
    await select();
    const value = adam.minimize(
      cost,
      true,
      layers.flatMap((l) => [l.weight, l.bias]),
    );
    if (value === null) return;
    await read(value);
    value.dispose();
  };
  return { name, run };
}
