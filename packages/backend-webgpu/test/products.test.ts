/** Products beyond what the conformance kit asks: around the edges of tiles, and with every tile. */

import { accumulator } from '@gradus/backend';
import type { ContractKernel } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebGpuBackend } from '../src/backend.ts';
import { openDevice } from '../src/device/adapter.ts';
import { TILES, shapeClass } from '../src/product/tiles.ts';
import type { ProductShape, TileChoice, TileName } from '../src/product/tiles.ts';
import { noDawn } from './dawn.ts';

const KERNEL: ContractKernel = {
  kind: 'contract',
  rank: 4,
  accumulate: 'float32',
  operands: [
    { dtype: 'float32', access: 'read', layout: 'strided', space: 'full' },
    { dtype: 'float32', access: 'read', layout: 'strided', space: 'full' },
    { dtype: 'float32', access: 'write', layout: 'contiguous', space: 'kept' },
  ],
  scalars: [],
  outputs: [{ operand: 2, value: accumulator('float32') }],
};

/** `b` transposed is `[n, k]` in memory. */
function dimsOf({ batch, m, n, k }: ProductShape, transposed: boolean): Int32Array {
  return Int32Array.from([batch, m, n, k, 0, m * k, k, 0, 1, 0, k * n, 0, ...(transposed ? [k, 1] : [1, n]), 0, m * n, n, 1]);
}

/** Fractions that round in every product and sum. */
function fractions(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

describe.skipIf(noDawn !== null)('products', () => {
  const tiles = new Map<string, TileChoice>();
  let device: WebGpuBackend;

  beforeAll(async () => {
    const opened = await openDevice(undefined, 'high-performance');
    device = new WebGpuBackend({ ...opened, memoryLimitBytes: Infinity, timeoutMilliseconds: 120_000, tunedTiles: tiles, store: null });
  });
  afterAll(() => device.dispose());

  /** The product of a and b, with a tile or the one that it gets by default. */
  async function multiply(shape: ProductShape, a: Float32Array, b: Float32Array, choice?: TileChoice, transposed = false): Promise<Float32Array> {
    tiles.clear();
    if (choice !== undefined) tiles.set(shapeClass(shape), choice);
    // Launches of these sizes are remembered; an epilogue of its own is another executable.
    const times = choice === undefined ? 0 : Object.keys(TILES).indexOf(choice.tile) * 2 + Number(choice.split) + 1;
    const executable = device.prepare({ ...KERNEL, scalars: Array.from({ length: times }, () => 'float32' as const) });
    const blocks = [a.byteLength, b.byteLength, 4 * shape.batch * shape.m * shape.n].map((bytes) => device.allocate(bytes));
    const [blockA, blockB, result] = blocks;
    if (blockA === undefined || blockB === undefined || result === undefined) throw new Error('three blocks were allocated');
    device.write(blockA, new Uint8Array(a.buffer));
    device.write(blockB, new Uint8Array(b.buffer));
    device.run(executable, [...blocks, ...Array.from({ length: times }, () => 0)], dimsOf(shape, transposed));
    const bytes = await device.read(result, 0, result.byteLength);
    for (const block of blocks) device.free(block);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }

  const shape: ProductShape = { batch: 1, m: 37, n: 70, k: 1100 };
  const [a, b] = [fractions(37 * 1100, 1), fractions(1100 * 70, 2)];
  const choices = [
    ...(Object.keys(TILES) as TileName[]).map((tile): TileChoice => ({ tile, split: false })),
    { tile: '16x16', split: true } as const,
  ];

  test('any tile, split or not, gives the same bits', async () => {
    const [first = new Float32Array(), ...others] = await sequentially(choices, (choice) => multiply(shape, a, b, choice));
    const exact = reference(shape, a, b);
    const farthest = first.reduce((most, value, i) => Math.max(most, Math.abs(value - (exact[i] ?? 0))), 0);
    // Sums of 1,100 products of magnitudes up to 1, in spans of 512.
    expect(farthest).toBeLessThan(1100 * 512 * 2 ** -24);
    expect(farthest).toBeGreaterThan(0);
    for (const other of others) expect(other).toEqual(first);
  });

  test.each([
    [63, 64, 65],
    [64, 65, 64],
    [65, 63, 15],
    [16, 17, 16],
    [9, 8, 17],
    [8, 9, 33],
  ])('edges of tiles: %i × %i × %i', async (m, n, k) => {
    const whole = (count: number, by: number): Float32Array => Float32Array.from({ length: count }, (_, i) => ((i * by) % 13) - 6);
    const [left, right] = [whole(m * k, 7), whole(k * n, 5)];
    expect(await multiply({ batch: 1, m, n, k }, left, right)).toEqual(Float32Array.from(reference({ batch: 1, m, n, k }, left, right)));
  });

  test('other sizes compile no other shader', async () => {
    const ones = (count: number): Float32Array => new Float32Array(count).fill(1);
    const before = await multiply({ batch: 1, m: 21, n: 23, k: 25 }, ones(21 * 25), ones(25 * 23));
    const { shaders } = device.statistics;
    expect(await multiply({ batch: 3, m: 11, n: 29, k: 13 }, ones(3 * 11 * 13), ones(3 * 13 * 29))).toEqual(new Float32Array(3 * 11 * 29).fill(13));
    expect(device.statistics.shaders).toBe(shaders);
    expect(before).toEqual(new Float32Array(21 * 23).fill(25));
  });

  test('NaN and infinities beyond k and beyond the result stay out of it', async () => {
    const poison = (count: number, used: number): Float32Array => Float32Array.from({ length: count }, (_, i) => (i < used ? 1 : NaN));
    const odd: ProductShape = { batch: 1, m: 3, n: 5, k: 7 };
    expect(await multiply(odd, poison(64, 21), poison(64, 35))).toEqual(new Float32Array(15).fill(7));
    expect(await multiply(odd, poison(64, 21), poison(64, 35), undefined, true)).toEqual(new Float32Array(15).fill(7));
    const infinite = Float32Array.from({ length: 21 }, (_, i) => (i === 8 ? Infinity : 1));
    expect(await multiply(odd, infinite, poison(35, 35))).toEqual(Float32Array.from({ length: 15 }, (_, i) => (i >= 5 && i < 10 ? Infinity : 7)));
  });
});

async function sequentially<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}

/** In float64. */
function reference({ m, n, k }: ProductShape, a: Float32Array, b: Float32Array): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += (a[Math.floor(at / n) * k + i] ?? 0) * (b[i * n + (at % n)] ?? 0);
    return sum;
  });
}
