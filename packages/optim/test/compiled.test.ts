/** Compiled training is training: the same losses and weights to the bit, over everything that changes on the way. */

import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import { crossEntropy } from '@gradus/losses';
import { compile, explain, manualSeed, memory, randn, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { Adam, SGD, clipGradNorm } from '../src/index.ts';
import type { Optimizer } from '../src/index.ts';
import { CLASSES, FEATURES, mlp } from './batches.ts';

const STEPS = 200;

interface Training {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly input: (size: number) => Tensor;
}

const kinds: Readonly<Record<string, () => Training>> = {
  'an MLP with Adam': () => {
    const model = mlp();
    return { model, optimizer: new Adam(model.parameters(), { lr: 0.01, weightDecay: 0.01 }), input: (n) => randn([n, FEATURES]) };
  },
  'a CNN with batch norm, dropout, momentum and clipping': () => {
    const model = new Sequential(
      new Conv2d(1, 3, 3),
      new BatchNorm2d(3),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Dropout(0.25),
      new Linear(27, CLASSES),
    );
    return { model, optimizer: new SGD(model.parameters(), { lr: 0.05, momentum: 0.9, dampening: 0.1 }), input: (n) => randn([n, 1, 8, 8]) };
  },
};

/** 200 steps: batches of 8 and, at the end of each epoch, 5; rates from a schedule; evaluation in between; weights put back once. */
function train(make: () => Training, compiled: boolean): { losses: number[]; weights: number[][]; traces: number } {
  manualSeed(1);
  const { model, optimizer, input } = make();
  const plain = (x: Tensor, y: Tensor): readonly Tensor[] => {
    const loss = crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    const norm = clipGradNorm(optimizer, 0.5);
    optimizer.step();
    return [loss, norm];
  };
  const measure = (x: Tensor): Tensor => model.forward(x).argmax();
  const compiledStep = compile(plain);
  const [step, look] = compiled ? [compiledStep, compile(measure)] : [plain, measure];
  const losses: number[] = [];
  let saved: Record<string, Tensor> = {};
  for (let i = 0; i < STEPS; i++) {
    scope(() => {
      optimizer.lr = 0.02 * Math.cos((i / STEPS) * 1.5);
      const size = i % 10 === 9 ? 5 : 8;
      const y = tensor(Int32Array.from({ length: size }, (_, j) => (i + j) % CLASSES));
      losses.push(...step(input(size), y).map((t) => t.itemSync()));
      if (i % 25 === 24) {
        model.eval();
        losses.push(...look(input(8)).dataSync());
        model.train();
      }
    });
    if (i === 80) saved = Object.fromEntries(Object.entries(model.stateDict()).map(([key, t]) => [key, t.copy()]));
    if (i === 120) model.loadStateDict(saved);
  }
  return { losses, weights: Object.values(model.stateDict()).map((t) => [...t.dataSync()]), traces: compiledStep.statistics.traces };
}

describe('compiled training', () => {
  test.each(Object.entries(kinds))('%s: the same losses and weights after 200 steps, to the bit', (_, make) => {
    const plain = train(make, false);
    const compiled = train(make, true);
    expect(compiled.losses).toEqual(plain.losses);
    expect(compiled.weights).toEqual(plain.weights);
    // Two batch sizes, and once the weights lay outside the arena.
    expect(compiled.traces).toBeLessThanOrEqual(3);
  });

  test('an MLP step is at most 16 kernels, with parameters and moments in place', () => {
    manualSeed(0);
    const model = mlp();
    const optimizer = new Adam(model.parameters());
    const step = compile((x: Tensor, y: Tensor) => {
      const loss = crossEntropy(model.forward(x), y);
      optimizer.minimize(loss);
      return loss;
    });
    const [x, y] = [randn([4, FEATURES]), tensor([0, 1, 2, 3], { dtype: 'int32' })];
    step(x, y);
    const report = explain(step);
    expect(report?.launches).toBeLessThanOrEqual(16);
    expect(report?.kernels.at(-1)?.inPlace).toBe(3);
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ device: 'cpu', launches: report?.launches });

    step(x, y);
    const before = memory();
    const held: Tensor[] = [];
    for (let i = 0; i < 100; i++) {
      optimizer.lr = 0.01 / (i + 1);
      held.push(step(x, y));
    }
    expect(step.statistics).toMatchObject({ traces: 1, replays: 101 });
    expect(memory()).toMatchObject({ liveBytes: before.liveBytes, allocations: before.allocations, backendBytes: before.backendBytes });
    expect(new Set(held.map((t) => t.itemSync())).size).toBeGreaterThan(50);
  });
});
