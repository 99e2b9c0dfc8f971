/** Fused models: the bits of their branches, what learns, and what is refused. */

import { crossEntropy } from '@gradus/losses';
import { BatchNorm1d, Dropout, Linear, Module, Sequential, dense, graphModel, inMode, input, replaceModules } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { ArgumentError, ShapeError, compile, concatenate, eye, manualSeed, randn, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { fuse } from './index.ts';

beforeEach(() => manualSeed(0));

const values = (t: Tensor): number[] => [...t.dataSync()];
const branch = (): Sequential => new Sequential(new Linear(4, 6), new BatchNorm1d(6), new Dropout(0.5), new Linear(6, 3));
const labels = (): Tensor => tensor([0, 1, 2, 0], { dtype: 'int32' });

test('without a head it is the branches, side by side, to the bit', () => {
  const [a, b, x] = [branch(), branch(), randn([5, 4])];
  const fused = fuse([a, b]);
  const out = fused.forward(x); // in training: frozen branches are not
  expect([a.training, b.training]).toEqual([true, true]);
  expect(values(out)).toEqual(values(concatenate([a.eval().forward(x), b.eval().forward(x)], { axis: -1 })));
  expect(out.requiresGrad).toBe(false);
  expect(Object.keys(fused.stateDict()).slice(0, 2)).toEqual(['branches.0.0.weight', 'branches.0.0.bias']);
});

/** Gives back what it is given. */
class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** A linear head that is the identity: x · Iᵀ is exact. */
function identityLinear(width: number): Linear {
  const linear = new Linear(width, width, { bias: false });
  linear.loadStateDict({ weight: eye(width) });
  return linear;
}

test('with frozen branches and an identity head it is the concatenation of their outputs to the bit, for any branches', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 1000 }),
      (widths, batch, seed) => {
        manualSeed(seed);
        // Batch norm and dropout would show a branch that is in training.
        const branches = widths.map((width) => new Sequential(new Linear(4, 5), new BatchNorm1d(5), new Dropout(0.5), new Linear(5, width)));
        const x = randn([batch, 4], { seed });
        const wanted = values(
          concatenate(
            branches.map((each) => inMode(each, false, () => each.forward(x))),
            { axis: -1 },
          ),
        );
        const total = widths.reduce((sum, width) => sum + width, 0);
        for (const head of [new Identity(), identityLinear(total)]) {
          const fused = fuse(branches, { head, trainable: 'head' }).train();
          const out = fused.forward(x);
          expect(out.shape).toEqual([batch, total]);
          // Adding the zeros of the matrix makes 0 of -0.
          expect(values(out).every((value, i) => (head instanceof Linear ? value === wanted[i] : Object.is(value, wanted[i])))).toBe(true);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('or their mean', () => {
  const [a, b, x] = [branch(), branch(), randn([5, 4])];
  const out = fuse([a, b], { by: 'average' }).forward(x);
  expect(values(out)).toEqual(values(a.eval().forward(x).add(b.eval().forward(x)).div(2)));
});

test('branches may have inputs of their own, and be graphs', () => {
  const [x, y] = [randn([5, 4]), randn([5, 2])];
  const a = input({ shape: [4] });
  const [left, right] = [graphModel({ inputs: a, outputs: dense(3)(a) }), new Linear(2, 3)];
  const fused = fuse([left, right], { inputs: 'separate' });
  expect(values(fused.forward(x, y))).toEqual(values(concatenate([left.forward(x), right.forward(y)], { axis: -1 })));
  expect(() => fused.forward(x)).toThrow('[fuse] expected 2 inputs, one for each branch, got 1.');
});

describe.each([false, true])('training, compiled: %s', (compiled) => {
  const snapshot = (fused: ReturnType<typeof fuse>): number[] => fused.branches.flatMap((each) => Object.values(each.stateDict()).flatMap(values));

  test('leaves frozen branches and their statistics as they are, then tunes them', () => {
    const head = new Linear(6, 3);
    const fused = fuse([branch(), branch()], { head }).train();
    const optimizer = new Adam(fused.parameters(), { lr: 0.05 });
    const plain = (x: Tensor, y: Tensor): Tensor => {
      const loss = crossEntropy(fused.forward(x), y);
      optimizer.minimize(loss);
      return loss;
    };
    const compiledStep = compile(plain);
    const step = compiled ? compiledStep : plain;
    const x = randn([4, 4], { seed: 1 });
    const before = snapshot(fused);
    const first = step(x, labels()).itemSync();
    for (let i = 0; i < 8; i++) step(x, labels());
    expect(step(x, labels()).itemSync()).toBeLessThan(first);
    expect(snapshot(fused)).toEqual(before);
    expect(fused.branches.every((each) => each.training)).toBe(true);
    // After the first step the optimizer counts other steps for the head than for the branches: one more trace.
    if (compiled) expect(compiledStep.statistics).toMatchObject({ traces: 2, replays: 8 });

    fused.setTrainable([true, false]);
    for (let i = 0; i < 3; i++) step(x, labels());
    const after = snapshot(fused);
    const half = before.length / 2;
    expect(after.slice(0, half)).not.toEqual(before.slice(0, half));
    expect(after.slice(half)).toEqual(before.slice(half));
  });
});

test('layers of branches can be replaced, in a copy that is frozen on its own', () => {
  const [a, b, other, x] = [branch(), branch(), new Linear(6, 3), randn([5, 4])];
  const fused = fuse([a, b]);
  const before = values(fused.forward(x));
  const copy = replaceModules(fused, new Map([[a.layers[3] as Linear, other]])) as typeof fused;
  expect(values(copy.forward(x)).filter((_, i) => i % 6 >= 3)).toEqual(before.filter((_, i) => i % 6 >= 3));
  expect(values(copy.forward(x))).not.toEqual(before);
  copy.setTrainable('all').requiresGrad(false);
  // Frozen branches are in evaluation, so their dropout draws nothing.
  expect(values(fused.forward(x))).toEqual(before);
  expect(values(copy.forward(x))).not.toEqual(values(copy.forward(x)));
});

test('what does not fit is refused', () => {
  const [three, four] = [new Linear(4, 3), new Linear(4, 4)];
  expect(() => fuse([])).toThrow('[fuse] expected at least one model, in an array, got []. Fix: pass [modelA, modelB].');
  expect(() => fuse([three, {} as never])).toThrow(ArgumentError);
  expect(() => fuse([three, four], { by: 'sum' as never })).toThrow("[fuse] expected by 'concatenate' or 'average', got 'sum'.");
  expect(() => fuse([three, four], { trainable: [true] })).toThrow("trainable 'head', 'all' or 2 booleans, got [true]");
  expect(() => fuse([three, four], { by: 'average' }).forward(randn([2, 4]))).toThrow(ShapeError);
  expect(() => fuse([three, four], { by: 'average' }).forward(randn([2, 4]))).toThrow(/outputs \[2, 3\] of all branches.*got \[2, 4\] of branch 1/);
  expect(fuse([three, four], { trainable: 'all' }).forward(randn([2, 4])).shape).toEqual([2, 7]);
});
