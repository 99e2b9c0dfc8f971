/** Running folds and sorts where the conformance kit does not go: around the sizes at which the way changes, long rows, bits. */

import { DTYPES } from '@gradus/backend';
import type { DType, ScanKernel, SortKernel } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noDawn } from '../../test/dawn.ts';
import { webgpu } from '../index.ts';
import { get, operand, put, run } from '../../test/support.ts';
import type { WebGpuDevice } from '../index.ts';

/** Whole numbers below 2³² without a pattern (Knuth's multiplicative hash). */
function scrambled(count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 0);
}

describe.skipIf(noDawn !== null)(noDawn === null ? 'rows in order' : `rows in order (skipped: ${noDawn})`, () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await webgpu();
  });
  afterAll(() => device.dispose());

  /** Runs a kernel on [rows, columns] elements; gives its results. */
  async function results(kernel: ScanKernel | SortKernel, rows: number, values: readonly number[]): Promise<number[][]> {
    const [x, ...written] = kernel.operands;
    const blocks = written.map(({ dtype }) => device.allocate(values.length * DTYPES[dtype].bytes));
    const input = put(device, x?.dtype ?? 'float32', values);
    const dims = [rows, values.length / rows, ...kernel.operands.flatMap(() => [0, values.length])];
    run(device, kernel, [input, ...blocks], dims);
    const found = await Promise.all(written.map(({ dtype }, i) => get(device, blocks[i] ?? input, dtype)));
    for (const block of [input, ...blocks]) device.free(block);
    return found;
  }

  describe('scan', () => {
    const scan = (dtype: DType, fold: ScanKernel['fold'], exclusive: boolean, reverse: boolean): ScanKernel => ({
      kind: 'scan',
      fold,
      exclusive,
      reverse,
      operands: [operand(dtype, 'read', 'indexed'), operand(dtype, 'write', 'indexed')],
      scalars: [],
    });

    test.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])('exclusive: %s, reverse: %s', async (exclusive, reverse) => {
      const before = device.statistics.shaders;
      for (const columns of [1, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025, 2049, 16_383, 65_535, 65_536, 65_537, 70_000]) {
        const rows = 2;
        const x = scrambled(rows * columns).map((value) => value | 0);
        const want: number[] = [];
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          for (let i = 0; i < columns; i++) {
            const at = row * columns + (reverse ? columns - 1 - i : i);
            if (exclusive) want[at] = sum;
            sum = (sum + (x[at] ?? 0)) | 0;
            if (!exclusive) want[at] = sum;
          }
        }
        const [got] = await results(scan('int32', 'sum', exclusive, reverse), rows, x);
        expect(got, `${columns} columns`).toEqual(want);
      }
      // Three teams, and three passes over long rows.
      expect(device.statistics.shaders - before).toBe(6);
    });

    test('a NaN far back in a long row is seen from its place on', async () => {
      const columns = 100_000;
      const nan = 33_333;
      const [got = []] = await results(
        scan('float32', 'max', false, false),
        1,
        Array.from({ length: columns }, (_, i) => (i === nan ? NaN : -i)),
      );
      expect(got.findIndex(Number.isNaN)).toBe(nan);
      expect(got.slice(0, nan).every((value) => value === 0)).toBe(true);
      expect(got.slice(nan).every(Number.isNaN)).toBe(true);
    });

    test('sums of a long row of fractions: relative error < 1e-6', async () => {
      const x = scrambled(300_000).map((value) => Math.fround(value / 2 ** 32));
      const [got = []] = await results(scan('float32', 'sum', false, false), 1, x);
      let [sum, worst] = [0, 0];
      for (const [i, value] of x.entries()) {
        sum += value;
        worst = Math.max(worst, Math.abs((got[i] ?? NaN) - sum) / sum);
      }
      expect(worst).toBeLessThan(1e-6);
    });
  });

  describe('sort', () => {
    const sort = (dtype: DType, descending: boolean): SortKernel => ({
      kind: 'sort',
      descending,
      operands: [operand(dtype, 'read', 'indexed'), operand(dtype, 'write', 'indexed'), operand('int32', 'write', 'indexed')],
      scalars: [],
    });

    test.each([false, true])('rows of any length, descending: %s', async (descending) => {
      const before = device.statistics.shaders;
      for (const columns of [2, 3, 255, 256, 257, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4097, 10_001]) {
        const rows = 3;
        // Many equal ones in the first row, none in the second, in descending order in the third.
        const x = scrambled(rows * columns).map((value, i) => (i < columns ? value % 7 : i < 2 * columns ? value : 3 * columns - i));
        const [values = [], places = []] = await results(sort('uint32', descending), rows, x);
        for (let row = 0; row < rows; row++) {
          const part = x.slice(row * columns, (row + 1) * columns);
          const at = (place: number): number => part[place] ?? NaN;
          const order = [...part.keys()].toSorted((a, b) => (descending ? at(b) - at(a) : at(a) - at(b)));
          expect(places.slice(row * columns, (row + 1) * columns), `${columns} columns, row ${row}`).toEqual(order);
          expect(values.slice(row * columns, (row + 1) * columns)).toEqual(order.map(at));
        }
      }
      // Tiles to results and to scratch memory, merges to scratch memory and to results.
      expect(device.statistics.shaders - before).toBe(4);
    });

    test('elements are moved as the bits that they are', async () => {
      const bits = Uint32Array.of(0x7fc0_1234, 0xffc0_0001, 0x8000_0000, 0, 0x3f80_0000, 0xbf80_0000, 0x7f80_0000);
      const block = device.allocate(bits.byteLength);
      device.write(block, new Uint8Array(bits.buffer));
      const [values, places] = [device.allocate(bits.byteLength), device.allocate(bits.byteLength)];
      run(device, sort('float32', true), [block, values, places], [1, bits.length, 0, bits.length, 0, bits.length, 0, bits.length]);
      expect(await get(device, places, 'int32')).toEqual([0, 1, 6, 4, 2, 3, 5]);
      expect(await get(device, values, 'uint32')).toEqual([0, 1, 6, 4, 2, 3, 5].map((place) => bits[place]));
    });
  });
});
