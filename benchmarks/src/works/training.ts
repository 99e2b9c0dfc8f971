/** Training steps with their losses read: an MLP and a CNN of digits, a character transformer. */

import type { Module } from '@gradus/nn';
import { Adam, AdamW, SGD } from '@gradus/optim';
import { randn, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';
import { jaxMlpContender } from '../peers/jax.ts';
import { jaxInNode } from '../peers/jax-in-node.ts';
import { tensorFlow, useBackend } from '../peers/tfjs.ts';
import type { TensorFlowBackend } from '../peers/tfjs.ts';
import { tensorFlowMlp } from '../peers/tfjs-training.ts';
import { torchContender } from '../peers/torch.ts';
import { BATCH, CLASSES, CNN_FLOPS, MLP_FLOPS, RATE, SIZES, cnn, labels, mlp, oneHotLabels, trainingStep } from './digits.ts';
import type { MakeOptimizer } from './digits.ts';
import { BATCH as SEQUENCES, CONTEXT, Gpt, VOCABULARY } from './gpt.ts';

/** Steps of one model, each with its loss read. */
function steps(build: () => Module, make: MakeOptimizer, x: Tensor, y: Tensor, compiled: boolean): () => void {
  const step = trainingStep(build, make, compiled);
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

async function tensorFlowOn(backend: TensorFlowBackend, values: Float32Array): Promise<Contender> {
  const tf = await tensorFlow();
  const select = (): Promise<void> => useBackend(tf, backend);
  return tensorFlowMlp({ name: `tfjs-${backend}`, tf, select, read: (loss) => loss.dataSync() }, values);
}

async function mlpStep(): Promise<readonly Contender[]> {
  const { x, y, values } = digits([BATCH, SIZES[0]]);
  const adam: MakeOptimizer = (parameters) => new Adam(parameters, { lr: RATE });
  return [
    { name: 'gradus', run: steps(mlp, adam, x, y, true) },
    { name: 'gradus, not compiled', run: steps(mlp, adam, x, y, false) },
    await tensorFlowOn('wasm', values),
    await tensorFlowOn('cpu', values),
    torchContender('mlp-step'),
  ];
}

async function mlpStepSgd(): Promise<readonly Contender[]> {
  const { x, y, values } = digits([BATCH, SIZES[0]]);
  return [
    { name: 'gradus', run: steps(mlp, (parameters) => new SGD(parameters, { lr: RATE }), x, y, true) },
    jaxMlpContender(jaxInNode, SIZES, values, oneHotLabels(), BATCH),
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
