/** Reductions at the edges: 16-bit floats, norms of nothing but zeros, and axes without elements. */

import { grad, full, logSoftmax, logSumExp, norm, softmax, std, sum, tensor, variance, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor): number[] => [...t.dataSync()];

describe.each(['float16', 'bfloat16'] as const)('%s is summed in float32', (dtype) => {
  /** Ones that add up to more than float16 holds, and more than bfloat16 counts. */
  const COUNT = 100_000;

  test('softmax and its logarithm', () => {
    const x = zeros([COUNT], { dtype });
    const wanted = tensor([1 / COUNT, -Math.log(COUNT), Math.log(COUNT)], { dtype }).dataSync();
    expect(softmax(x).dtype).toBe(dtype);
    expect(softmax(x).dataSync()[0]).toBe(wanted[0]);
    expect(logSoftmax(x).dataSync()[0]).toBe(wanted[1]);
    expect(logSumExp(x).itemSync()).toBe(wanted[2]);
  });

  test('norm, variance and standard deviation', () => {
    // Squares are 1e6, beyond float16.
    expect(norm(full([16], 1000, { dtype })).itemSync()).toBe(4000);
    const spread = tensor([1000, -1000, 1000, -1000], { dtype });
    expect(std(spread, { correction: 0 }).itemSync()).toBe(1000);
    const small = tensor(
      Array.from({ length: 4096 }, (_, i) => (i % 2 === 0 ? 5 : -5)),
      { dtype },
    );
    expect(variance(small, { correction: 0 }).itemSync()).toBe(25);
    expect(variance(small).dtype).toBe(dtype);
  });

  test('a sum itself is of its dtype, rounded once', () => {
    const total = sum(full([2048], 3, { dtype }));
    expect([total.dtype, total.itemSync()]).toEqual([dtype, 6144]);
    expect(sum(full([100], 1000, { dtype: 'float16' })).itemSync()).toBe(Infinity);
  });
});

test('the norm of integers does not wrap', () => {
  expect(norm(tensor([300_000, 400_000], { dtype: 'int32' })).itemSync()).toBe(500_000);
});

describe('the gradient at 0', () => {
  const cases: readonly [string, (x: Tensor) => Tensor][] = [
    ['norm', (x) => norm(x)],
    ['norm along an axis', (x) => norm(x.reshape([1, 3]), { axis: 1 }).sum()],
    ['std', (x) => std(x)],
  ];
  test.each(cases)('of %s is 0, and so is that of the gradient', (_, f) => {
    expect(values(grad(f)(zeros([3])))).toEqual([0, 0, 0]);
    expect(
      values(
        grad((x) =>
          grad(f)(x)
            .mul(tensor([1, 2, 3]))
            .sum(),
        )(zeros([3])),
      ),
    ).toEqual([0, 0, 0]);
  });

  test('a row of zeros leaves the others their gradients', () => {
    const rows = tensor([
      [0, 0],
      [3, 4],
    ]);
    const slopes = values(grad((x) => norm(x, { axis: 1 }).sum())(rows));
    [0, 0, 0.6, 0.8].forEach((v, i) => expect(slopes[i]).toBeCloseTo(v, 6));
  });
});

describe('an axis without elements', () => {
  test('has logSumExp -Infinity', () => {
    expect(values(logSumExp(zeros([2, 0]), { axis: 1 }))).toEqual([-Infinity, -Infinity]);
    expect(logSumExp(zeros([2, 0]), { axis: 1, keepDims: true }).shape).toEqual([2, 1]);
    expect(logSumExp(zeros([0])).itemSync()).toBe(-Infinity);
    expect(grad((x) => logSumExp(x))(zeros([0])).shape).toEqual([0]);
  });

  test('has an empty softmax', () => {
    for (const f of [softmax, logSoftmax]) {
      expect(values(f(zeros([2, 0])))).toEqual([]);
      expect(f(zeros([2, 0])).shape).toEqual([2, 0]);
      expect(grad((x) => f(x).sum())(zeros([2, 0])).shape).toEqual([2, 0]);
    }
  });
});
