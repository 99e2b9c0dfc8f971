/** Quantized products over any sizes and formats, to the bit, against plain loops; the kit has fixed sizes and epilogues. */

import { accumulator, apply, cast, load } from '@gradus/backend';
import type { Backend, DType, QuantizedContractKernel } from '@gradus/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SIMD_LEVELS, dense, runDense } from '../../test/dense.ts';
import { wasm } from '../index.ts';

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: 'int8' | 'uint8';
  readonly aBits: 7 | 8;
  readonly bBits: 4 | 8;
  readonly group: number | null;
  readonly seed: number;
}

/** Whole numbers from `low` to `high`, without a pattern; both ends come often. */
function wholes(count: number, low: number, high: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233);
    return x > 0.95 ? high : x < -0.95 ? low : low + Math.floor(((x + 1) / 2) * (high - low + 1));
  });
}

/** The two 4-bit values of a byte. */
function half(byte: number, upper: boolean): number {
  return (byte << (upper ? 24 : 28)) >> 28;
}

function check(device: Backend, { m, n, k, a: dtype, aBits, bBits, group, seed }: Case): void {
  const low = aBits === 8 && dtype === 'int8' ? -128 : 0;
  const a = wholes(m * k, low, aBits === 7 ? 127 : low + 255, seed);
  const rowBytes = bBits === 4 ? Math.ceil(k / 2) : k;
  const b = bBits === 4 ? wholes(n * rowBytes, 0, 255, seed + 1) : wholes(n * rowBytes, -128, 127, seed + 1);
  const groups = group === null ? 0 : Math.ceil(k / group);
  const scales = wholes(n * groups, -1000, 1000, seed + 2).map((x) => Math.fround(x / 777));
  const bAt = (column: number, i: number): number =>
    bBits === 8 ? (b[column * k + i] ?? NaN) : half(b[column * rowBytes + (i >> 1)] ?? NaN, i % 2 === 1);
  const sum = (row: number, column: number, from: number, to: number): number => {
    let total = 0;
    for (let i = from; i < to; i++) total += (a[row * k + i] ?? NaN) * bAt(column, i);
    return total;
  };
  const element = (row: number, column: number): number => {
    if (group === null) return sum(row, column, 0, k);
    let total = 0;
    for (let g = 0; g < groups; g++) {
      const scaled = Math.fround(Math.fround(sum(row, column, g * group, Math.min(k, (g + 1) * group))) * (scales[column * groups + g] ?? NaN));
      total = Math.fround(total + scaled);
    }
    return total;
  };
  const wanted = Array.from({ length: m * n }, (_, at) => element(Math.floor(at / n), at % n));
  const to: DType = group === null ? 'int32' : 'float32';
  const reads = [dense(dtype), dense(bBits === 4 ? 'uint8' : 'int8'), ...(group === null ? [] : [dense('float32')])];
  const kernel: QuantizedContractKernel = {
    kind: 'quantizedContract',
    aBits,
    bBits,
    group,
    operands: [...reads, { dtype: to, access: 'write', layout: 'contiguous', space: 'kept' }],
    scalars: [],
    outputs: [{ operand: reads.length, value: accumulator(to) }],
  };
  const contents = [a, b, ...(group === null ? [] : [scales]), m * n];
  expect(runDense(device, kernel, [m, n, k], contents, [], [0, n, 1]).at(-1)).toEqual(wanted);
}

describe.each(SIMD_LEVELS)('quantizedContract, %s SIMD', (simd) => {
  test('any sizes, formats and groups', async () => {
    const device = await wasm({ simd });
    const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
    const cases = fc
      .record({
        m: size(30),
        n: size(30),
        k: fc.nat(200),
        a: fc.constantFrom('int8' as const, 'uint8' as const),
        aBits: fc.constantFrom(7 as const, 8 as const),
        bBits: fc.constantFrom(4 as const, 8 as const),
        group: fc.option(fc.integer({ min: 1, max: 40 }), { freq: 2 }),
        seed: fc.nat(1000),
      })
      // Groups of 4-bit values are even, and often whole steps of 16.
      .map((own) => ({ ...own, group: own.group !== null && own.bBits === 4 ? (own.group % 4 === 0 ? 16 : 2) * own.group : own.group }));
    fc.assert(
      fc.property(cases, (own) => check(device, own)),
      { numRuns: 200 },
    );
  });

  test('several blocks of rows, columns and k', async () => {
    const device = await wasm({ simd });
    for (const group of [null, 48]) {
      const common = { a: 'uint8', aBits: 7, group, seed: 3 } as const;
      check(device, { m: 125, n: 270, k: 70, bBits: 8, ...common });
      check(device, { m: 9, n: 11, k: 4500, bBits: 4, ...common });
    }
  });

  test('few rows of long vectors, more of them than a unit has', async () => {
    const device = await wasm({ simd });
    for (const bBits of [4, 8] as const)
      for (const group of [null, 32]) check(device, { m: 3, n: 71, k: 9001, a: 'int8', aBits: 8, bBits, group, seed: 4 });
  });

  test('an epilogue over padded sums, and one over sums in the order of columns', async () => {
    const device = await wasm({ simd });
    const [m, n, k] = [5, 7, 20];
    for (const rows of [m, 13]) {
      const [a, b] = [wholes(rows * k, -128, 127, 1), wholes(n * k, -128, 127, 2)];
      const scale = wholes(n, 1, 9, 3);
      const kernel: QuantizedContractKernel = {
        kind: 'quantizedContract',
        aBits: 8,
        bBits: 8,
        group: null,
        operands: [
          dense('int8'),
          dense('int8'),
          { dtype: 'float32', access: 'read', layout: { broadcast: [true, false] }, space: 'kept' },
          { dtype: 'float32', access: 'write', layout: 'strided', space: 'kept' },
          { dtype: 'int32', access: 'write', layout: 'strided', space: 'kept' },
        ],
        scalars: [],
        outputs: [
          { operand: 3, value: apply('multiply', cast(accumulator('int32'), 'float32'), load('float32', 2)) },
          { operand: 4, value: accumulator('int32') },
        ],
      };
      const columnMajor = [0, 1, rows];
      const results = runDense(device, kernel, [rows, n, k], [a, b, scale, rows * n, rows * n], [], [0, 0, 1, 0, n, 1, ...columnMajor]);
      const sum = (row: number, column: number): number =>
        Array.from({ length: k }, (_, i) => (a[row * k + i] ?? NaN) * (b[column * k + i] ?? NaN)).reduce((x, y) => x + y);
      expect(results[3]).toEqual(Array.from({ length: rows * n }, (_, at) => sum(Math.floor(at / n), at % n) * (scale[at % n] ?? NaN)));
      expect(results[4]).toEqual(Array.from({ length: rows * n }, (_, at) => sum(at % rows, Math.floor(at / rows))));
    }
  });
});
