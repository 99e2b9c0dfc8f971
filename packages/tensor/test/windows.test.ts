/** Transposed convolutions and pools at the edges: numbers derived by hand, ties, NaN, 16-bit floats, and how they are computed. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import {
  ArgumentError,
  DTypeError,
  ShapeError,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool2d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  explain,
  full,
  grad,
  maxPool2d,
  maxPoolIndices,
  ones,
  randn,
  takeAlongAxis,
  tensor,
  zeros,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor): number[] => [...t.dataSync()];

describe.each([
  ['cpu', cpu()],
  ['required kernels only', withoutFastPaths(cpu())],
] as const)('on %s', (_, device) => {
  const line = (numbers: number[]): Tensor => tensor([[numbers]], { device });

  test('a transposed convolution spreads each cell, cuts the padding and adds cells at the end', () => {
    // Cells 1, 2, 3 two apart, times 1, 10, 100: 1 10 102 20 203 30 300; one cell cut at the front, none at the end.
    const spread = convTranspose1d(line([1, 2, 3]), line([1, 10, 100]), { stride: 2, padding: 1, outputPadding: 1 });
    expect(values(spread)).toEqual([10, 102, 20, 203, 30, 300]);
    expect(values(convTranspose1d(line([1, 2, 3]), line([1, 10, 100]), { stride: 2 }))).toEqual([1, 10, 102, 20, 203, 30, 300]);
    expect(values(convTranspose1d(line([1, 2]), line([1, 10]), { dilation: 2, outputPadding: 1 }))).toEqual([1, 2, 10, 20, 0]);
  });

  test('it is the gradient of the convolution', () => {
    const weight = randn([4, 3, 3, 3], { seed: 1, device });
    const x = randn([2, 3, 5, 5], { seed: 2, device });
    const g = randn([2, 4, 3, 3], { seed: 3, device });
    const back = grad((y) => conv2d(y, weight, { stride: 2, padding: 1 }).mul(g).sum())(x);
    expect(values(convTranspose2d(g, weight, { stride: 2, padding: 1 }))).toEqual(values(back));
  });

  test('16-bit floats are added up in float32', () => {
    // 1024 times 2.5; beyond 2048, float16 counts in steps of 2.
    const y = convTranspose2d(full([1, 1024, 1, 1], 10, { dtype: 'float16', device }), full([1024, 1, 1, 1], 0.25, { dtype: 'float16', device }));
    expect([y.dtype, y.itemSync()]).toEqual(['float16', 2560]);
    const means = adaptiveAvgPool1d(full([1, 1, 4095], 40, { dtype: 'float16', device }), { size: 2 });
    expect([means.dtype, ...values(means)]).toEqual(['float16', 40, 40]);
  });

  test('adaptive windows begin at floor(i·n/o) and end at ceil((i + 1)·n/o)', () => {
    // Seven cells, three places: [0, 3), [2, 5), [4, 7).
    expect(values(adaptiveAvgPool1d(line([0, 1, 2, 3, 4, 5, 6]), { size: 3 }))).toEqual([1, 3, 5]);
    expect(values(adaptiveMaxPool1d(line([6, 1, 2, 3, 2, 1, 0]), { size: 3 }))).toEqual([6, 3, 2]);
    expect(values(adaptiveAvgPool1d(line([1, 2]), { size: 5 }))).toEqual([1, 1, 1.5, 2, 2]);
  });

  test('NaN and Infinity stay in their windows', () => {
    expect(values(adaptiveAvgPool1d(line([NaN, 1, 2, 3, Infinity]), { size: 3 }))).toEqual([NaN, 2, Infinity]);
    expect(values(adaptiveMaxPool1d(line([NaN, 1, -Infinity, 3, 3]), { size: 3 }))).toEqual([NaN, 3, 3]);
  });

  test('the first of equal maxima in row-major order takes the gradient', () => {
    const x = tensor([0, 0, 5, 5, 0, 0, 0, 0, 0], { shape: [1, 1, 3, 3], device });
    expect(values(grad((y) => adaptiveMaxPool2d(y, { size: 1 }).sum())(x))).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0]);
    // Four windows of two cells each way share the one in the middle.
    const uneven = tensor([0, 0, 5, 5, 7, 0, 0, 0, 0], { shape: [1, 1, 3, 3], device });
    expect(values(adaptiveMaxPool2d(uneven, { size: 2 }))).toEqual([7, 7, 7, 7]);
    expect(values(grad((y) => adaptiveMaxPool2d(y, { size: 2 }).sum())(uneven))).toEqual([0, 0, 0, 0, 4, 0, 0, 0, 0]);
  });

  test('places of maxima are those that the values come from', () => {
    const x = randn([2, 3, 6, 5], { seed: 4, device });
    const window = { size: 3, stride: 2, padding: 1 };
    const indices = maxPoolIndices(x, window);
    const y = maxPool2d(x, window);
    expect([indices.dtype, indices.shape]).toEqual(['int32', y.shape]);
    expect(values(takeAlongAxis(x.flatten({ start: 2 }), indices.flatten({ start: 2 }), { axis: 2 }))).toEqual(values(y));
    expect(values(maxPoolIndices(tensor([[[1, 1, NaN, 2, 2, 2]]], { device }), { size: 3 }))).toEqual([2, 3]);
    expect(maxPoolIndices(zeros([1, 1, 4], { dtype: 'float16', device }), { size: 2 }).dtype).toBe('int32');
  });

  test('of no images', () => {
    expect(adaptiveAvgPool2d(zeros([0, 2, 4, 3], { device }), { size: 2 }).shape).toEqual([0, 2, 2, 2]);
    expect(convTranspose1d(zeros([0, 1, 3], { device }), ones([1, 2, 2], { device })).shape).toEqual([0, 2, 4]);
  });
});

describe('how it is computed', () => {
  const device = cpu();

  test('a transposed convolution with bias and activation is one kernel', () => {
    const [x, weight, bias] = [randn([1, 2, 4, 4], { seed: 1, device }), randn([2, 3, 2, 2], { seed: 2, device }), randn([3], { seed: 3, device })];
    for (const t of [x, weight, bias]) t.evaluate();
    convTranspose2d(x, weight, { bias, stride: 2 }).relu().evaluate();
    expect(explain(device)?.kernels.map((k) => [...k.kernels, k.anchor])).toEqual([['convolution', 'convolution inputGradient']]);
  });

  test('an adaptive pool whose places divide the cells is a plain one', () => {
    const x = randn([1, 2, 4, 6], { seed: 1, device });
    x.evaluate();
    adaptiveAvgPool2d(x, { size: [2, 3] }).evaluate();
    expect(explain(device)?.kernels.map((k) => k.kernels)).toEqual([['pool']]);
    expect(values(adaptiveAvgPool2d(x, { size: [2, 3] }))).toEqual(values(avgPool2d(x, { size: 2 })));
  });

  test('global pooling is one reduce', () => {
    const x = randn([2, 3, 4, 5], { seed: 1, device });
    x.evaluate();
    adaptiveAvgPool2d(x, { size: 1 }).evaluate();
    expect(explain(device)?.kernels.map((k) => k.kernels)).toEqual([['reduce']]);
  });
});

test('mistakes are named', () => {
  const x = zeros([1, 2, 4]);
  const weight = zeros([2, 3, 3]);
  expect(() => convTranspose1d(x, zeros([3, 2, 3]))).toThrow('weight.transpose(0, 1)');
  expect(() => convTranspose1d(x, weight, { groups: 3 })).toThrow(ShapeError);
  expect(() => convTranspose2d(x, weight)).toThrow('[convTranspose2d] expected x of rank 4 [N, C, …]');
  expect(() => convTranspose1d(x, weight, { outputPadding: 1 })).toThrow('[convTranspose1d] expected outputPadding below stride or dilation');
  expect(() => convTranspose1d(x, weight, { padding: 4 })).toThrow('at least one cell along each axis, got [-2]');
  expect(() => convTranspose1d(x, weight, { bias: zeros([2]) })).toThrow('[convTranspose1d] expected bias [3], got [2]');
  expect(() => adaptiveAvgPool1d(x, { size: 0 })).toThrow(ArgumentError);
  expect(() => adaptiveAvgPool2d(x, { size: 1 })).toThrow(ShapeError);
  expect(() => adaptiveMaxPool1d(x.toDType('int32'), { size: 1 })).toThrow(DTypeError);
  expect(() => adaptiveMaxPool1d(x, 1 as never)).toThrow('[adaptiveMaxPool1d] expected options, got 1');
  expect(() => adaptiveAvgPool1d(zeros([1, 2, 0]), { size: 1 })).toThrow(ShapeError);
  expect(() => maxPoolIndices(zeros([2, 2]), { size: 1 })).toThrow(ShapeError);
});
