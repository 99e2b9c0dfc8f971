import { accumulator } from '@gradus/backend';
import type { ContractKernel } from '@gradus/backend';
import { describe, expect, test } from 'vitest';
import { prepareContract } from './contract.ts';
import { TILES, chooseTile, defaultTile, scratchOf, shapeClass, spanOf, spansOf } from './tiles.ts';
import type { Tile } from './tiles.ts';

const SPLITS = { splits: true };

describe('tiles', () => {
  test.each(Object.entries<Tile>(TILES))('%s fits in 16 KiB and 256 invocations, read along either index', (_name, tile) => {
    const { rows, columns, inner, blockRows, blockColumns } = tile;
    const padded = (rows + columns) * (inner / 4 + 1) * 16;
    expect(padded).toBeLessThanOrEqual(16_384);
    expect((rows / blockRows) * (columns / blockColumns)).toBeLessThanOrEqual(256);
  });

  test('a product of 1024 reads each operand at most 1024 / 64 times', () => {
    const kernel: ContractKernel = {
      kind: 'contract',
      rank: 3,
      accumulate: 'float32',
      operands: [
        { dtype: 'float32', access: 'read', layout: 'strided', space: 'full' },
        { dtype: 'float32', access: 'read', layout: 'strided', space: 'full' },
        { dtype: 'float32', access: 'write', layout: 'contiguous', space: 'kept' },
      ],
      scalars: [],
      outputs: [{ operand: 2, value: accumulator('float32') }],
    };
    const n = 1024;
    const plan = prepareContract(kernel, { maxStorageBuffers: 8, workgroupBytes: 16_384, minSubgroupSize: 0 });
    const { dispatches } = plan(Int32Array.from([n, n, n, 0, n, 0, 1, 0, 0, 1, n, 0, n, 1]));
    expect(dispatches).toHaveLength(1);
    // A workgroup reads its rows of a and its columns of b once, so a is read as often as there are workgroups across, and b as there are down.
    const { tile } = defaultTile({ batch: 1, m: n, n, k: n }, SPLITS);
    const [across, down] = [n / TILES[tile].columns, n / TILES[tile].rows];
    expect([across, down]).toEqual([16, 16]);
    expect(dispatches.map(({ x, y }) => x * y)).toEqual([across * down]);
  });

  test('spans are multiples of every step, and no longer than 4096', () => {
    for (const k of [0, 1, 512, 513, 2 ** 18, 2 ** 18 + 1, 2 ** 24, 2 ** 30]) {
      for (const tile of Object.values<Tile>(TILES)) expect(spanOf(k) % tile.inner).toBe(0);
      expect(spanOf(k)).toBeLessThanOrEqual(4096);
      expect(spansOf(k) * spanOf(k)).toBeGreaterThanOrEqual(k);
    }
  });

  test('spans are shared out where the result is small and k is large, while scratch memory stays small', () => {
    expect(defaultTile({ batch: 1, m: 64, n: 64, k: 50_000 }, SPLITS).split).toBe(true);
    expect(defaultTile({ batch: 1, m: 64, n: 64, k: 50_000 }, { splits: false }).split).toBe(false);
    expect(defaultTile({ batch: 1, m: 2048, n: 2048, k: 50_000 }, SPLITS).split).toBe(false);
    const enormous = { batch: 1, m: 64, n: 64, k: 2 ** 26 };
    expect(scratchOf(enormous)).toBeGreaterThan(64 * 2 ** 20);
    expect(defaultTile(enormous, SPLITS).split).toBe(false);
  });

  test('what was measured is for shapes of its class, and splits only where that is possible', () => {
    const shape = { batch: 1, m: 300, n: 300, k: 3000 };
    const tuned = new Map([[shapeClass(shape), { tile: '128x64', split: true }] as const]);
    expect(chooseTile({ ...shape, m: 301 }, SPLITS, tuned)).toEqual({ tile: '128x64', split: true });
    expect(chooseTile(shape, { splits: false }, tuned)).toEqual({ tile: '128x64', split: false });
    expect(chooseTile({ ...shape, m: 600 }, SPLITS, tuned)).toEqual(defaultTile({ ...shape, m: 600 }, SPLITS));
  });
});
