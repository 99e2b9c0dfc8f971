/** Sorting and places of extremes at the edges: ties, NaN, signed zeros, every dtype, with a kernel for them and without. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { ArgumentError, AxisError, ShapeError, argmax, argmin, argsort, explain, grad, sort, tensor, topK, zeros } from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor): number[] => [...t.dataSync()];
const whole = cpu();
const minimal = withoutFastPaths(cpu());

describe.each([
  ['cpu', whole],
  ['required kernels only', minimal],
] as const)('on %s', (_, device) => {
  test('NaN is the greatest, equals keep their order, and -0 equals 0', () => {
    const x = tensor([NaN, 2, -0, Infinity, 0, NaN, -Infinity, 2, 0], { device });
    const up = sort(x);
    expect(values(up.values)).toEqual([-Infinity, -0, 0, 0, 2, 2, Infinity, NaN, NaN]);
    expect(values(up.indices)).toEqual([6, 2, 4, 8, 1, 7, 3, 0, 5]);
    const down = sort(x, { descending: true });
    expect(values(down.values)).toEqual([NaN, NaN, Infinity, 2, 2, -0, 0, 0, -Infinity]);
    expect(values(down.indices)).toEqual([0, 5, 3, 1, 7, 2, 4, 8, 6]);
  });

  test('the smallest and largest of a dtype are not taken for padding', () => {
    const cases: readonly [DType, readonly number[]][] = [
      ['int8', [127, -128, 127, 0, -128]],
      ['uint8', [255, 0, 255, 0, 255]],
      ['int32', [2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, 5, 0]],
      ['uint32', [2 ** 32 - 1, 0, 2 ** 32 - 1, 2 ** 31, 0]],
      ['bool', [1, 0, 1, 0, 1]],
      ['float16', [Infinity, -Infinity, Infinity, 1, -Infinity]],
    ];
    for (const [dtype, numbers] of cases) {
      const x = tensor([...numbers], { dtype, device });
      const up = sort(x);
      expect([up.values.dtype, up.indices.dtype]).toEqual([dtype, 'int32']);
      expect(values(up.values)).toEqual(numbers.toSorted((a, b) => Math.sign(a - b) || 0));
      expect(values(sort(x, { descending: true }).values)).toEqual(numbers.toSorted((a, b) => Math.sign(b - a) || 0));
    }
  });

  test('topK gives the largest first, of equals the first ones; NaN first of all', () => {
    const x = tensor([3, 1, 3, 2, 3], { device });
    const top = topK(x, 2);
    expect([values(top.values), values(top.indices)]).toEqual([
      [3, 3],
      [0, 2],
    ]);
    expect(values(topK(x, 3, { largest: false }).indices)).toEqual([1, 3, 0]);
    expect(values(topK(tensor([1, NaN, 2], { device }), 2).values)).toEqual([NaN, 2]);
    expect(topK(x, 0).values.shape).toEqual([0]);
  });

  test('gradients go back to the places, and through them again', () => {
    const weights = tensor([1, 10, 100, 1000], { device });
    const slope = grad((x) => sort(x).values.mul(weights).sum());
    expect(values(slope(tensor([3, 1, 4, 2], { device })))).toEqual([100, 1, 1000, 10]);
    expect(values(grad((x) => topK(x, 2).values.square().sum())(tensor([3, 1, 4, 2], { device })))).toEqual([6, 0, 8, 0]);
    const twice = grad((x) => grad((y) => sort(y).values.pow(3).mul(weights).sum())(x).sum());
    expect(values(twice(tensor([3, 1, 4, 2], { device })))).toEqual([1800, 6, 24000, 120]);
  });

  test('the first extreme, the first NaN', () => {
    const rows = tensor(
      [
        [1, 3, 3],
        [NaN, 5, NaN],
        [-0, 0, -1],
        [-Infinity, -Infinity, -Infinity],
      ],
      { device },
    );
    expect(values(argmax(rows))).toEqual([1, 0, 0, 0]);
    expect(values(argmin(rows))).toEqual([0, 0, 2, 0]);
    expect(argmax(rows, { keepDims: true }).shape).toEqual([4, 1]);
    expect(values(argmax(rows, { axis: 0 }))).toEqual([1, 1, 1]);
    expect(values(argmin(tensor([1, 0, 0], { dtype: 'bool', device })))).toEqual([1]);
    expect(values(argmax(rows.transpose().copy().transpose()))).toEqual([1, 0, 0, 0]);
  });

  test('of nothing and of one', () => {
    expect(sort(zeros([2, 0], { device })).values.shape).toEqual([2, 0]);
    expect(values(sort(tensor([[7]], { device })).indices)).toEqual([0]);
    expect(argmax(zeros([0, 3], { device })).shape).toEqual([0]);
    expect(() => argmax(zeros([2, 0], { device }))).toThrow(ShapeError);
  });
});

test('the network and the kernel agree, in any numbers', { timeout: 30_000 }, () => {
  const some = fc.constantFrom(NaN, -0, 0, 1, -1, Infinity, -Infinity, 0.5);
  const rows = fc.nat({ max: 40 }).chain((size) => fc.array(fc.oneof(some, fc.float()), { minLength: 2 * size, maxLength: 2 * size }));
  fc.assert(
    fc.property(rows, fc.boolean(), (numbers, descending) => {
      const [one, other] = [whole, minimal].map((device) => {
        const x = tensor(Float32Array.from(numbers), { shape: [2, numbers.length / 2], device });
        const sorted = sort(x, { descending });
        return [values(sorted.values), values(sorted.indices), values(argsort(x, { axis: 0, descending }))];
      });
      expect(one).toEqual(other);
    }),
    { numRuns: 40 },
  );
});

describe('how it is computed', () => {
  const numbers = (device: Parameters<typeof explain>[0]): Tensor => {
    const x = tensor(
      Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
      { shape: [4, 16], device: device as typeof whole },
    );
    x.evaluate();
    return x;
  };

  test('one launch where the device has the kernel', () => {
    const x = numbers(whole);
    const { values: sorted } = sort(x);
    sorted.evaluate();
    expect(explain(whole)?.kernels.map((k) => k.kernels)).toEqual([['sort'], ['map']]);
    argmax(x).evaluate();
    expect(explain(whole)?.kernels.map((k) => [k.kernels[0], k.anchor])).toEqual([['argReduce', 'argmax']]);
  });

  test('½ log² n maps of values and places elsewhere', () => {
    const sorted = sort(numbers(minimal)).values;
    sorted.evaluate();
    const kernels = explain(minimal)?.kernels ?? [];
    // Places of one row and of all; nine steps of the network over 16 columns; the tenth, of places only, together with the gathering of values.
    expect(kernels.map((k) => k.outputs.length)).toEqual([1, 1, ...Array.from({ length: 9 }, () => 2), 1]);
  });
});

test('mistakes are named', () => {
  expect(() => sort(zeros([2, 3]), { axis: 2 })).toThrow(AxisError);
  expect(() => sort(zeros([2]), 1 as never)).toThrow(ArgumentError);
  expect(() => topK(zeros([2, 3]), 4)).toThrow('[topK] expected k from 0 to 3, the size of axis 1, got 4');
  expect(() => topK(zeros([2, 3]), -1)).toThrow(ArgumentError);
  expect(() => argsort(tensor(1))).toThrow(AxisError);
});
