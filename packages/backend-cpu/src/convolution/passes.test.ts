/** Convolutions against seven plain loops over float64, for random geometry, in the documented order of addition: equal to the bit. */

import { accumulator, apply, axisIndex, cast, load, verifyKernel, verifyRun } from '@gradus/backend';
import type { ConvolutionKernel, DType } from '@gradus/backend';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { PATIENCE, deviceOf, get, operand, put, run } from '../../test/support.ts';
import type { Way } from '../../test/support.ts';

interface Geometry {
  readonly images: number;
  readonly groups: number;
  readonly channels: number;
  readonly filters: number;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
}

/** Along one axis: an output as long as the windows that fit, or shorter, or one longer. */
const axis = fc
  .record({
    input: fc.integer({ min: 1, max: 9 }),
    size: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    padding: fc.nat({ max: 3 }),
    more: fc.integer({ min: -1, max: 1 }),
  })
  .map((a) => ({ ...a, output: Math.max(1, Math.floor((a.input + 2 * a.padding - a.dilation * (a.size - 1) - 1) / a.stride) + 1 + a.more) }));

function geometries(most: number): fc.Arbitrary<Geometry> {
  return fc
    .record({
      images: fc.integer({ min: 1, max: 3 }),
      groups: fc.integer({ min: 1, max: 2 }),
      channels: fc.integer({ min: 1, max: 3 }),
      filters: fc.integer({ min: 1, max: 5 }),
      axes: fc.array(axis, { minLength: 1, maxLength: most }),
    })
    .map(({ axes, ...rest }) => ({
      ...rest,
      input: axes.map((a) => a.input),
      output: axes.map((a) => a.output),
      size: axes.map((a) => a.size),
      stride: axes.map((a) => a.stride),
      dilation: axes.map((a) => a.dilation),
      padding: axes.map((a) => a.padding),
    }));
}

/** Calls `visit` with every point of a grid, row-major. */
function each(sizes: readonly number[], visit: (point: readonly number[]) => void, point: readonly number[] = []): void {
  const size = sizes[point.length];
  if (size === undefined) visit(point);
  else for (let i = 0; i < size; i++) each(sizes, visit, [...point, i]);
}

function index(sizes: readonly number[], point: readonly number[]): number {
  return point.reduce((at, coordinate, d) => at * (sizes[d] ?? 1) + coordinate, 0);
}

const product = (sizes: readonly number[]): number => sizes.reduce((p, s) => p * s, 1);

/** Every multiplication of a convolution: image, group, filter, channel, output position, tap, input position. */
type Term = (n: number, g: number, o: number, c: number, out: readonly number[], tap: readonly number[], cell: readonly number[]) => void;

function terms({ images, groups, channels, filters, input, output, size, stride, dilation, padding }: Geometry, visit: Term): void {
  for (let n = 0; n < images; n++)
    for (let g = 0; g < groups; g++)
      for (let o = 0; o < filters; o++)
        for (let c = 0; c < channels; c++)
          each(output, (out) =>
            each(size, (tap) => {
              const cell = out.map((p, d) => p * (stride[d] ?? 1) - (padding[d] ?? 0) + (tap[d] ?? 0) * (dilation[d] ?? 1));
              if (cell.every((p, d) => p >= 0 && p < (input[d] ?? 0))) visit(n, g, o, c, out, tap, cell);
            }),
          );
}

/** The result of each pass. The order in which the terms of one result come is: forward (c, tap), input (o, then taps), filter (n, out). */
function plain(pass: ConvolutionKernel['pass'], geometry: Geometry, first: readonly number[], second: readonly number[]): number[] {
  const { images, groups, channels, filters, input, output, size } = geometry;
  const x = [images, groups, channels, ...input];
  const y = [images, groups, filters, ...output];
  const w = [groups, filters, channels, ...size];
  const sizes = pass === 'forward' ? y : pass === 'inputGradient' ? x : w;
  /** For each result its terms: a key that orders them, and the product. */
  const found = Array.from({ length: product(sizes) }, (): [number, number][] => []);
  terms(geometry, (n, g, o, c, out, tap, cell) => {
    const inX = index(x, [n, g, c, ...cell]);
    const inY = index(y, [n, g, o, ...out]);
    const inW = index(w, [g, o, c, ...tap]);
    const [target, key, a, b] = pass === 'forward' ? [inY, inW, inX, inW] : pass === 'inputGradient' ? [inX, inW, inY, inW] : [inW, inY, inX, inY];
    found[target]?.push([key, (first[a] ?? NaN) * (second[b] ?? NaN)]);
  });
  return found.map((list) => list.sort(([a], [b]) => a - b).reduce((sum, [, value]) => sum + value, 0));
}

function kernelOf(
  pass: ConvolutionKernel['pass'],
  { groups, size, stride, dilation, padding }: Geometry,
  dtypes: readonly [DType, DType],
  accumulate: DType,
): ConvolutionKernel {
  return {
    kind: 'convolution',
    pass,
    groups,
    window: { size, stride, dilation, padding },
    accumulate,
    operands: [operand(dtypes[0], 'read', 'indexed'), operand(dtypes[1], 'read', 'indexed'), operand(accumulate, 'write', 'contiguous', 'kept')],
    scalars: [],
    outputs: [{ operand: 2, value: accumulator(accumulate) }],
  };
}

const PASSES = ['forward', 'inputGradient', 'filterGradient'] as const;

/** Sizes of x, y and the filter, and which of them are the operands and the result. */
function roles(pass: ConvolutionKernel['pass'], g: Geometry): (readonly number[])[] {
  const x = [g.images, g.groups * g.channels, ...g.input];
  const y = [g.images, g.groups * g.filters, ...g.output];
  const w = [g.groups * g.filters, g.channels, ...g.size];
  return pass === 'forward' ? [x, w, y] : pass === 'inputGradient' ? [y, w, x] : [x, y, w];
}

function numbersFor(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * 12.9898 + seed) * 4));
}

function strides(sizes: readonly number[]): number[] {
  return sizes.map((_, d) => product(sizes.slice(d + 1)));
}

function sizesOf(g: Geometry): number[] {
  return [g.images, g.groups * g.channels, g.groups * g.filters, ...g.input, ...g.output];
}

function convolve(
  kernel: ConvolutionKernel,
  geometry: Geometry,
  first: readonly number[],
  second: readonly number[],
  way: Way = 'generated',
): number[] {
  const device = deviceOf(way);
  const result = roles(kernel.pass, geometry)[2] ?? [];
  const [a = 'float32', b = 'float32', c = 'float32'] = kernel.operands.map((o) => o.dtype);
  // One element in front of each operand: offsets count.
  const blocks = [
    put(device, a, [99, ...first]),
    put(device, b, [99, ...second]),
    put(
      device,
      c,
      Array.from({ length: product(result) }, () => 99),
    ),
  ];
  const dims = [...sizesOf(geometry), 1, first.length, 1, second.length, 0, ...strides(result)];
  verifyKernel(kernel);
  verifyRun(kernel, blocks, Int32Array.from(dims));
  run(device, kernel, blocks, dims);
  return get(device, blocks[2] ?? device.allocate(0), c);
}

describe.each(PASSES)('convolution, %s', (pass) => {
  test(
    'equals the plain loops in float64',
    () => {
      fc.assert(
        fc.property(geometries(2), fc.nat({ max: 99 }), (geometry, seed) => {
          const [a = [], b = []] = roles(pass, geometry);
          const [first, second] = [numbersFor(product(a), seed), numbersFor(product(b), seed + 0.5)];
          expect(convolve(kernelOf(pass, geometry, ['float64', 'float64'], 'float64'), geometry, first, second)).toEqual(
            plain(pass, geometry, first, second),
          );
        }),
        { numRuns: 200 },
      );
    },
    PATIENCE,
  );

  test(
    'rounds once in float32, over 3 spatial axes',
    () => {
      fc.assert(
        fc.property(geometries(3), fc.nat({ max: 99 }), (geometry, seed) => {
          const [a = [], b = []] = roles(pass, geometry);
          const [first, second] = [numbersFor(product(a), seed), numbersFor(product(b), seed + 0.5)];
          expect(convolve(kernelOf(pass, geometry, ['float32', 'float32'], 'float32'), geometry, first, second)).toEqual(
            plain(pass, geometry, first, second).map(Math.fround),
          );
        }),
        { numRuns: 50 },
      );
    },
    PATIENCE,
  );

  test('16-bit floats', () => {
    const geometry: Geometry = {
      images: 1,
      groups: 1,
      channels: 2,
      filters: 2,
      input: [4, 4],
      output: [4, 4],
      size: [3, 3],
      stride: [1, 1],
      dilation: [1, 1],
      padding: [1, 1],
    };
    const [a = [], b = []] = roles(pass, geometry);
    const eighths = (count: number): number[] => Array.from({ length: count }, (_, i) => ((i * 5) % 17) / 8 - 1);
    const [first, second] = [eighths(product(a)), eighths(product(b))];
    expect(convolve(kernelOf(pass, geometry, ['float16', 'bfloat16'], 'float32'), geometry, first, second)).toEqual(
      plain(pass, geometry, first, second).map(Math.fround),
    );
  });

  test(
    'epilogues see coordinates of the whole result, the same interpreted',
    () => {
      fc.assert(
        fc.property(geometries(2), (geometry) => {
          const [a = [], b = [], result = []] = roles(pass, geometry);
          const [first, second] = [numbersFor(product(a), 1), numbersFor(product(b), 2)];
          const plainKernel = kernelOf(pass, geometry, ['float32', 'float32'], 'float32');
          const coordinates = result
            .map((_, d) => axisIndex(d))
            .reduce((sum, e, d) => apply('add', apply('multiply', sum, { op: 'constant', dtype: 'int32', value: result[d] ?? 1 }), e) as never);
          const kernel: ConvolutionKernel = {
            ...plainKernel,
            outputs: [{ operand: 2, value: apply('add', accumulator('float32'), cast(coordinates, 'float32')) }],
          };
          const expected = plain(pass, geometry, first, second).map((sum, i) => Math.fround(Math.fround(sum) + i));
          expect(convolve(kernel, geometry, first, second)).toEqual(expected);
          expect(convolve(kernel, geometry, first, second, 'interpreted')).toEqual(expected);
        }),
        { numRuns: 40 },
      );
    },
    PATIENCE,
  );
});

test('a bias in the epilogue goes by channel, and sizes may change from run to run', () => {
  const device = deviceOf('generated');
  const window = { size: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [1, 1] };
  const kernel: ConvolutionKernel = {
    kind: 'convolution',
    pass: 'forward',
    groups: 1,
    window,
    accumulate: 'float32',
    operands: [
      operand('float32', 'read', 'indexed'),
      operand('float32', 'read', 'indexed'),
      operand('float32', 'read', { broadcast: [true, false, true, true] }, 'kept'),
      operand('float32', 'write', 'contiguous', 'kept'),
    ],
    scalars: [],
    outputs: [{ operand: 3, value: apply('add', accumulator('float32'), load('float32', 2)) }],
  };
  const bias = [10, 20];
  for (const side of [5, 2, 7]) {
    const geometry: Geometry = { images: 2, groups: 1, channels: 1, filters: 2, input: [side, side], output: [side, side], ...window };
    const [x = [], w = [], y = []] = roles('forward', geometry);
    const [first, second] = [numbersFor(product(x), side), numbersFor(product(w), side + 1)];
    const result = device.allocate(product(y) * 4);
    const dims = [...sizesOf(geometry), 0, first.length, 0, second.length, 0, 0, 1, 0, 0, 0, ...strides(y)];
    run(device, kernel, [put(device, 'float32', first), put(device, 'float32', second), put(device, 'float32', bias), result], dims);
    const expected = plain('forward', geometry, first, second).map((sum, i) =>
      Math.fround(Math.fround(sum) + (bias[Math.floor(i / (side * side)) % 2] ?? 0)),
    );
    expect(get(device, result, 'float32')).toEqual(expected);
  }
});
