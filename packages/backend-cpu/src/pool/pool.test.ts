/** Pooling against plain loops, for random geometry, with NaN and ties. */

import { accumulator, apply, axisIndex, cast, verifyKernel, verifyRun } from '@gradus/backend';
import type { DType, PoolKernel } from '@gradus/backend';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { PATIENCE, WAYS, deviceOf, get, operand, put, run } from '../../test/support.ts';
import type { Way } from '../../test/support.ts';

interface Geometry {
  readonly images: number;
  readonly channels: number;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
}

const axis = fc
  .record({
    input: fc.integer({ min: 1, max: 8 }),
    size: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    padding: fc.nat({ max: 2 }),
    more: fc.nat({ max: 1 }),
  })
  .map((a) => ({ ...a, output: Math.max(1, Math.floor((a.input + 2 * a.padding - a.dilation * (a.size - 1) - 1) / a.stride) + 1 + a.more) }));

const geometries: fc.Arbitrary<Geometry> = fc
  .record({ images: fc.integer({ min: 1, max: 2 }), channels: fc.integer({ min: 1, max: 3 }), axes: fc.array(axis, { minLength: 1, maxLength: 3 }) })
  .map(({ axes, images, channels }) => ({
    images,
    channels,
    input: axes.map((a) => a.input),
    output: axes.map((a) => a.output),
    size: axes.map((a) => a.size),
    stride: axes.map((a) => a.stride),
    dilation: axes.map((a) => a.dilation),
    padding: axes.map((a) => a.padding),
  }));

const product = (sizes: readonly number[]): number => sizes.reduce((p, s) => p * s, 1);

function each(sizes: readonly number[], visit: (point: readonly number[]) => void, point: readonly number[] = []): void {
  const size = sizes[point.length];
  if (size === undefined) visit(point);
  else for (let i = 0; i < size; i++) each(sizes, visit, [...point, i]);
}

/** For each window of one plane: its cells inside the input, row-major. */
function windows({ input, output, size, stride, dilation, padding }: Geometry): number[][] {
  const all: number[][] = [];
  each(output, (out) => {
    const cells: number[] = [];
    each(size, (tap) => {
      const cell = out.map((p, d) => p * (stride[d] ?? 1) - (padding[d] ?? 0) + (tap[d] ?? 0) * (dilation[d] ?? 1));
      if (cell.every((p, d) => p >= 0 && p < (input[d] ?? 0))) cells.push(cell.reduce((at, p, d) => at * (input[d] ?? 1) + p, 0));
    });
    all.push(cells);
  });
  return all;
}

function best(x: readonly number[], cells: readonly number[]): number | undefined {
  const nan = cells.find((cell) => Number.isNaN(x[cell]));
  if (nan !== undefined) return nan;
  const largest = Math.max(...cells.map((cell) => x[cell] ?? NaN));
  return cells.find((cell) => x[cell] === largest);
}

type Mode = Pick<PoolKernel, 'mode' | 'pass' | 'countPadding'>;

/** The result of one plane, in float64. */
function plainPlane({ mode, pass, countPadding }: Mode, geometry: Geometry, first: readonly number[], second: readonly number[]): number[] {
  const all = windows(geometry);
  const divisor = (cells: readonly number[]): number => (countPadding ? product(geometry.size) : cells.length);
  if (pass === 'forward')
    return all.map((cells) => {
      if (mode === 'average') return cells.reduce((sum, cell) => sum + (first[cell] ?? NaN), 0) * (1 / divisor(cells));
      const cell = best(first, cells);
      return cell === undefined ? -Infinity : (second[cell] ?? NaN);
    });
  const result = Array.from({ length: product(geometry.input) }, () => 0);
  all.forEach((cells, window) => {
    const winner = best(first, cells);
    const targets = mode === 'average' ? cells : winner === undefined ? [] : [winner];
    for (const cell of targets)
      result[cell] = (result[cell] ?? 0) + (mode === 'average' ? (first[window] ?? NaN) * (1 / divisor(cells)) : (second[window] ?? NaN));
  });
  return result;
}

function kernelOf(mode: Mode, { size, stride, dilation, padding }: Geometry, dtype: DType): PoolKernel {
  const inputs = mode.mode === 'max' ? 2 : 1;
  return {
    kind: 'pool',
    ...mode,
    window: { size, stride, dilation, padding },
    operands: [...Array.from({ length: inputs }, () => operand(dtype, 'read', 'indexed')), operand(dtype, 'write', 'contiguous', 'kept')],
    scalars: [],
    outputs: [{ operand: inputs, value: accumulator(dtype) }],
  };
}

function pool(kernel: PoolKernel, geometry: Geometry, inputs: readonly (readonly number[])[], way: Way): number[] {
  const device = deviceOf(way);
  const dtype = kernel.operands[0]?.dtype ?? 'float32';
  const result = [geometry.images, geometry.channels, ...(kernel.pass === 'forward' ? geometry.output : geometry.input)];
  const blocks = [
    ...inputs.map((values) => put(device, dtype, [99, ...values])),
    put(
      device,
      dtype,
      Array.from({ length: product(result) }, () => 99),
    ),
  ];
  const dims = [geometry.images, geometry.channels, ...geometry.input, ...geometry.output];
  for (const values of inputs) dims.push(1, values.length);
  dims.push(0, ...result.map((_, d) => product(result.slice(d + 1))));
  verifyKernel(kernel);
  verifyRun(kernel, blocks, Int32Array.from(dims));
  run(device, kernel, blocks, dims);
  return get(device, blocks.at(-1) ?? device.allocate(0), dtype);
}

const MODES: readonly (readonly [string, Mode])[] = [
  ['max, forward', { mode: 'max', pass: 'forward', countPadding: true }],
  ['max, backward', { mode: 'max', pass: 'backward', countPadding: true }],
  ['average, forward', { mode: 'average', pass: 'forward', countPadding: true }],
  ['average, forward, without padding', { mode: 'average', pass: 'forward', countPadding: false }],
  ['average, backward', { mode: 'average', pass: 'backward', countPadding: true }],
  ['average, backward, without padding', { mode: 'average', pass: 'backward', countPadding: false }],
];

/** Few values, so that windows have ties; now and then NaN. */
const NUMBERS = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: -3, max: 3 }).map((x) => Math.fround(x / 3)) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, -Infinity, Infinity) },
);

function inputsFor({ mode, pass }: Mode, g: Geometry): fc.Arbitrary<number[][]> {
  const planes = g.images * g.channels;
  const [inputs, outputs] = [planes * product(g.input), planes * product(g.output)];
  const lengths = mode === 'max' ? [inputs, pass === 'forward' ? inputs : outputs] : [pass === 'forward' ? inputs : outputs];
  return fc.tuple(...lengths.map((length) => fc.array(NUMBERS, { minLength: length, maxLength: length })));
}

describe.each(MODES)('pool, %s', (_, mode) => {
  test.each(WAYS)(
    'equals the plain loops, %s',
    (way) => {
      fc.assert(
        fc.property(
          geometries.chain((geometry) => inputsFor(mode, geometry).map((inputs) => ({ geometry, inputs }))),
          ({ geometry, inputs }) => {
            const planes = geometry.images * geometry.channels;
            const plane = (values: readonly number[] | undefined, i: number): number[] => {
              const length = (values?.length ?? 0) / planes;
              return (values ?? []).slice(i * length, (i + 1) * length);
            };
            const expected = Array.from({ length: planes }, (__, i) => plainPlane(mode, geometry, plane(inputs[0], i), plane(inputs[1], i))).flat();
            expect(pool(kernelOf(mode, geometry, 'float32'), geometry, inputs, way)).toEqual(expected.map(Math.fround));
          },
        ),
        { numRuns: 100 },
      );
    },
    PATIENCE,
  );
});

test('integers have maxima, and an epilogue may follow', () => {
  const geometry: Geometry = { images: 1, channels: 2, input: [4], output: [2], size: [2], stride: [2], dilation: [1], padding: [0] };
  const plain = kernelOf({ mode: 'max', pass: 'forward', countPadding: true }, geometry, 'int32');
  const kernel: PoolKernel = {
    ...plain,
    outputs: [{ operand: 2, value: apply('add', accumulator('int32'), apply('multiply', axisIndex(1), cast(axisIndex(2), 'int32'))) }],
  };
  const x = [1, 2147483647, -5, -2147483648, 0, 0, 7, 3];
  expect(pool(kernel, geometry, [x, x], 'generated')).toEqual([2147483647, -5, 0, 8]);
});

test('a maximum may select values of another dtype: the places of the maxima', () => {
  const device = deviceOf('generated');
  const kernel: PoolKernel = {
    kind: 'pool',
    mode: 'max',
    pass: 'forward',
    countPadding: true,
    window: { size: [2, 2], stride: [2, 2], dilation: [1, 1], padding: [0, 0] },
    operands: [operand('float32', 'read', 'indexed'), operand('int32', 'read', 'indexed'), operand('int32', 'write', 'contiguous', 'kept')],
    scalars: [],
    outputs: [{ operand: 2, value: accumulator('int32') }],
  };
  verifyKernel(kernel);
  const x = put(device, 'float32', [1, 5, 5, NaN, 2, 5, NaN, 0]);
  const places = put(device, 'int32', [0, 1, 2, 3, 4, 5, 6, 7]);
  const result = device.allocate(8);
  run(device, kernel, [x, places, result], [1, 1, 2, 4, 1, 2, 0, 8, 0, 8, 0, 2, 2, 2, 1]);
  expect(get(device, result, 'int32')).toEqual([1, 3]);
  expect(device.supports({ ...kernel, pass: 'backward' })).toBe(false);
});
