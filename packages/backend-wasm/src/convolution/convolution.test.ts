/** Convolutions of random geometry, in all three passes, against plain loops: on small whole numbers, so equal to the bit. */

import { accumulator, apply, axisIndex, cast, constant, load, verifyKernel, verifyRun } from '@gradus/backend';
import type { Backend, ConvolutionKernel, DType, Expression } from '@gradus/backend';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { each, filled, get, operand, product, put, rowMajor, run } from '../../test/support.ts';
import { wasm } from '../index.ts';

type Pass = ConvolutionKernel['pass'];
const PASSES: readonly Pass[] = ['forward', 'inputGradient', 'filterGradient'];

/** Channels and filters are of one group. */
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
function axis(most: number): fc.Arbitrary<{ input: number; size: number; stride: number; dilation: number; padding: number; output: number }> {
  return fc
    .record({
      input: fc.integer({ min: 1, max: most }),
      size: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      padding: fc.nat({ max: 3 }),
      more: fc.constantFrom(0, 0, -1, 1),
    })
    .map((a) => ({ ...a, output: Math.max(1, Math.floor((a.input + 2 * a.padding - a.dilation * (a.size - 1) - 1) / a.stride) + 1 + a.more) }));
}

/** Sizes that leave tails of every kind in tiles of 4 by 8; a third of them depthwise. */
const geometries: fc.Arbitrary<Geometry> = fc.integer({ min: 1, max: 3 }).chain((spatial) =>
  fc
    .record({
      images: fc.integer({ min: 1, max: 3 }),
      shape: fc.oneof(
        fc.record({ groups: fc.constant(1), channels: fc.integer({ min: 1, max: 9 }), filters: fc.integer({ min: 1, max: 13 }) }),
        fc.record({ groups: fc.integer({ min: 2, max: 3 }), channels: fc.integer({ min: 1, max: 3 }), filters: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ groups: fc.integer({ min: 2, max: 6 }), channels: fc.constant(1), filters: fc.integer({ min: 1, max: 2 }) }),
      ),
      axes: fc.array(axis([20, 10, 5][spatial - 1] ?? 5), { minLength: spatial, maxLength: spatial }),
    })
    .map(({ images, shape, axes }) => ({
      images,
      ...shape,
      input: axes.map((a) => a.input),
      output: axes.map((a) => a.output),
      size: axes.map((a) => a.size),
      stride: axes.map((a) => a.stride),
      dilation: axes.map((a) => a.dilation),
      padding: axes.map((a) => a.padding),
    })),
);

/** Sizes of the two operands and the result. */
function roles(pass: Pass, { images, groups, channels, filters, input, output, size }: Geometry): readonly [number[], number[], number[]] {
  const x = [images, groups * channels, ...input];
  const y = [images, groups * filters, ...output];
  const w = [groups * filters, channels, ...size];
  if (pass === 'forward') return [x, w, y];
  return pass === 'inputGradient' ? [y, w, x] : [x, y, w];
}

function index(sizes: readonly number[], point: readonly number[]): number {
  return point.reduce((at, coordinate, d) => at * (sizes[d] ?? 1) + coordinate, 0);
}

/** Every multiplication of a convolution, one after the other. */
function plain(pass: Pass, geometry: Geometry, first: ArrayLike<number>, second: ArrayLike<number>): number[] {
  const { images, groups, channels, filters, input, output, size, stride, dilation, padding } = geometry;
  const [x, w, y] = roles('forward', geometry);
  const result = filled(product(roles(pass, geometry)[2]), 0);
  each(output, (out) => {
    each(size, (tap) => {
      const cell = out.map((p, d) => p * (stride[d] ?? 1) - (padding[d] ?? 0) + (tap[d] ?? 0) * (dilation[d] ?? 1));
      if (!cell.every((p, d) => p >= 0 && p < (input[d] ?? 0))) return;
      each([images, groups, filters, channels], ([n = 0, g = 0, o = 0, c = 0]) => {
        const inX = index(x, [n, g * channels + c, ...cell]);
        const inW = index(w, [g * filters + o, c, ...tap]);
        const inY = index(y, [n, g * filters + o, ...out]);
        const [target, a, b] = pass === 'forward' ? [inY, inX, inW] : pass === 'inputGradient' ? [inX, inY, inW] : [inW, inX, inY];
        result[target] = (result[target] ?? 0) + (first[a] ?? NaN) * (second[b] ?? NaN);
      });
    });
  });
  return result;
}

function kernelOf(
  pass: Pass,
  { groups, size, stride, dilation, padding }: Geometry,
  dtypes: readonly [DType, DType] = ['float32', 'float32'],
): ConvolutionKernel {
  return {
    kind: 'convolution',
    pass,
    groups,
    window: { size, stride, dilation, padding },
    accumulate: 'float32',
    operands: [operand(dtypes[0], 'read', 'indexed'), operand(dtypes[1], 'read', 'indexed'), operand('float32', 'write', 'strided', 'kept')],
    scalars: [],
    outputs: [{ operand: 2, value: accumulator('float32') }],
  };
}

const whole = (length: number, salt: number): number[] => Array.from({ length }, (_, i) => ((i * 7 + (i >> 3) * 5 + salt * 11) % 9) - 4);

const sizesOf = (g: Geometry): number[] => [g.images, g.groups * g.channels, g.groups * g.filters, ...g.input, ...g.output];

/** How the result lies in its block. */
type Lie = (sizes: readonly number[]) => { readonly strides: readonly number[]; readonly offset: number; readonly length: number };
const dense: Lie = (sizes) => ({ strides: rowMajor(sizes), offset: 0, length: product(sizes) });
/** Channels last, as other libraries have them, after two elements that are not its own. */
const channelsLast: Lie = (sizes) => {
  const [n = 1, c = 1, ...rest] = sizes;
  const [outer = 1, ...inner] = rowMajor([n, ...rest, c]);
  return { strides: [outer, inner.at(-1) ?? 1, ...inner.slice(0, -1)], offset: 2, length: product(sizes) + 2 };
};

function convolve(
  device: Backend,
  kernel: ConvolutionKernel,
  geometry: Geometry,
  first: readonly number[],
  second: readonly number[],
  lie = dense,
): number[] {
  const result = roles(kernel.pass, geometry)[2];
  const [a = 'float32', b = 'float32'] = kernel.operands.map((own) => own.dtype);
  const { strides, offset, length } = lie(result);
  // Elements in front of each operand: offsets count.
  const blocks = [put(device, a, [99, ...first]), put(device, b, [99, 99, ...second]), put(device, 'float32', filled(length, 99))];
  const dims = [...sizesOf(geometry), 1, first.length, 2, second.length, offset, ...strides];
  verifyKernel(kernel);
  verifyRun(kernel, blocks, Int32Array.from(dims));
  run(device, kernel, blocks, dims);
  const block = get(device, blocks[2] ?? device.allocate(0), 'float32');
  for (const own of blocks) device.free(own);
  const found: number[] = [];
  each(result, (point) => found.push(block[point.reduce((at, x, d) => at + x * (strides[d] ?? 0), offset)] ?? NaN));
  expect(block.slice(0, offset)).toEqual(filled(offset, 99));
  return found;
}

let device: Backend;
beforeAll(async () => {
  // The most that the engine has; the conformance kit takes every kind.
  device = await wasm();
});

describe.each(PASSES)('convolution, %s', (pass) => {
  test.each([
    ['dense', dense],
    ['channels last', channelsLast],
  ] as const)('equals the plain loops, result %s', (_, lie) => {
    fc.assert(
      fc.property(geometries, fc.nat({ max: 99 }), (geometry, salt) => {
        const [a, b] = roles(pass, geometry);
        const [first, second] = [whole(product(a), salt), whole(product(b), salt + 1)];
        expect(convolve(device, kernelOf(pass, geometry), geometry, first, second, lie)).toEqual(plain(pass, geometry, first, second));
      }),
      { numRuns: 120 },
    );
  });

  test('16-bit floats, read as float32', () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const [a, b] = roles(pass, geometry);
        const [first, second] = [whole(product(a), 1), whole(product(b), 2)];
        const kernel = kernelOf(pass, geometry, ['float16', 'bfloat16']);
        expect(convolve(device, kernel, geometry, first, second)).toEqual(plain(pass, geometry, first, second));
      }),
      { numRuns: 40 },
    );
  });

  test('epilogues see coordinates of the whole result, and a value for each channel', () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const [a, b, result] = roles(pass, geometry);
        const [first, second] = [whole(product(a), 3), whole(product(b), 4)];
        const place = result.reduce<Expression>(
          (sum, size, d) => apply('add', apply('multiply', sum, constant('int32', size)), axisIndex(d)),
          constant('int32', 0),
        );
        const base = kernelOf(pass, geometry);
        const kernel: ConvolutionKernel = {
          ...base,
          operands: [...base.operands, operand('float32', 'read', { broadcast: result.map((_, d) => d !== 1) }, 'kept')],
          outputs: [{ operand: 2, value: apply('add', apply('add', accumulator('float32'), cast(place, 'float32')), load('float32', 3)) }],
        };
        const bias = whole(result[1] ?? 1, 5);
        const blocks = [
          put(device, 'float32', first),
          put(device, 'float32', second),
          put(device, 'float32', whole(product(result), 6)),
          put(device, 'float32', bias),
        ];
        const ofBias = result.map((_, d) => (d === 1 ? 1 : 0));
        const dims = [...sizesOf(geometry), 0, first.length, 0, second.length, 0, ...rowMajor(result), 0, ...ofBias];
        verifyKernel(kernel);
        run(device, kernel, blocks, dims);
        const perChannel = product(result.slice(2));
        const expected = plain(pass, geometry, first, second).map((sum, i) => sum + i + (bias[Math.floor(i / perChannel) % (result[1] ?? 1)] ?? 0));
        expect(get(device, blocks[2] ?? device.allocate(0), 'float32')).toEqual(expected);
        for (const block of blocks) device.free(block);
      }),
      { numRuns: 60 },
    );
  });

  test('deep sums, beyond a block of the product: 40 channels of 5 by 5, 12 by 12', () => {
    const geometry: Geometry = {
      images: 2,
      groups: 1,
      channels: 40,
      filters: 6,
      input: [12, 12],
      output: [12, 12],
      size: [5, 5],
      stride: [1, 1],
      dilation: [1, 1],
      padding: [2, 2],
    };
    const [a, b] = roles(pass, geometry);
    const [first, second] = [whole(product(a), 7), whole(product(b), 8)];
    expect(convolve(device, kernelOf(pass, geometry), geometry, first, second)).toEqual(plain(pass, geometry, first, second));
  });

  test('runs of one executable may differ in size', () => {
    for (const side of [5, 2, 9]) {
      const geometry: Geometry = {
        images: 2,
        groups: 1,
        channels: 3,
        filters: 4,
        input: [side, side + 1],
        output: [side, side + 1],
        size: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        padding: [1, 1],
      };
      const [a, b] = roles(pass, geometry);
      const [first, second] = [whole(product(a), side), whole(product(b), side + 1)];
      expect(convolve(device, kernelOf(pass, geometry), geometry, first, second)).toEqual(plain(pass, geometry, first, second));
    }
  });
});

test.each<readonly [string, Pass, Partial<Geometry>]>([
  ['no images', 'filterGradient', { images: 0 }],
  ['no windows', 'filterGradient', { output: [0, 0] }],
  ['no windows', 'inputGradient', { output: [0, 0] }],
  ['no channels', 'forward', { channels: 0 }],
  ['no filters', 'inputGradient', { filters: 0 }],
  ['no filter that meets the input', 'inputGradient', { input: [1, 1], output: [1, 2], size: [1, 1], stride: [1, 2], padding: [0, 1] }],
  ['windows that lie outside', 'forward', { input: [2, 2], output: [2, 2], size: [1, 1], stride: [9, 9], padding: [3, 3] }],
])('sums of nothing are 0: %s, %s', (_, pass, own) => {
  const usual: Geometry = {
    images: 2,
    groups: 2,
    channels: 2,
    filters: 4,
    input: [4, 4],
    output: [4, 4],
    size: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    padding: [1, 1],
  };
  const results = (geometry: Geometry): number[] => {
    const [a, b] = roles(pass, geometry);
    return convolve(device, kernelOf(pass, geometry), geometry, whole(product(a), 1), whole(product(b), 2));
  };
  // Leaves numbers in the memory that the next run works in.
  results(usual);
  const nothing = { ...usual, ...own };
  expect(results(nothing)).toEqual(filled(product(roles(pass, nothing)[2]), 0));
});

test('without SIMD it is left to the products and sums it decomposes to', async () => {
  const geometry: Geometry = {
    images: 1,
    groups: 1,
    channels: 1,
    filters: 1,
    input: [4],
    output: [4],
    size: [3],
    stride: [1],
    dilation: [1],
    padding: [1],
  };
  expect((await wasm({ simd: 'off' })).supports(kernelOf('forward', geometry))).toBe(false);
  expect(device.supports(kernelOf('forward', geometry))).toBe(true);
});
