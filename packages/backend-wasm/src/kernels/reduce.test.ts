/** Reductions over random shapes, in every direction, against float64; and long ones, where accuracy counts. */

import { DTYPES, accumulator, apply, axisIndex, cast, load, verifyKernel, verifyRun } from '@gradus/backend';
import type { Backend, DType, Expression, FoldKind, ReduceKernel } from '@gradus/backend';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { WIDTHS, each, get, operand, product, put, rowMajor, run } from '../../test/support.ts';
import { wasm } from '../index.ts';
import { RUN_LENGTH } from './folds.ts';

interface Case {
  readonly kept: readonly number[];
  readonly folded: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** Axes of the operand in any order in memory, some backwards, some standing still. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    kept: fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })), { maxLength: 2 }),
    folded: fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 2 }),
  })
  .chain(({ kept, folded }) => {
    const sizes = [...kept, ...folded];
    const rank = sizes.length;
    const flags = fc.array(fc.nat({ max: 9 }), { minLength: rank, maxLength: rank });
    const order = fc.oneof(fc.constant([...sizes.keys()].toReversed()), fc.shuffledSubarray([...sizes.keys()], { minLength: rank }));
    return fc.tuple(order, flags, fc.nat({ max: 3 })).map(([axes, kinds, lead]): Case => {
      const strides = sizes.map(() => 0);
      let [length, offset] = [1, lead];
      for (const axis of axes) {
        if (kinds[axis] === 0) continue;
        const size = Math.max(1, sizes[axis] ?? 1);
        const back = kinds[axis] === 1;
        strides[axis] = back ? -length : length;
        if (back) offset += (size - 1) * length;
        length *= size;
      }
      return { kept, folded, strides, offset, length: lead + length };
    });
  });

function kernelOf({ kept, folded }: Case, folds: readonly FoldKind[], value: Expression): ReduceKernel {
  return {
    kind: 'reduce',
    rank: kept.length + folded.length,
    folded: folded.length,
    operands: [operand(value.dtype, 'read', 'strided'), ...folds.map(() => operand(value.dtype, 'write', 'contiguous', 'kept'))],
    scalars: [],
    folds: folds.map((fold) => ({ fold, value })),
    outputs: folds.map((_, i) => ({ operand: i + 1, value: accumulator(value.dtype, i) })),
  };
}

/** The results of each fold. */
function reduce(device: Backend, kernel: ReduceKernel, c: Case, values: ArrayLike<number>): number[][] {
  const count = product(c.kept);
  const dtype = kernel.operands[0]?.dtype ?? 'float32';
  const results = kernel.folds.map(() => device.allocate(count * DTYPES[dtype].bytes));
  const blocks = [put(device, dtype, values), ...results];
  const dims = [...c.kept, ...c.folded, c.offset, ...c.strides, ...results.flatMap(() => [0, ...rowMajor(c.kept)])];
  verifyKernel(kernel);
  verifyRun(kernel, blocks, Int32Array.from(dims));
  run(device, kernel, blocks, dims);
  const found = results.map((block) => get(device, block, dtype));
  for (const block of blocks) device.free(block);
  return found;
}

/** The values that each result folds, with their points. */
function groups(c: Case, values: ArrayLike<number>): { readonly value: number; readonly point: readonly number[] }[][] {
  const all: { value: number; point: readonly number[] }[][] = [];
  each(c.kept, (outer) => {
    const own: { value: number; point: readonly number[] }[] = [];
    each(c.folded, (inner) => {
      const point = [...outer, ...inner];
      own.push({ value: values[point.reduce((at, x, axis) => at + x * (c.strides[axis] ?? 0), c.offset)] ?? NaN, point });
    });
    all.push(own);
  });
  return all;
}

const waves = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + 1) * 4);

describe.each(WIDTHS)('simd: %s', (simd) => {
  let device: Backend;
  beforeAll(async () => {
    device = await wasm({ simd });
  });

  /** Single precision adds runs of at most RUN_LENGTH values, in vectors or not; float64 does the rest; one rounding at the end. */
  test('float32 sums are as accurate as a run of single-precision additions', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const values = waves(c.length);
        const [sums = []] = reduce(device, kernelOf(c, ['sum'], load('float32', 0)), c, values);
        groups(c, values).forEach((own, i) => {
          const exact = own.reduce((sum, { value }) => sum + value, 0);
          const size = own.reduce((sum, { value }) => sum + Math.abs(value), 0);
          const bound = 2 ** -24 * (Math.abs(exact) + Math.min(own.length, RUN_LENGTH) * size) + 2 ** -50 * size;
          expect(Math.abs((sums[i] ?? NaN) - exact)).toBeLessThanOrEqual(bound);
        });
      }),
      { numRuns: 150 },
    );
  });

  test('minima and maxima are exact, sums and products of small whole numbers too, four folds at once', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const values = Float32Array.from({ length: c.length }, (_, i) => ((i * 7 + (i >> 3)) % 5) - 2);
        const ones = values.map((x) => (x === 0 ? -1 : Math.sign(x)));
        const found = reduce(device, kernelOf(c, ['sum', 'min', 'max'], load('float32', 0)), c, values);
        const own = groups(c, values).map((group) => group.map(({ value }) => value));
        expect(found).toEqual([
          own.map((group) => group.reduce((a, b) => a + b, 0)),
          own.map((group) => group.reduce((a, b) => Math.min(a, b), Infinity)),
          own.map((group) => group.reduce((a, b) => Math.max(a, b), -Infinity)),
        ]);
        const [products] = reduce(device, kernelOf(c, ['prod'], load('float32', 0)), c, ones);
        expect(products).toEqual(groups(c, ones).map((group) => group.reduce((a, { value }) => a * value, 1)));
      }),
      { numRuns: 150 },
    );
  });

  test.each<DType>(['int32', 'uint32', 'int8', 'uint8'])('%s wraps', (dtype) => {
    const { min, max } = DTYPES[dtype];
    const wrap = (x: number): number => DTYPES[dtype].view(new ArrayBuffer(4)).fill(x, 0, 1)[0] ?? 0;
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (c, salt) => {
        const values = DTYPES[dtype].view(Int32Array.from({ length: c.length }, (_, i) => Math.imul(i + 1, salt | 1)).buffer, 0, c.length);
        const [sums, products, minima, maxima] = reduce(device, kernelOf(c, ['sum', 'prod', 'min', 'max'], load(dtype, 0)), c, values);
        const own = groups(c, values).map((group) => group.map(({ value }) => value));
        expect(sums).toEqual(own.map((group) => wrap(group.reduce((a, b) => (a + b) | 0, 0))));
        expect(products).toEqual(own.map((group) => wrap(group.reduce((a, b) => Math.imul(a, b), 1))));
        expect(minima).toEqual(own.map((group) => group.reduce((a, b) => Math.min(a, b), max)));
        expect(maxima).toEqual(own.map((group) => group.reduce((a, b) => Math.max(a, b), min)));
      }),
      { numRuns: 40 },
    );
  });

  test('folds see coordinates along kept and folded axes', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const rank = c.kept.length + c.folded.length;
        const place = Array.from({ length: rank }, (_, axis) => axisIndex(axis)).reduce<Expression>(
          (sum, e, axis) => apply('add', sum, apply('multiply', e, { op: 'constant', dtype: 'int32', value: axis + 2 })),
          { op: 'constant', dtype: 'int32', value: 1 },
        );
        const value = apply('multiply', load('float32', 0), cast(place, 'float32'));
        const values = Float32Array.from({ length: c.length }, (_, i) => (i % 5) - 2);
        const [sums] = reduce(device, kernelOf(c, ['sum'], value), c, values);
        const weight = (point: readonly number[]): number => point.reduce((sum, x, axis) => sum + x * (axis + 2), 1);
        expect(sums).toEqual(groups(c, values).map((group) => group.reduce((sum, own) => sum + own.value * weight(own.point), 0)));
      }),
      { numRuns: 80 },
    );
  });

  // All roundings of a run go one way here: as bad as it gets. Along with SIMD, 16 partial sums share a run of RUN_LENGTH.
  test.each([
    ['along', simd === 'plain' ? 1e-6 : 1e-5, { kept: [], strides: [1] }],
    ['across', 1e-5, { kept: [8], strides: [1, 8] }],
    ['far apart', 1e-5, { kept: [3], strides: [1, 3] }],
  ])('a million times 0.1, %s: relative error below %d', (_, bound, { kept, strides }) => {
    const folded = Math.floor(1_000_000 / product(kept));
    const c: Case = { kept, folded: [folded], strides, offset: 0, length: folded * product(kept) };
    const [sums = []] = reduce(device, kernelOf(c, ['sum'], load('float32', 0)), c, new Float32Array(c.length).fill(0.1));
    const exact = folded * Math.fround(0.1);
    expect(sums).toHaveLength(product(kept));
    for (const sum of sums) expect(Math.abs(sum - exact) / exact).toBeLessThan(bound);
  });

  test('NaN wins minima and maxima, and -0 is below 0, in vectors and in tails', () => {
    for (const length of [1, 4, 7, 16, 19, 40])
      for (const at of [0, length - 1]) {
        const c: Case = { kept: [], folded: [length], strides: [1], offset: 0, length };
        const kernel = kernelOf(c, ['min', 'max'], load('float32', 0));
        const withNaN = new Float32Array(length).fill(1);
        withNaN[at] = NaN;
        expect(reduce(device, kernel, c, withNaN)).toEqual([[NaN], [NaN]]);
        const zeros = new Float32Array(length);
        zeros[at] = -0;
        expect(reduce(device, kernel, c, zeros)).toEqual([[-0], [length === 1 ? -0 : 0]]);
      }
  });
});
