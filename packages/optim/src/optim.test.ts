/** Optimizers against PyTorch, in float64: p = [1, -2], f = ½(p₀² + 3p₁²), learning rate 0.1 unless said. */

import { ArgumentError, GradientError, Parameter, compile, explain, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { Adam, AdamW, SGD, clipGradNorm } from './index.ts';
import type { Optimizer } from './index.ts';

function descend(make: (p: Parameter) => Optimizer, steps: number): number[] {
  const p = new Parameter(tensor(new Float64Array([1, -2])));
  const optimizer = make(p);
  const curvature = tensor(new Float64Array([1, 3]));
  for (let i = 0; i < steps; i++) optimizer.minimize(p.square().mul(curvature).mul(0.5).sum());
  return [...p.dataSync()];
}

type Make = (p: Parameter) => Optimizer;
const sgd =
  (options: Partial<ConstructorParameters<typeof SGD>[1]>): Make =>
  (p) =>
    new SGD([p], { lr: 0.1, ...options });
const adam =
  (options: ConstructorParameters<typeof Adam>[1]): Make =>
  (p) =>
    new Adam([p], { lr: 0.1, ...options });

const adamW =
  (options: ConstructorParameters<typeof AdamW>[1]): Make =>
  (p) =>
    new AdamW([p], { lr: 0.1, ...options });

/** [name, optimizer, after step 1, after step 5]; values by PyTorch 1.13. */
const golden: readonly [string, Make, readonly number[] | null, readonly number[] | null][] = [
  ['SGD with momentum', sgd({ momentum: 0.9 }), [0.9, -1.4], [-0.02916, 1.55656]],
  ['SGD with dampening', sgd({ momentum: 0.9, dampening: 0.5 }), [0.9, -1.4], [0.253018125, 1.28865625]],
  ['SGD with Nesterov and weight decay', sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 }), [0.791, -0.822], [-0.1632489978, 0.6630655223]],
  ['Adam', adam({}), null, [0.5079636619, -1.5029557809]],
  ['Adam with a large eps', adam({ eps: 0.1 }), [0.9090909091, -1.9016393443], null],
  ['AdamW', adamW({ weightDecay: 0.1 }), [0.890000001, -1.8800000002], [0.4699526596, -1.4155664795]],
  ['AdamW without decay, which is Adam', adamW({ weightDecay: 0 }), null, [0.5079636619, -1.5029557809]],
];

describe.each(golden)('%s', (_, make, first, fifth) => {
  test('gives PyTorch’s values', () => {
    if (first !== null) descend(make, 1).forEach((v, i) => expect(v).toBeCloseTo(first[i] ?? NaN, 9));
    if (fifth !== null) descend(make, 5).forEach((v, i) => expect(v).toBeCloseTo(fifth[i] ?? NaN, 9));
  });
});

test('SGD of [1, 2] with gradient [1, 2] and rate 0.001 gives [0.999, 1.998]', () => {
  const p = new Parameter(tensor([1, 2]));
  new SGD([p], { lr: 0.001 }).minimize(p.square().mul(0.5).sum());
  expect([...p.dataSync()].map((v) => Number(v.toFixed(6)))).toEqual([0.999, 1.998]);
});

test('AdamW decays by 0.01 times the rate unless told otherwise, and moments do not see it', () => {
  const p = new Parameter(tensor(new Float64Array([1])));
  const optimizer = new AdamW([p], { lr: 0.1 });
  optimizer.minimize(p.mul(0).sum());
  expect(p.itemSync()).toBe(1 - 0.1 * 0.01);
  expect(optimizer.state[0]?.map((s) => s.itemSync())).toEqual([0, 0]);
});

describe('parameters', () => {
  test('without a gradient stay as they are, and count no step', () => {
    const [a, b, c] = [1, 2, 3].map((v) => new Parameter(tensor(new Float64Array([v])))) as [Parameter, Parameter, Parameter];
    const optimizer = new Adam([a, b, c], { lr: 0.1 });
    optimizer.minimize(a.add(c).sum());
    expect([a, b, c].map((p) => Number(p.itemSync().toFixed(6)))).toEqual([0.9, 2, 2.9]);
    // b's first step is its first, whatever the others have behind them.
    optimizer.minimize(a.add(b).add(c).sum());
    expect(Number(b.itemSync().toFixed(6))).toBe(1.9);
    optimizer.zeroGrad();
    optimizer.step();
    expect(Number(b.itemSync().toFixed(6))).toBe(1.9);
  });

  test('assigned from outside are seen', () => {
    const p = new Parameter(tensor([1, 1]));
    const optimizer = new SGD([p], { lr: 1 });
    optimizer.minimize(p.sum());
    optimizer.arenas[0]?.assign(tensor([5, 6]));
    optimizer.arenas[0]?.commit();
    expect([...p.dataSync()]).toEqual([5, 6]);
    optimizer.minimize(p.sum());
    expect([...p.dataSync()]).toEqual([4, 5]);
  });

  test('of several dtypes and groups have rates of their own', () => {
    const a = new Parameter(tensor([1]));
    const b = new Parameter(tensor(new Float64Array([1])));
    const c = new Parameter(tensor([1]));
    const optimizer = new SGD([{ parameters: [a, b] }, { parameters: [c], options: { lr: 0.25 } }], { lr: 0.5 });
    a.sum().backward();
    b.sum().backward();
    c.sum().backward();
    optimizer.step();
    expect([a, b, c].map((p) => p.itemSync())).toEqual([0.5, 0.5, 0.75]);
  });

  test('of a group follow what is set for it, compiled or not', () => {
    const a = new Parameter(tensor([1]));
    const b = new Parameter(tensor([1]));
    const optimizer = new SGD([{ parameters: [a] }, { parameters: [b], options: { lr: 0.25 } }], { lr: 0.5 });
    const step = compile(() => optimizer.minimize(a.add(b).sum()));
    step();
    expect([a, b].map((p) => p.itemSync())).toEqual([0.5, 0.75]);
    const [first, second] = optimizer.groups;
    if (second !== undefined) second.lr = 0.75;
    first?.set({ weightDecay: 0 });
    step();
    expect([a, b].map((p) => p.itemSync())).toEqual([0, 0]);
    optimizer.lr = 1;
    step();
    expect([a, b].map((p) => p.itemSync())).toEqual([-1, -0.75]);
    expect([first?.lr, second?.lr, step.statistics.traces]).toEqual([1, 0.75, 1]);
    expect(() => second?.set({ lr: -1 })).toThrow(ArgumentError);
  });

  test('two optimizers on one parameter take turns', () => {
    const p = new Parameter(tensor([1, 1]));
    const first = new SGD([p], { lr: 1 });
    const second = new SGD([p], { lr: 2 });
    first.minimize(p.sum());
    second.minimize(p.sum());
    first.minimize(p.sum());
    expect([...p.dataSync()]).toEqual([-3, -3]);
  });
});

test('clipGradNorm scales to the norm and returns the one before', () => {
  const p = new Parameter(tensor(new Float64Array([3, 4, 12])));
  const optimizer = new SGD([p], { lr: 0.1 });
  p.square().mul(0.5).sum().backward();
  const norm = clipGradNorm(optimizer, 1);
  expect(norm.itemSync()).toBe(13);
  [0.23076922, 0.30769229, 0.92307687].forEach((v, i) => expect((p.grad as Tensor).dataSync()[i]).toBeCloseTo(v, 6));
  optimizer.step();
  expect(explain()?.kernels.some((k) => k.outputs.some((o) => o.dims[0] === 3))).toBe(true);
  expect(p.dataSync()[0]).toBeCloseTo(3 - 0.1 * 0.23076922, 6);
});

describe('bad input', () => {
  test('is refused', () => {
    const p = new Parameter(tensor([1]));
    expect(() => new SGD([], { lr: 0.1 })).toThrow(/at least one parameter.*model\.parameters\(\)/);
    expect(() => new SGD([p, p], { lr: 0.1 })).toThrow(/each parameter once/);
    expect(() => new SGD([p], { lr: -1 })).toThrow(ArgumentError);
    expect(() => new SGD([p], { lr: 1, nesterov: true })).toThrow(/nesterov/);
    expect(() => new AdamW([p], { betas: [0.9, 1] })).toThrow(
      '[AdamW] expected betas from 0 up to, without, 1 and eps of at least 0, got betas 0.9, 1',
    );
    expect(() => new AdamW([p], 0.1 as never)).toThrow('[AdamW] expected options, got 0.1');
    const optimizer = new SGD([p], { lr: 1 });
    expect(() => {
      optimizer.lr = NaN;
    }).toThrow(ArgumentError);
    expect(() => optimizer.minimize(tensor(1))).toThrow(GradientError);
  });
});
