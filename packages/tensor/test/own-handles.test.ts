/** Ops with nothing to do give a handle of its own: disposing it leaves the argument alone, and gradients pass. */

import {
  Parameter,
  abs,
  clamp,
  concatenate,
  explain,
  expand,
  flatten,
  grad,
  keep,
  memory,
  noGrad,
  ones,
  permute,
  reshape,
  scope,
  slice,
  squeeze,
  tensor,
  toDType,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor): number[] => [...t.dataSync()];

const idle: readonly [string, (x: Tensor) => Tensor][] = [
  ['reshape', (x) => reshape(x, [2])],
  ['reshape to [-1]', (x) => x.reshape([-1])],
  ['flatten', (x) => flatten(x)],
  ['squeeze', (x) => squeeze(x)],
  ['toDType', (x) => toDType(x, 'float32')],
  ['expand', (x) => expand(x, [2])],
  ['permute', (x) => permute(x, [0])],
  ['slice', (x) => slice(x, [])],
  ['clamp', (x) => clamp(x, {})],
  ['concatenate', (x) => concatenate([x])],
  ['all of them', (x) => x.flatten().squeeze().toDType('float32').clamp({}).permute([0])],
];

describe.each(idle)('%s', (_, op) => {
  test.each([
    ['ready', () => tensor([1, 2])],
    ['pending', () => tensor([0, 1]).add(1)],
  ])('of a %s tensor', (__, make) => {
    const x = make();
    {
      using y = op(x);
      expect(y).not.toBe(x);
      expect(values(y)).toEqual([1, 2]);
    }
    expect(values(x)).toEqual([1, 2]);
    const y = op(make());
    x.dispose();
    expect(values(y)).toEqual([1, 2]);
  });

  test('passes gradients, of gradients too', () => {
    expect(values(grad((x) => op(x).square().sum())(tensor([1, 2])))).toEqual([2, 4]);
    expect(values(grad((x) => grad((z) => op(op(z).pow(3)).sum())(x).sum())(tensor([1, 2])))).toEqual([6, 12]);
    const w = new Parameter(tensor([1, 2]));
    const y = op(w);
    expect(y.requiresGrad).toBe(true);
    y.square().sum().backward();
    expect(values(w.grad as Tensor)).toEqual([2, 4]);
    expect(noGrad(() => op(w)).requiresGrad).toBe(false);
  });
});

test('the absolute value of unsigned integers', () => {
  const x = tensor([1, 2], { dtype: 'uint8' });
  abs(x).dispose();
  expect(values(x)).toEqual([1, 2]);
});

test('a handle of its own may become a leaf of its own', () => {
  const x = tensor([1, 2]);
  const y = x.reshape([2]);
  y.requiresGrad = true;
  expect(x.requiresGrad).toBe(false);
  y.sum().backward();
  expect(values(y.grad as Tensor)).toEqual([1, 1]);
});

test('a number on the host stays there', () => {
  const x = tensor(3);
  expect(x.reshape([]).itemSync()).toBe(3);
  expect(scope(() => tensor(3).toDType('float32')).itemSync()).toBe(3);
});

test('keeping it does not end the history of the other', () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const y = scope(() => {
    const made = w.square();
    keep(made.reshape([2]));
    return made;
  });
  y.sum().backward();
  expect(values(w.grad as Tensor)).toEqual([2, 4]);
});

test('a pending number is computed with the other numbers', () => {
  const source = ones([3]).mul(2).sum();
  const loss = source.reshape([]);
  source.dispose();
  ones([2]).mul(2).evaluate();
  const last = explain();
  expect(loss.itemSync()).toBe(6);
  expect(explain()?.kernels).toEqual(last?.kernels);
});

test('takes no memory', () => {
  const x = ones([1000]).mul(2);
  x.evaluate();
  const before = memory().liveBytes;
  const y = x.reshape([1000]).flatten().toDType('float32');
  expect(values(y)[0]).toBe(2);
  expect(memory().liveBytes).toBe(before);
});
