/** What a training step compiles to: kernels counted through `explain`, plans found again. */

import { Linear, ReLU, Sequential } from '@gradus/nn';
import { crossEntropy } from '@gradus/losses';
import { Parameter, explain, manualSeed, noGrad, randn, tensor } from '@gradus/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { Adam, AdamW, SGD, clipGradNorm } from '../src/index.ts';
import { BATCH, CLASSES, FEATURES, loop, mlp } from './batches.ts';

beforeEach(() => manualSeed(0));

describe('what a step compiles to', () => {
  test('Linear and ReLU are one contraction with an epilogue', () => {
    const model = new Sequential(new Linear(FEATURES, 24), new ReLU());
    noGrad(() => model.forward(randn([BATCH, FEATURES], { seed: 1 }).copy())).evaluate();
    const report = explain();
    const contractions = report?.kernels.filter((k) => k.anchor === 'matmul') ?? [];
    expect(contractions).toHaveLength(1);
    expect(contractions[0]?.fused.toSorted()).toEqual(['add', 'relu']);
    expect(report?.launches).toBe(2);
  });

  test('an elementwise chain is one map', () => {
    const x = tensor([1, 2, 3]);
    x.mul(2).add(1).exp().sqrt().neg().sigmoid().evaluate();
    expect(explain()?.launches).toBe(1);
    expect(explain()?.kernels[0]?.kernels).toEqual(['map']);
  });

  test.each([
    ['Adam', Adam],
    ['AdamW', AdamW],
  ])('a step of %s is one kernel over the arena, with moments in place', async (_, Rule) => {
    const model = mlp();
    const optimizer = new Rule(model.parameters());
    const size = optimizer.arenas[0]?.size;
    for await (const [x, y] of loop(2)) optimizer.minimize(crossEntropy(model.forward(x), y));
    const report = explain();
    const updates = report?.kernels.filter((k) => k.fused.includes('sqrt')) ?? [];
    expect(updates).toHaveLength(1);
    expect(updates[0]?.outputs.map((o) => o.dims)).toEqual([[size], [size], [size]]);
    expect(updates[0]?.inPlace).toBe(2);
    // Gradients are written into the arena by the kernels that make them: nothing is copied.
    expect(report?.kernels.filter((k) => k.anchor === null && k.fused.length === 0)).toEqual([]);
    expect(report?.launches).toBeLessThanOrEqual(20);
  });

  test('clipping is one reduction over the arena', async () => {
    const model = mlp();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    for await (const [x, y] of loop(1)) {
      crossEntropy(model.forward(x), y).backward();
      const norm = clipGradNorm(optimizer, 1);
      norm.evaluate();
      expect(explain()?.kernels.filter((k) => k.anchor === 'sum' && k.fused.includes('square'))).toHaveLength(1);
      const total = optimizer.parameters.reduce((sum, p) => sum + (p.grad?.square().sum().itemSync() ?? 0), 0);
      expect(Math.sqrt(total)).toBeCloseTo(Math.min(1, await norm.item()), 3);
    }
  });

  test('the second step finds its plan, also after a read and a new learning rate', async () => {
    const model = new Sequential(new Linear(FEATURES, 23), new ReLU(), new Linear(23, CLASSES));
    const optimizer = new Adam(model.parameters());
    const hits: boolean[] = [];
    let step = 0;
    for await (const [x, y] of loop(8)) {
      const loss = crossEntropy(model.forward(x), y);
      optimizer.minimize(loss);
      hits.push(explain()?.planHit ?? false);
      if (step === 3) await loss.item();
      if (step === 5) optimizer.lr = 1e-4;
      step++;
    }
    expect(hits).toEqual([false, true, true, true, true, true, true, true]);
  });

  test('a learning rate set between steps is used', async () => {
    const w = new Parameter(tensor([1, 2]));
    const optimizer = new SGD([w], { lr: 0.5 });
    optimizer.minimize(w.sum());
    expect([...w.dataSync()]).toEqual([0.5, 1.5]);
    optimizer.lr = 0.25;
    optimizer.minimize(w.sum());
    expect([...w.dataSync()]).toEqual([0.25, 1.25]);
  });
});
