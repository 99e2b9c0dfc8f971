/** Image ops, pools and convolutions: PyTorch's numbers, and refusals. */

import * as g from '@gradus/tensor';
import { ArgumentError, DTypeError, IndexError, ShapeError, compile, scope, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { goldenTests, one, two } from './golden.ts';

describe('golden values', () => {
  goldenTests(
    'images',
    {
      interpolate: one(g.interpolate),
      gridSample: two(g.gridSample),
      affineGrid: ([theta], { size, ...options }) => g.affineGrid(theta as Tensor, size as number[], options),
      pixelShuffle: ([x], { factor }) => g.pixelShuffle(x as Tensor, factor as number),
      pixelUnshuffle: ([x], { factor }) => g.pixelUnshuffle(x as Tensor, factor as number),
      channelShuffle: ([x], { groups }) => g.channelShuffle(x as Tensor, groups as number),
    },
    { float64: 1e-12, float32: 4e-6 },
  );
  goldenTests(
    'windows',
    {
      avgPool1d: one(g.avgPool1d),
      avgPool2d: one(g.avgPool2d),
      avgPool3d: one(g.avgPool3d),
      maxPool1d: one(g.maxPool1d),
      maxPool2d: one(g.maxPool2d),
      maxPool3d: one(g.maxPool3d),
      maxPoolIndices: one(g.maxPoolIndices),
      maxUnpool: ([x], options) => {
        const { size } = options as unknown as g.MaxUnpoolOptions;
        const pool = [g.maxPool1d, g.maxPool2d, g.maxPool3d][(x as Tensor).rank - 3] ?? g.maxPool1d;
        return g.maxUnpool(pool(x as Tensor, { size }), g.maxPoolIndices(x as Tensor, { size }), options as unknown as g.MaxUnpoolOptions);
      },
      lpPool1d: one(g.lpPool1d),
      lpPool2d: one(g.lpPool2d),
      conv2d: two(g.conv2d),
      convTranspose2d: two(g.convTranspose2d),
    },
    { float64: 1e-12, float32: 4e-6 },
  );
});

test('a compiled function gives the same', () => {
  scope(() => {
    const x = tensor(
      Float64Array.from({ length: 60 }, (_, i) => Math.sin(i * i)),
      { shape: [1, 3, 4, 5] },
    );
    const small = (t: Tensor): Tensor =>
      g
        .interpolate(t, { size: [7, 3], mode: 'bicubic' })
        .square()
        .sum();
    const compiled = compile(small);
    expect(compiled(x).itemSync()).toBe(small(x).itemSync());
    expect(compiled(x.mul(2)).itemSync()).toBe(small(x.mul(2)).itemSync());
  });
});

test('float16 is calculated in float32 and rounded once', () => {
  const x = tensor([1000, 1001, 1003, 60000], { shape: [1, 1, 4], dtype: 'float16' });
  const found = g.interpolate(x, { size: 2, mode: 'area' });
  expect([found.dtype, ...found.dataSync()]).toEqual(['float16', 1000.5, 30496]);
});

test('what changes nothing has a handle of its own', () => {
  for (const act of [
    (t: Tensor) => g.interpolate(t, { size: 2, mode: 'bilinear' }),
    (t: Tensor) => g.pixelShuffle(t, 1),
    (t: Tensor) => g.channelShuffle(t, 1),
  ]) {
    const x = zeros([1, 1, 2, 2]);
    act(x).dispose();
    expect([...x.dataSync()]).toEqual([0, 0, 0, 0]);
  }
});

describe('refusals', () => {
  const image = zeros([1, 4, 4, 4]);
  const grid = zeros([1, 2, 2, 2]);
  const cases: readonly [string, () => unknown, new (...args: never[]) => Error, string][] = [
    [
      'a mode for other axes',
      () => g.interpolate(image, { size: 2, mode: 'linear' }),
      ShapeError,
      "[interpolate] expected x of rank 3 [N, C, …] with mode 'linear', got [1, 4, 4, 4].",
    ],
    [
      'another mode',
      () => g.interpolate(image, { size: 2, mode: 'lanczos' as never }),
      ArgumentError,
      "[interpolate] expected a mode of 'nearest', ",
    ],
    ['no size', () => g.interpolate(image, {}), ArgumentError, '[interpolate] expected one of size and scaleFactor, got none.'],
    ['two sizes', () => g.interpolate(image, { size: 2, scaleFactor: 2 }), ArgumentError, 'got both.'],
    ['size 0', () => g.interpolate(image, { size: 0 }), ArgumentError, '[interpolate] expected size: a whole number of at least 1'],
    [
      'a factor that leaves nothing',
      () => g.interpolate(image, { scaleFactor: 0.1 }),
      ArgumentError,
      '[interpolate] expected a result with at least one place along each axis',
    ],
    ['a negative factor', () => g.interpolate(image, { scaleFactor: -1 }), ArgumentError, '[interpolate] expected scaleFactor: a number above 0'],
    ['an empty image', () => g.interpolate(zeros([1, 1, 0, 2]), { size: 2 }), ShapeError, '[interpolate] expected at least one cell'],
    [
      'corners of nearest cells',
      () => g.interpolate(image, { size: 2, alignCorners: true }),
      ArgumentError,
      '[interpolate] expected alignCorners with linear',
    ],
    ['antialias of nearest cells', () => g.interpolate(image, { size: 2, antialias: true }), ArgumentError, '[interpolate] expected antialias with'],
    [
      'integers',
      () => g.interpolate(zeros([1, 1, 2], { dtype: 'int32' }), { size: 2 }),
      DTypeError,
      '[interpolate] expected a floating-point tensor',
    ],
    ['a number for options', () => g.interpolate(image, 2 as never), ArgumentError, '[interpolate] expected options, got 2.'],
    ['a grid of another batch', () => g.gridSample(image, zeros([2, 2, 2, 2])), ShapeError, '[gridSample] expected x [N, C, H, W] and grid'],
    ['a grid of triples', () => g.gridSample(image, zeros([1, 2, 2, 3])), ShapeError, '[gridSample] expected x [N, C, H, W] and grid'],
    ['another padding', () => g.gridSample(image, grid, { padding: 'wrap' as never }), ArgumentError, "[gridSample] expected padding: 'zeros'"],
    ['another way to sample', () => g.gridSample(image, grid, { mode: 'area' as never }), ArgumentError, "[gridSample] expected mode: 'bilinear'"],
    [
      'cubes',
      () => g.gridSample(zeros([1, 1, 2, 2, 2]), zeros([1, 2, 2, 2, 3]), { mode: 'bicubic' }),
      ShapeError,
      '[gridSample] expected two spatial axes',
    ],
    [
      'an integer grid',
      () => g.gridSample(image, zeros([1, 2, 2, 2], { dtype: 'int32' })),
      DTypeError,
      '[gridSample] expected a floating-point tensor',
    ],
    ['a map of other axes', () => g.affineGrid(zeros([1, 2, 3]), [1, 1, 2, 2, 2]), ShapeError, '[affineGrid] expected theta [N, 2, 3]'],
    ['no places', () => g.affineGrid(zeros([1, 2, 3]), [1, 1, 0, 2]), ArgumentError, '[affineGrid] expected at least one place'],
    ['channels that do not divide', () => g.pixelShuffle(image, 3), ShapeError, '[pixelShuffle] expected channels that 3² divides, got 4 channels.'],
    ['half a factor', () => g.pixelShuffle(image, 0.5), ArgumentError, '[pixelShuffle] expected factor: a whole number'],
    [
      'pixels that do not divide',
      () => g.pixelUnshuffle(image, 3),
      ShapeError,
      '[pixelUnshuffle] expected height and width that 3 divides, got 4 × 4.',
    ],
    ['groups that do not divide', () => g.channelShuffle(image, 3), ShapeError, '[channelShuffle] expected x [N, C, …] of rank 3 at least'],
    [
      'indices of another shape',
      () => g.maxUnpool(image, zeros([1, 4, 2, 2], { dtype: 'int32' }), { size: 2 }),
      ShapeError,
      '[maxUnpool] expected indices [1, 4, 4, 4]',
    ],
    ['fractions as indices', () => g.maxUnpool(image, image, { size: 2 }), DTypeError, '[maxUnpool] expected integer indices'],
    [
      'an index outside',
      () => g.maxUnpool(zeros([1, 1, 1]), tensor([[[2]]], { dtype: 'int32' }), { size: 2 }),
      IndexError,
      '[maxUnpool] expected indices from 0 to 1, got 2.',
    ],
    [
      'a size far away',
      () => g.maxUnpool(image, zeros([1, 4, 4, 4], { dtype: 'int32' }), { size: 2, outputSize: [8, 10] }),
      ArgumentError,
      '[maxUnpool] expected outputSize less than a stride from [8, 8]',
    ],
    ['order 0', () => g.lpPool2d(image, { size: 2, order: 0 }), ArgumentError, '[lpPool2d] expected order: a number other than 0, got 0.'],
    [
      'divisor 0',
      () => g.avgPool2d(image, { size: 2, divisorOverride: 0 }),
      ArgumentError,
      '[avgPool2d] expected divisorOverride: a number other than 0',
    ],
  ];

  test.each(cases)('%s', (_, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  test('empty batches have a result', () => {
    expect(g.interpolate(zeros([0, 3, 4]), { size: 2, mode: 'linear' }).shape).toEqual([0, 3, 2]);
    expect(g.gridSample(zeros([0, 3, 4, 4]), zeros([0, 2, 2, 2])).shape).toEqual([0, 3, 2, 2]);
    expect(g.pixelShuffle(zeros([0, 4, 2, 2]), 2).shape).toEqual([0, 1, 4, 4]);
  });
});
