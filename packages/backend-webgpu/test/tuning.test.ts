/** Tuning: what was measured is used, kept, and found by the next device. Nothing here depends on which tile is the fastest. */

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KernelError } from '@gradus/backend';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { webgpu } from '../src/index.ts';
import type { WebGpuDevice } from '../src/index.ts';
import { TILES, shapeClass } from '../src/product/tiles.ts';
import { noDawn } from './dawn.ts';

const SHAPE = { batch: 1, m: 8, n: 8, k: 16 };

describe.skipIf(noDawn !== null)('tuning', () => {
  let folder: string;
  let path: string;
  const devices: WebGpuDevice[] = [];
  const open = async (tuning: { readonly path: string } | false): Promise<WebGpuDevice> => {
    const device = await webgpu({ tuning });
    devices.push(device);
    return device;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gradus-tuning-'));
    path = join(folder, 'nested', 'tiles.json');
  });
  afterEach(async () => {
    for (const device of devices.splice(0)) device.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  test('choices are kept in the file, and a second device has them', async () => {
    const device = await open({ path });
    expect(device.tunedTiles.size).toBe(0);
    expect(await readdir(folder)).toEqual([]);
    const [found] = await device.tune([SHAPE]);
    expect(found?.shape).toEqual(SHAPE);
    expect(Object.keys(TILES)).toContain(found?.choice.tile);
    expect(found?.milliseconds).toBeLessThanOrEqual(found?.defaultMilliseconds ?? 0);
    expect([...device.tunedTiles]).toEqual([[shapeClass(SHAPE), found?.choice]]);
    expect(device.statistics.blocks).toBe(0);
    expect(await readdir(join(folder, 'nested'))).toEqual(['tiles.json']);

    const second = await open({ path });
    expect([...second.tunedTiles]).toEqual([...device.tunedTiles]);
    expect((await open(false)).tunedTiles.size).toBe(0);
  });

  test('a file that is no JSON, or holds other things, counts as empty; tuning replaces it', async () => {
    const flat = join(folder, 'tiles.json');
    for (const text of ['{ "webgpu', '[1, 2]', '"text"']) {
      await writeFile(flat, text);
      expect((await open({ path: flat })).tunedTiles.size).toBe(0);
    }
    await (await open({ path: flat })).tune([]);
    expect(Object.keys(JSON.parse(await readFile(flat, 'utf8')) as object)).toHaveLength(1);
  });

  test('of an entry, what is no choice is left out', async () => {
    const device = await open({ path });
    await device.tune([]);
    const [name = ''] = Object.keys(JSON.parse(await readFile(path, 'utf8')) as object);
    const entry = { '0.3.3.4': { tile: '32x32', split: true }, '0.0.0.0': { tile: '5x5', split: true }, '1.1.1.1': 7 };
    await writeFile(path, JSON.stringify({ [name]: entry, 'another card': { '2.2.2.2': { tile: '16x16', split: false } } }));
    expect([...(await open({ path })).tunedTiles]).toEqual([['0.3.3.4', { tile: '32x32', split: true }]]);
  });

  test('sizes that are no sizes', async () => {
    const device = await open(false);
    await expect(device.tune([{ ...SHAPE, k: 0 }])).rejects.toThrow(KernelError);
    await expect(device.tune([{ ...SHAPE, m: 1.5 }])).rejects.toThrow(/\[webgpu.tune\] expected .* got batch 1, m 1.5/);
  });
});
