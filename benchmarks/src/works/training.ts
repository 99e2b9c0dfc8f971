/** Training steps with their losses read: an MLP and a CNN of digits, a character transformer. */

import { crossEntropy } from '@gradus/losses';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gradus/nn';
import type { Module, Parameter } from '@gradus/nn';
import { Adam, AdamW, SGD } from '@gradus/optim';
import type { Optimizer } from '@gradus/optim';
import { compile, manualSeed, randn, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';
import { jaxMlpContender } from '../peers/jax.ts';
import { tensorFlow, useBackend } from '../peers/tfjs.ts';
import type { TensorFlowBackend } from '../peers/tfjs.ts';
import { torchContender } from '../peers/torch.ts';
import type * as tfjs from '@tensorflow/tfjs';
import { BATCH as SEQUENCES, CONTEXT, Gpt, VOCABULARY } from './gpt.ts';

const BATCH = 64;
const SIZES = [784, 512, 256, 10] as const;
const CLASSES = SIZES[3];

/** Forward and both backward products of each layer; the first layer has no input gradient. */
const MLP_FLOPS = 2 * BATCH * (3 * (784 * 512 + 512 * 256 + 256 * 10) - 784 * 512);
/** The same of the CNN's convolutions and layers. */
const CNN_FLOPS = 2 * BATCH * (2 * 676 * 9 * 32 + 3 * 576 * 288 * 64 + 3 * (9216 * 128 + 128 * 10));

/** So small that a batch seen a thousand times is not learned by heart: gradients would become denormal numbers, slow on every toolkit. */
const RATE = 1e-7;

const labels = (count: number, classes: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i % classes);

function mlp(): Module {
  const [first, second, third, last] = SIZES;
  return new Sequential(new Linear(first, second), new ReLU(), new Linear(second, third), new ReLU(), new Linear(third, last));
}

function cnn(): Module {
  const head = [new Flatten(), new Linear(9216, 128), new ReLU(), new Linear(128, CLASSES)];
  return new Sequential(new Conv2d(1, 32, 3), new ReLU(), new Conv2d(32, 64, 3), new ReLU(), new MaxPool2d(2), ...head);
}

type MakeOptimizer = (parameters: readonly Parameter[]) => Optimizer;

/** Steps of one model, compiled or as a plain loop does them. */
function steps(build: () => Module, make: MakeOptimizer, x: Tensor, y: Tensor, compiled: boolean): () => void {
  manualSeed(0);
  const model = build();
  const optimizer = make(model.parameters());
  const plain = (images: Tensor, targets: Tensor): Tensor => {
    const logits = model.forward(images);
    const loss = crossEntropy(logits.reshape([-1, logits.shape.at(-1) ?? 1]), targets.reshape([-1]));
    optimizer.minimize(loss);
    return loss;
  };
  const step = compiled ? compile(plain) : plain;
  return () => scope(() => void step(x, y).itemSync());
}

interface Digits {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly values: Float32Array;
}

function digits(shape: readonly number[]): Digits {
  const x = randn(shape, { seed: 1 });
  return { x, y: tensor(labels(BATCH, CLASSES)), values: x.dataSync() as Float32Array };
}

/** The MLP's step in TensorFlow.js. */
async function tensorFlowMlp(backend: TensorFlowBackend, values: Float32Array): Promise<Contender> {
  const tf = await tensorFlow();
  await useBackend(tf, backend);
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
    await useBackend(tf, backend);
    const value = adam.minimize(
      cost,
      true,
      layers.flatMap((l) => [l.weight, l.bias]),
    );
    value?.dataSync();
    value?.dispose();
  };
  return { name: `tfjs-${backend}`, run };
}

async function mlpStep(): Promise<readonly Contender[]> {
  const { x, y, values } = digits([BATCH, SIZES[0]]);
  const adam: MakeOptimizer = (parameters) => new Adam(parameters, { lr: RATE });
  return [
    { name: 'gradus', run: steps(mlp, adam, x, y, true) },
    { name: 'gradus, not compiled', run: steps(mlp, adam, x, y, false) },
    await tensorFlowMlp('wasm', values),
    await tensorFlowMlp('cpu', values),
    torchContender('mlp-step'),
  ];
}

async function mlpStepSgd(): Promise<readonly Contender[]> {
  const { x, y, values } = digits([BATCH, SIZES[0]]);
  const oneHot = new Float32Array(BATCH * CLASSES);
  labels(BATCH, CLASSES).forEach((label, i) => (oneHot[i * CLASSES + label] = 1));
  return [
    { name: 'gradus', run: steps(mlp, (parameters) => new SGD(parameters, { lr: RATE }), x, y, true) },
    jaxMlpContender(SIZES, values, oneHot, BATCH),
    torchContender('mlp-step-sgd'),
  ];
}

async function cnnStep(): Promise<readonly Contender[]> {
  const { x, y } = digits([BATCH, 1, 28, 28]);
  return [{ name: 'gradus', run: steps(cnn, (parameters) => new Adam(parameters, { lr: RATE }), x, y, true) }, torchContender('cnn-step')];
}

async function gptStep(): Promise<readonly Contender[]> {
  const x = tensor(labels(SEQUENCES * CONTEXT, VOCABULARY)).reshape([SEQUENCES, CONTEXT]);
  const y = tensor(labels(SEQUENCES * CONTEXT + 1, VOCABULARY).slice(1));
  const run = steps(
    () => new Gpt(),
    (parameters) => new AdamW(parameters, { lr: RATE }),
    x,
    y,
    true,
  );
  return [{ name: 'gradus', run }, torchContender('gpt-step')];
}

export const trainingWorks: readonly Work[] = [
  { name: 'mlp-step', flops: MLP_FLOPS, contenders: mlpStep },
  { name: 'mlp-step-sgd', flops: MLP_FLOPS, contenders: mlpStepSgd },
  { name: 'cnn-step', flops: CNN_FLOPS, contenders: cnnStep },
  { name: 'gpt-step', contenders: gptStep },
];
