/**
 * Pooling against plain loops, for random geometry: rows with vectors, with tails, all border; windows wider than are unrolled; NaN and ties.
 * All numbers are small and whole, or halves of such, so that sums are exact in any order; averages are off by roundings.
 */

import { accumulator, apply, constant } from '@gradus/backend';
import type { DType, PoolKernel, Window } from '@gradus/backend';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PATIENCE, dense, devices, rounded, runKernel } from '../../test/rounded-runs.ts';

interface Geometry {
  readonly window: Window;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly planes: number;
}

/** One axis; the last may be wide. */
function axis(widest: number): fc.Arbitrary<{ input: number; output: number; size: number; stride: number; dilation: number; padding: number }> {
  return fc
    .record({
      input: fc.integer({ min: 1, max: widest }),
      size: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.integer({ min: 9, max: 11 }) }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      padding: fc.nat({ max: 2 }),
      more: fc.nat({ max: 1 }),
    })
    .map((a) => ({ ...a, output: Math.max(1, Math.floor((a.input + 2 * a.padding - a.dilation * (a.size - 1) - 1) / a.stride) + 1 + a.more) }));
}

const geometries: fc.Arbitrary<Geometry> = fc
  .record({ planes: fc.integer({ min: 1, max: 4 }), outer: fc.array(axis(6), { maxLength: 2 }), last: axis(40) })
  .map(({ planes, outer, last }) => {
    const axes = [...outer, last];
    return {
      planes,
      window: {
        size: axes.map((a) => a.size),
        stride: axes.map((a) => a.stride),
        dilation: axes.map((a) => a.dilation),
        padding: axes.map((a) => a.padding),
      },
      input: axes.map((a) => a.input),
      output: axes.map((a) => a.output),
    };
  });

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Every place of a grid, in row-major order. */
function places(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>((known, size) => known.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])), [[]]);
}

/** The cells of every window inside the input, in row-major order, as numbers in a plane. */
function cellsOf({ window, input, output }: Geometry): number[][] {
  const taps = places(window.size);
  return places(output).map((place) =>
    taps.flatMap((tap) => {
      const cell = tap.map((t, k) => (place[k] ?? 0) * (window.stride[k] ?? 1) - (window.padding[k] ?? 0) + t * (window.dilation[k] ?? 1));
      const inside = cell.every((at, k) => at >= 0 && at < (input[k] ?? 0));
      return inside ? [cell.reduce((at, c, k) => at * (input[k] ?? 0) + c, 0)] : [];
    }),
  );
}

/** The first NaN, else the first of the largest; undefined without cells. */
function winner(x: readonly number[], cells: readonly number[]): number | undefined {
  const broken = cells.find((cell) => Number.isNaN(x[cell]));
  if (broken !== undefined) return broken;
  const largest = Math.max(...cells.map((cell) => x[cell] ?? NaN));
  return cells.find((cell) => x[cell] === largest);
}

interface Pooling {
  readonly mode: PoolKernel['mode'];
  readonly pass: PoolKernel['pass'];
  readonly countPadding: boolean;
}

/** One plane: x is what is compared, `other` the values or the gradients. */
function pooled(geometry: Geometry, { mode, pass, countPadding }: Pooling, x: readonly number[], other: readonly number[], empty: number): number[] {
  const windows = cellsOf(geometry);
  const weight = (cells: readonly number[]): number => 1 / (countPadding ? product(geometry.window.size) : cells.length);
  if (pass === 'forward')
    return windows.map((cells) => {
      if (mode === 'average') return cells.reduce((sum, cell) => sum + (other[cell] ?? NaN), 0) * weight(cells);
      const cell = winner(x, cells);
      return cell === undefined ? empty : (other[cell] ?? NaN);
    });
  const result = Array.from({ length: product(geometry.input) }, () => 0);
  windows.forEach((cells, k) => {
    const gradient = other[k] ?? NaN;
    const first = winner(x, cells);
    const targets = mode === 'average' ? cells : first === undefined ? [] : [first];
    for (const cell of targets) result[cell] = (result[cell] ?? NaN) + gradient * (mode === 'average' ? weight(cells) : 1);
  });
  return result;
}

const LOWEST: { readonly [D in DType]?: number } = { int32: -(2 ** 31), uint32: 0 };
/** Of averages: float32 in a few operations; 16-bit floats are rounded once more. */
const TOLERANCE: { readonly [D in DType]?: number } = { float32: 1e-6, float16: 2 ** -11, bfloat16: 2 ** -8 };

const poolings = fc.record({
  geometry: geometries,
  mode: fc.constantFrom('max' as const, 'average' as const),
  pass: fc.constantFrom('forward' as const, 'backward' as const),
  countPadding: fc.boolean(),
  xType: fc.constantFrom<DType>('float32', 'float32', 'float16', 'int32', 'uint32', 'int8', 'bool'),
  type: fc.constantFrom<DType>('float32', 'float32', 'bfloat16', 'float16', 'int32', 'uint32'),
  same: fc.boolean(),
  epilogue: fc.boolean(),
  seed: fc.nat(),
});

/** Small whole numbers, many of them equal, and for floats a NaN, an infinity or a -0 now and then. */
function keys(dtype: DType, count: number, seed: number): number[] {
  const special = [NaN, -Infinity, Infinity, -0];
  const float = dtype.includes('float');
  return Array.from({ length: count }, (_, i) => {
    const roll = ((i + 1) * 7919 + seed * 104729) % 1009;
    if (float && roll % 23 === 0) return special[roll % 4] ?? 0;
    if (dtype === 'bool') return roll % 2;
    return dtype === 'uint32' ? roll % 5 : (roll % 5) - 2;
  });
}

for (const [simd, device] of await devices())
  test(`any geometry, simd: ${simd}`, { timeout: PATIENCE }, () => {
    fc.assert(
      fc.property(poolings, ({ geometry, mode, pass, countPadding, xType, type: wished, same, epilogue, seed }) => {
        const { window, input, output, planes } = geometry;
        const type = mode === 'average' && !wished.includes('float') ? 'float32' : wished;
        const xDType = same ? type : xType;
        const [inputs, outputs] = [product(input), product(output)];
        const x = keys(xDType, planes * inputs, seed);
        const others = pass === 'forward' ? inputs : outputs;
        // Values are told apart by their place; where they are to be x itself, they are x.
        const own = Array.from({ length: planes * others }, (_, i) => (i * 5 + seed) % 64);
        const other = mode === 'max' && pass === 'forward' && same ? x : own;
        const results = pass === 'forward' ? outputs : inputs;
        const empty = LOWEST[type] ?? -Infinity;
        const want = Array.from({ length: planes }, (_, p) =>
          pooled(geometry, { mode, pass, countPadding }, x.slice(p * inputs, (p + 1) * inputs), other.slice(p * others, (p + 1) * others), empty),
        ).flat();

        const reads = mode === 'max' ? [dense(xDType), dense(type)] : [dense(type)];
        const sum = accumulator(type);
        // An epilogue needs arithmetic, which 16-bit floats do not have here.
        const doubles = epilogue && (type === 'float32' || type === 'int32');
        const kernel: PoolKernel = {
          kind: 'pool',
          mode,
          pass,
          window,
          countPadding,
          operands: [...reads, { dtype: type, access: 'write', layout: 'contiguous', space: 'kept' }],
          scalars: [],
          outputs: [{ operand: reads.length, value: doubles ? apply('multiply', sum, constant(type, 2)) : sum }],
        };
        const kept = pass === 'forward' ? output : input;
        const strides = [planes * results, results, ...kept.map((_, k) => product(kept.slice(k + 1)))];
        const contents = [...(mode === 'max' ? [{ values: x }] : []), { values: other }, { values: want.map(() => 1), strides }];
        const result = runKernel(device, kernel, [1, planes, ...input, ...output], contents).at(-1) ?? [];

        const scaled = want.map((value) => {
          const finished = doubles ? (type === 'int32' ? Math.imul(value, 2) : value * 2) : value;
          return mode === 'max' ? rounded(type, finished) : finished;
        });
        if (mode === 'max') {
          expect(result).toEqual(scaled);
          return;
        }
        const off = result.map((value, i) => {
          const expected = scaled[i] ?? NaN;
          return Object.is(value, expected) ? 0 : Math.abs(value - expected) / Math.max(1, Math.abs(expected));
        });
        expect(off.reduce((a, b) => Math.max(a, b), 0)).toBeLessThanOrEqual(TOLERANCE[type] ?? 0);
      }),
      { numRuns: 400 },
    );
  });

test('the same memory as x and as values, which selects nothing, gives what two copies give', async () => {
  for (const [, device] of await devices()) {
    const x = keys('float32', 2 * 9 * 21, 5);
    const kernel: PoolKernel = {
      kind: 'pool',
      mode: 'max',
      pass: 'forward',
      window: { size: [2, 3], stride: [2, 2], dilation: [1, 1], padding: [1, 1] },
      countPadding: false,
      operands: [dense('float32'), dense('float32'), { dtype: 'float32', access: 'write', layout: 'contiguous', space: 'kept' }],
      scalars: [],
      outputs: [{ operand: 2, value: accumulator('float32') }],
    };
    const strides = [110, 55, 11, 1];
    const want = runKernel(
      device,
      kernel,
      [1, 2, 9, 21, 5, 11],
      [{ values: x }, { values: x }, { values: Array.from({ length: 110 }, () => 1), strides }],
    )[2];
    const block = device.allocate(4 * x.length);
    device.write(block, new Uint8Array(Float32Array.from(x).buffer));
    const y = device.allocate(4 * 110);
    device.run(device.prepare(kernel), [block, block, y], Int32Array.of(1, 2, 9, 21, 5, 11, 0, x.length, 0, x.length, 0, ...strides));
    const bytes = device.readSync?.(y, 0, 440).slice() ?? new Uint8Array();
    expect([...new Float32Array(bytes.buffer)]).toEqual(want);
  }
});
