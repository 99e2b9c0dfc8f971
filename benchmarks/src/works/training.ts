/** Training steps: MLP 784-512-256-10, batch 64, Adam, losses read. */

import { crossEntropy } from '@gradus/losses';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { manualSeed, randn, scope, tensor } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';
import { tensorFlow } from '../tfjs.ts';
import type * as tfjs from '@tensorflow/tfjs';

const BATCH = 64;
const SIZES = [784, 512, 256, 10] as const;

/** Forward and both backward products of each layer; the first layer has no input gradient. */
const FLOPS = 2 * BATCH * (3 * (784 * 512 + 512 * 256 + 256 * 10) - 784 * 512);

async function mlp(): Promise<readonly Contender[]> {
  manualSeed(0);
  const model = new Sequential(
    new Linear(SIZES[0], SIZES[1]),
    new ReLU(),
    new Linear(SIZES[1], SIZES[2]),
    new ReLU(),
    new Linear(SIZES[2], SIZES[3]),
  );
  const optimizer = new Adam(model.parameters());
  const x = randn([BATCH, SIZES[0]], { seed: 1 });
  const values = x.dataSync() as Float32Array;
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % SIZES[3]);
  const y = tensor(labels);
  const ours = (): void => {
    scope(() => {
      const loss = crossEntropy(model.forward(x), y);
      optimizer.minimize(loss);
      loss.itemSync();
    });
  };

  const tf = await tensorFlow();
  const xs = tf.tensor2d(values, [BATCH, SIZES[0]]);
  const ys = tf.oneHot(tf.tensor1d(labels, 'int32'), SIZES[3]).toFloat();
  const layers = SIZES.slice(1).map((out, i) => {
    const fanIn = SIZES[i] ?? 1;
    return { weight: tf.variable(tf.randomUniform([fanIn, out], -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn))), bias: tf.variable(tf.zeros([out])) };
  });
  const adam = tf.train.adam(1e-3);
  const theirs = (): void => {
    const cost = adam.minimize(
      () => {
        const logits = layers.reduce((h, { weight, bias }, i) => {
          const z = tf.add(tf.matMul(h, weight as never), bias);
          return (i < layers.length - 1 ? tf.relu(z) : z) as typeof h;
        }, xs);
        return tf.losses.softmaxCrossEntropy<tfjs.Tensor, tfjs.Scalar>(ys, logits);
      },
      true,
      layers.flatMap((l) => [l.weight, l.bias]),
    );
    cost?.dataSync();
    cost?.dispose();
  };
  return [
    { name: 'gradus', run: ours },
    { name: 'tfjs-cpu', run: theirs },
  ];
}

export const trainingWorks: readonly Work[] = [{ name: 'mlp-step', flops: FLOPS, contenders: mlp }];
