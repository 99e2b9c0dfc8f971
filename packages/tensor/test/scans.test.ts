/** Running folds at the edges: ties, NaN, dtypes, and how they are computed where the device has a kernel for them and where not. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { AxisError, ArgumentError, cummax, cummin, cumprod, cumsum, explain, full, grad, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor): number[] => [...t.dataSync()];
const LAST = { axis: -1 } as const;

describe.each([
  ['cpu', cpu()],
  ['required kernels only', withoutFastPaths(cpu())],
] as const)('on %s', (_, device) => {
  test('NaN wins an extreme and stays; of equals the last place counts, as in PyTorch', () => {
    const x = tensor([1, 3, 3, 2, NaN, 5, NaN], { device });
    const top = cummax(x, LAST);
    expect(values(top.values)).toEqual([1, 3, 3, 3, NaN, NaN, NaN]);
    expect(values(top.indices)).toEqual([0, 1, 2, 2, 4, 4, 6]);
    expect(top.indices.dtype).toBe('int32');
    const bottom = cummin(tensor([2, 2, 3, 0, -0, 1], { device }), LAST);
    expect(values(bottom.values)).toEqual([2, 2, 2, 0, -0, -0]);
    expect(values(bottom.indices)).toEqual([0, 1, 1, 3, 4, 4]);
    expect(values(cummax(tensor([-Infinity, -Infinity, 1], { device }), LAST).indices)).toEqual([0, 1, 2]);
  });

  test('the gradient of an extreme goes to its place', () => {
    const slope = grad((x) =>
      cummax(x, LAST)
        .values.mul(tensor([1, 10, 100, 1000], { device }))
        .sum(),
    );
    expect(values(slope(tensor([1, 3, 3, 2], { device })))).toEqual([1, 10, 1100, 0]);
  });

  test('the gradient of a product is right beside one zero and two', () => {
    const slope = grad((x) => cumprod(x, LAST).sum());
    expect(values(slope(tensor([2, 0, 3], { device })))).toEqual([1, 8, 0]);
    expect(values(slope(tensor([2, 0, 3, 0, 5], { device })))).toEqual([1, 8, 0, 0, 0]);
  });

  test('small integers and bool add up as int32, which wraps', () => {
    const bytes = cumsum(tensor(new Uint8Array([200, 200, 200]), { dtype: 'uint8', device }), LAST);
    expect([bytes.dtype, ...values(bytes)]).toEqual(['int32', 200, 400, 600]);
    const truths = cumsum(tensor([1, 0, 1], { dtype: 'bool', device }), { axis: 0, reverse: true });
    expect([truths.dtype, ...values(truths)]).toEqual(['int32', 2, 1, 1]);
    expect(values(cumsum(tensor([2 ** 31 - 1, 1], { dtype: 'int32', device }), LAST))).toEqual([2 ** 31 - 1, -(2 ** 31)]);
    expect(values(cumsum(tensor([2 ** 32 - 1, 2], { dtype: 'uint32', device }), LAST))).toEqual([2 ** 32 - 1, 1]);
    const most = cummax(tensor([0, 1, 0], { dtype: 'bool', device }), LAST);
    expect([most.values.dtype, ...values(most.values), ...values(most.indices)]).toEqual(['bool', 0, 1, 1, 0, 1, 1]);
  });

  test('16-bit floats are rounded at the end only', () => {
    const total = cumsum(full([4096], 1, { dtype: 'float16', device }), LAST);
    expect([total.dtype, total.slice([-1]).itemSync()]).toEqual(['float16', 4096]);
  });

  test('so are the gradients of their products', () => {
    const x = tensor(
      Float32Array.from({ length: 40 }, (__, i) => 1 + Math.round(8 * Math.sin(i)) / 64),
      { device },
    );
    const slope = grad((y) => cumprod(y, LAST).sum());
    const wanted = slope(x).toDType('float16');
    expect(values(slope(x.toDType('float16')).sub(wanted).abs().div(wanted)).every((error) => error <= 2 ** -10)).toBe(true);
  });

  test('of nothing and of one', () => {
    expect(cumsum(zeros([2, 0], { device }), LAST).shape).toEqual([2, 0]);
    expect(cummax(zeros([2, 0], { device }), LAST).indices.shape).toEqual([2, 0]);
    expect(values(cumprod(tensor([3], { device }), { axis: 0, exclusive: true }))).toEqual([1]);
    expect(cumsum(zeros([0, 3], { device }), { axis: 1 }).shape).toEqual([0, 3]);
  });

  test('a sum of a thousand is as accurate as a pairwise one', () => {
    const x = Float32Array.from({ length: 1000 }, (__, i) => Math.sin(i) + 1);
    const sums = cumsum(tensor(x, { device }), LAST).dataSync();
    let exact = 0;
    x.forEach((v, i) => {
      exact += v;
      expect(Math.abs((sums[i] ?? NaN) - exact)).toBeLessThanOrEqual(12 * 2 ** -24 * exact);
    });
  });
});

describe('how it is computed', () => {
  test('one launch where the device has the kernel, and one for the gradient', () => {
    const device = cpu();
    const x = full([4, 64], 1, { device }).copy();
    x.evaluate();
    cumsum(x, { axis: 1, reverse: true }).evaluate();
    expect(explain(device)?.kernels.map((k) => [k.kernels[0], k.anchor])).toEqual([['scan', 'cumsum']]);
    grad((y) => cumsum(y, { axis: 1 }).sum())(x).evaluate();
    expect(
      explain(device)
        ?.kernels.flatMap((k) => k.kernels)
        .filter((kind) => kind === 'scan'),
    ).toHaveLength(1);
  });

  test('a map for each doubling elsewhere, none of which is computed twice', () => {
    const device = withoutFastPaths(cpu());
    const x = full([4, 64], 1, { device }).copy();
    x.evaluate();
    cumsum(x, { axis: 1 }).evaluate();
    expect(explain(device)?.kernels.map((k) => k.fused)).toEqual(Array.from({ length: 6 }, () => ['add', 'unslice']));
  });
});

test('mistakes are named', () => {
  expect(() => cumsum(zeros([2, 3]), { axis: 2 })).toThrow(AxisError);
  expect(() => cummax(tensor(1), { axis: 0 })).toThrow('[cummax] expected no axis for a tensor of rank 0, got 0');
  expect(() => cumprod(zeros([2]), 0 as never)).toThrow(ArgumentError);
  expect(() => cumsum(zeros([2]), {} as never)).toThrow(AxisError);
});
