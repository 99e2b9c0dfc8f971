/** Sorts, places of extremes and running sums of rows of any length, with many ties, both zeros, infinities and NaN. */

import type { DType } from '@gradus/backend';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PATIENCE, dense, devices, rounded, runKernel } from '../../test/rounded-runs.ts';

/** Few different numbers, so that rows have ties; the longest are sorted by radix in more than one byte. */
const VALUES: { readonly [D in DType]?: readonly number[] } = {
  float32: [0, -0, 1, -1, 1e-40, -1e-40, NaN, Infinity, -Infinity, 300.5, -300.25],
  float16: [0, -0, 1, -1, 6e-8, -6e-8, NaN, Infinity, -Infinity, 300, -300],
  int32: [0, 1, -1, 255, 256, -256, 70_000, 2 ** 31 - 1, -(2 ** 31)],
  uint32: [0, 1, 255, 256, 70_000, 2 ** 31, 2 ** 32 - 1],
  int8: [0, 1, -1, 127, -128],
  bool: [0, 1],
};
const DTYPES_HERE = Object.keys(VALUES) as DType[];

const rowsOf = fc.constantFrom(...DTYPES_HERE).chain((dtype) =>
  fc.integer({ min: 1, max: 150 }).chain((columns) =>
    fc.record({
      dtype: fc.constant(dtype),
      rows: fc.array(fc.array(fc.constantFrom(...(VALUES[dtype] ?? [])), { minLength: columns, maxLength: columns }), {
        minLength: 1,
        maxLength: 20,
      }),
      flag: fc.boolean(),
    }),
  ),
);

/** NaN is greater than everything. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

for (const [simd, device] of await devices()) {
  test(`sort is stable, simd: ${simd}`, { timeout: PATIENCE }, () => {
    fc.assert(
      fc.property(rowsOf, ({ dtype, rows, flag: descending }) => {
        const x = rows.map((row) => row.map((value) => rounded(dtype, value)));
        const columns = x[0]?.length ?? 0;
        const places = x.map((row) => [...row.keys()].toSorted((i, j) => (descending ? -1 : 1) * compare(row[i] ?? 0, row[j] ?? 0)));
        const nothing = { values: x.flat().map(() => 0) };
        const operands = [dense(dtype), dense(dtype, 'write'), dense('int32', 'write')];
        const contents = [{ values: x.flat() }, nothing, nothing];
        const [, sorted, taken] = runKernel(device, { kind: 'sort', descending, operands, scalars: [] }, [x.length, columns], contents);
        expect(taken).toEqual(places.flat());
        expect(sorted).toEqual(x.flatMap((row, r) => (places[r] ?? []).map((place) => row[place])));
      }),
      { numRuns: 150 },
    );
  });

  test(`argReduce finds the first NaN, else the first extreme, simd: ${simd}`, { timeout: PATIENCE }, () => {
    fc.assert(
      fc.property(rowsOf, ({ dtype, rows, flag }) => {
        // Without NaN half of the time, or hardly any row would show its extreme.
        const x = rows.map((row, r) => row.map((value) => (r % 2 === 0 && Number.isNaN(value) ? 2 : value)));
        const extreme = (row: readonly number[]): number => {
          const broken = row.findIndex(Number.isNaN);
          const best = row.reduce((a, b) => (flag ? Math.max(a, b) : Math.min(a, b)));
          return broken >= 0 ? broken : row.findIndex((value) => value === best);
        };
        const kernel = { kind: 'argReduce', fold: flag ? 'max' : 'min', operands: [dense(dtype), dense('int32', 'write')], scalars: [] } as const;
        const contents = [{ values: x.flat() }, { values: x.map(() => -1) }];
        expect(runKernel(device, kernel, [x.length, x[0]?.length ?? 0], contents)[1]).toEqual(x.map(extreme));
      }),
      { numRuns: 150 },
    );
  });

  test(`a million equal small steps add up, simd: ${simd}`, () => {
    const count = 2 ** 20;
    const kernel = {
      kind: 'scan',
      fold: 'sum',
      exclusive: false,
      reverse: false,
      operands: [dense('float32'), dense('float32', 'write')],
      scalars: [],
    } as const;
    const step = Math.fround(0.1);
    const contents = [{ values: Array.from({ length: count }, () => step) }, { values: Array.from({ length: count }, () => 0) }];
    // In single precision, the last sum would be off by more than 900.
    expect(runKernel(device, kernel, [1, count], contents)[1]?.at(-1)).toBeCloseTo(count * step, 1);
  });
}
