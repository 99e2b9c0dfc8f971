/** Compiled training of a transformer and an LSTM: the same losses and weights to the bit; and what a transformer's step compiles to. */

import { cpu } from '@gradus/backend-cpu';
import { AdamW } from '@gradus/optim';
import { compile, debug, explain, manualSeed, noGrad, scope } from '@gradus/tensor';
import type { StepReport, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { subjectOn } from '../src/models.ts';
import type { SubjectName } from '../src/models.ts';

const STEPS = 200;

interface Result {
  readonly losses: readonly number[];
  readonly weights: readonly (readonly number[])[];
  readonly traces: number;
}

/** 200 steps of AdamW: a cosine schedule with warm-up, a smaller batch at the end of each ten, evaluation in between, a resume in the middle. */
function train(name: SubjectName, compiled: boolean): Result {
  const device = cpu();
  const { module, loss, inputs } = subjectOn(device, name);
  const [x, y] = inputs;
  const rows = x.shape[0] ?? 1;
  const perRow = y.size / rows;
  const small = [x.slice([{ end: rows - 1 }]).copy(), y.slice([{ end: perRow * (rows - 1) }]).copy()] as const;
  let optimizer = new AdamW(module.parameters(), { lr: 0.003, weightDecay: 0.01 });
  const plain = (images: Tensor, targets: Tensor): Tensor => {
    const cost = loss(images, targets);
    optimizer.minimize(cost);
    return cost;
  };
  const measure = (images: Tensor, targets: Tensor): Tensor => noGrad(() => loss(images, targets));
  const step = compile(plain);
  const look = compile(measure);
  const losses: number[] = [];
  manualSeed(2);
  for (let i = 0; i < STEPS; i++) {
    scope(() => {
      optimizer.lr = 0.003 * Math.min(1, (i + 1) / 20) * (0.5 + 0.5 * Math.cos((Math.PI * i) / STEPS));
      const [images, targets] = i % 10 === 9 ? small : [x, y];
      losses.push((compiled ? step : plain)(images, targets).itemSync());
      if (i % 50 !== 49) return;
      module.eval();
      losses.push((compiled ? look : measure)(x, y).itemSync());
      module.train();
    });
    if (i !== 100) continue;
    // A resume: another optimizer goes on from what the first one saved.
    const saved = optimizer.stateDict();
    const weights = Object.fromEntries(Object.entries(module.stateDict()).map(([key, t]) => [key, t.copy()]));
    optimizer.dispose();
    optimizer = new AdamW(module.parameters(), { lr: 0.003, weightDecay: 0.01 });
    optimizer.loadStateDict(saved);
    module.loadStateDict(weights);
  }
  return { losses, weights: Object.values(module.stateDict()).map((t) => [...t.dataSync()]), traces: step.statistics.traces };
}

describe.each<SubjectName>(['transformer', 'LSTM'])('%s', (name) => {
  test('compiled equals uncompiled after 200 steps, to the bit', () => {
    const plain = train(name, false);
    const compiled = train(name, true);
    expect(compiled.losses).toEqual(plain.losses);
    expect(compiled.weights).toEqual(plain.weights);
    expect(plain.losses.at(-1)).toBeLessThan(0.6 * (plain.losses[0] ?? 0));
    // Two batch sizes, each with the first optimizer and with the second.
    expect(compiled.traces).toBeLessThanOrEqual(5);
  });
});

/** Is it a map of elementwise ops, and no movement or sum of parts? */
const isElementwise = (k: StepReport): boolean => k.kernels.includes('map') && k.anchor === null && k.fused.length > 0;

describe('a step of the transformer', () => {
  const device = cpu();
  const { module, loss, inputs } = subjectOn(device, 'transformer');
  const optimizer = new AdamW(module.parameters());
  const step = compile((x: Tensor, y: Tensor) => {
    const cost = loss(x, y);
    optimizer.minimize(cost);
    return cost;
  });
  {
    using _ = debug({ verify: true });
    scope(() => void step(...inputs));
  }
  const kernels = explain(step)?.kernels ?? [];

  test('has one launch of attention a block and pass, norms of one kernel, and one kernel for AdamW', () => {
    const count = (what: (k: StepReport) => boolean): number => kernels.filter(what).length;
    expect(count((k) => k.kernels.includes('attention'))).toBe(4);
    expect(count((k) => k.anchor === 'layerNorm backward')).toBe(5);
    expect(count((k) => k.fused.includes('sqrt'))).toBe(1);
    expect(kernels.at(-1)?.inPlace).toBe(3);
    expect(explain(step)?.launches).toBeLessThanOrEqual(100);
  });

  test('leaves no elementwise op alone beside a kernel that it could join', () => {
    // Biases, activations, their slopes and residuals are epilogues of the products.
    for (const op of ['gelu', 'gelu slope']) {
      const found = kernels.filter((k) => k.fused.includes(op));
      expect(found).toHaveLength(2);
      expect(found.every((k) => k.kernels.includes('contract'))).toBe(true);
    }
    // What is left has a kernel without an epilogue before it (a norm's gradient, a softmax) and a product, which reads memory, behind it:
    // the embedding, the loss's gradient, the residuals of the backward pass, the halves of keys and values put together, the optimizer.
    const alone = kernels.slice(0, -1).flatMap((k) => (isElementwise(k) ? [k.fused.toSorted().join(' ')] : []));
    expect(alone.toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => 'add'),
      'add takeAlongAxis',
      ...Array.from({ length: 2 }, () => 'add unslice unslice'),
      'arange div equal neg where',
    ]);
  });
});
