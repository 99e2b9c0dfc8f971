/** Loops that do more in a step than one backward pass and one update: compiled or not, the same bits. */

import { Linear, ReLU, Sequential } from '@gradus/nn';
import { crossEntropy, mse } from '@gradus/losses';
import { State, assign, compile, hostNumber, manualSeed, noGrad, randn, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { Adam, AdamW, SGD, clipGradNorm } from '../src/index.ts';
import { CLASSES, FEATURES, mlp } from './batches.ts';

type Loop = (wrap: <A extends readonly Tensor[], R>(fn: (...args: A) => R) => (...args: A) => R) => number[];

const labels = (n: number, shift: number): Tensor => tensor(Int32Array.from({ length: n }, (_, i) => (i + shift) % CLASSES));
const numbers = (tensors: Iterable<Tensor>): number[] => [...tensors].flatMap((t) => [...t.dataSync()]);

const loops: Readonly<Record<string, Loop>> = {
  'gradients accumulated over four batches, scaled and clipped': (wrap) => {
    const model = mlp();
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    let scale = 8;
    const collect = wrap((x: Tensor, y: Tensor) =>
      crossEntropy(model.forward(x), y)
        .mul(hostNumber(() => scale))
        .backward(),
    );
    const update = wrap(() => {
      const norm = clipGradNorm(optimizer, 5);
      optimizer.step();
      optimizer.zeroGrad();
      return norm;
    });
    const norms: number[] = [];
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < 4; j++) scope(() => collect(randn([6, FEATURES]), labels(6, i + j)));
      norms.push(scope(() => update().itemSync()));
      if (i === 5) scale = 2;
    }
    return [...norms, ...numbers(model.parameters())];
  },

  'two networks against each other, each with its optimizer': (wrap) => {
    const generator = new Sequential(new Linear(3, 8), new ReLU(), new Linear(8, 2));
    const critic = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1));
    const [forGenerator, forCritic] = [new Adam(generator.parameters(), { lr: 0.01 }), new SGD(critic.parameters(), { lr: 0.05, momentum: 0.5 })];
    const step = wrap((real: Tensor) => {
      const fake = generator.forward(randn([4, 3]));
      const lossOfCritic = critic.forward(fake.detach()).relu().mean().add(critic.forward(real).neg().relu().mean());
      forCritic.minimize(lossOfCritic);
      const lossOfGenerator = critic.forward(fake).neg().relu().mean();
      forGenerator.minimize(lossOfGenerator);
      return [lossOfCritic, lossOfGenerator];
    });
    const losses: number[] = [];
    for (let i = 0; i < 15; i++) scope(() => void losses.push(...numbers(step(randn([4, 2])))));
    return [...losses, ...numbers([...generator.parameters(), ...critic.parameters()])];
  },

  'two steps in one call, a running average of the weights, and the loss after the step': (wrap) => {
    const model = mlp();
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const averages = model.parameters().map((p) => new State(p.detach().mul(1)));
    const target = randn([6, CLASSES], { seed: 3 });
    const step = wrap((x: Tensor) => {
      const losses = [0, 1].map(() => {
        const loss = mse(model.forward(x), target);
        optimizer.minimize(loss);
        return loss;
      });
      noGrad(() => {
        for (const [i, p] of model.parameters().entries()) assign(averages[i] as State, (averages[i] as State).mul(0.9).add(p.mul(0.1)));
      });
      return [...losses, noGrad(() => mse(model.forward(x), target))];
    });
    const losses: number[] = [];
    for (let i = 0; i < 10; i++) scope(() => void losses.push(...numbers(step(randn([6, FEATURES])))));
    return [...losses, ...numbers(model.parameters()), ...numbers(averages)];
  },

  'a frozen layer that thaws, and weights put back from outside': (wrap) => {
    const model = mlp();
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const [first] = model.parameters();
    const step = wrap((x: Tensor, y: Tensor) => {
      const loss = crossEntropy(model.forward(x), y);
      optimizer.minimize(loss);
      return loss;
    });
    const losses: number[] = [];
    let saved: Record<string, Tensor> = {};
    for (let i = 0; i < 20; i++) {
      if (first !== undefined) first.requiresGrad = i < 5 || i >= 12;
      if (i === 8) saved = Object.fromEntries(Object.entries(model.stateDict()).map(([key, t]) => [key, t.copy()]));
      if (i === 15) model.loadStateDict(saved);
      losses.push(scope(() => step(randn([6, FEATURES]), labels(6, i)).itemSync()));
    }
    return [...losses, ...numbers(model.parameters())];
  },
};

describe('the same bits, compiled or not', () => {
  test.each(Object.entries(loops))('%s', (_, loop) => {
    manualSeed(4);
    const plain = loop((fn) => fn);
    manualSeed(4);
    const compiled = loop((fn) => compile(fn));
    expect(compiled).toEqual(plain);
    expect(plain.every(Number.isFinite)).toBe(true);
  });
});
