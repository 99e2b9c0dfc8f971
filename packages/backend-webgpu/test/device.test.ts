/** What the contract does not ask for and users count on: flat memory, few submits, shaders compiled once, blocks used twice, large runs. */

import { apply, constant, load } from '@gradus/backend';
import type { MapKernel, ReduceKernel } from '@gradus/backend';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WebGpuDevice } from '../src/index.ts';
import { webgpu } from '../src/index.ts';
import { noDawn } from './dawn.ts';
import { COUNTING, INCREMENT, get, operand, put, run, vectorDims } from './support.ts';

const SUM: ReduceKernel = {
  kind: 'reduce',
  rank: 2,
  folded: 1,
  operands: [operand('float32'), operand('float32', 'write', 'contiguous', 'kept')],
  scalars: [],
  folds: [{ fold: 'sum', value: load('float32', 0) }],
  outputs: [{ operand: 1, value: { op: 'accumulator', dtype: 'float32', index: 0 } }],
};

describe.skipIf(noDawn !== null)(noDawn === null ? 'a webgpu device' : `a webgpu device (skipped: ${noDawn})`, () => {
  let device: WebGpuDevice;
  beforeEach(async () => {
    device = await webgpu();
  });
  afterEach(() => device.dispose());

  test('its name says what it is', () => {
    expect(device.name).toMatch(/^webgpu \(.+\)$/);
  });

  test('runs are submitted together', async () => {
    const x = put(device, 'float32', [0, 1]);
    const y = put(device, 'float32', [0, 0]);
    const before = device.statistics;
    for (let i = 0; i < 16; i++) run(device, INCREMENT, i % 2 === 0 ? [x, y] : [y, x], vectorDims(2, 0, 0));
    expect(await get(device, x, 'float32')).toEqual([16, 17]);
    const { submits, dispatches } = device.statistics;
    expect(dispatches - before.dispatches).toBe(16);
    // That of the runs, with the copy that reads them.
    expect(submits - before.submits).toBe(1);
  });

  test('no shader is compiled again for other sizes', async () => {
    for (const n of [1, 2, 255, 256, 257, 1000, 4097]) {
      const x = put(
        device,
        'float32',
        Array.from({ length: n }, (_, i) => i % 7),
      );
      const y = device.allocate(4 * n);
      run(device, INCREMENT, [x, y], vectorDims(n, 0, 0));
      expect((await get(device, y, 'float32'))[n - 1]).toBe(((n - 1) % 7) + 1);
    }
    expect(device.statistics.shaders).toBe(1);
  });

  test('a reduce has a shader for each way of folding, whatever the sizes', async () => {
    for (const [rows, columns] of [
      [1, 5],
      [5, 17],
      [3, 64],
      [2, 1000],
      [1, 65_536],
      [2, 70_001],
    ] as const) {
      const x = device.allocate(4 * rows * columns);
      run(device, COUNTING, [x], vectorDims(rows * columns, 0));
      const y = device.allocate(4 * rows);
      run(device, SUM, [x, y], [rows, columns, 0, columns, 1, 0, 1]);
      const got = await get(device, y, 'float32');
      got.forEach((sum, row) => {
        const exact = columns * (row * columns + (columns - 1) / 2);
        expect(Math.abs(sum - exact)).toBeLessThanOrEqual(exact * 1e-6);
      });
    }
    // COUNTING, alone, together, and two passes over pieces.
    expect(device.statistics.shaders).toBe(5);
  });

  test('more workgroups than one axis has', async () => {
    const n = 65_536 * 256 + 3;
    const x = device.allocate(4 * n);
    run(device, COUNTING, [x], vectorDims(n, 0));
    const last = new Float32Array((await device.read(x, 4 * (n - 3), 12)).buffer);
    expect([...last]).toEqual([n - 3, n - 2, n - 1].map(Math.fround));
  });

  test('ranges of one block are read and written by one kernel, whatever their dtypes', async () => {
    const block = put(device, 'float32', [1, 2, 3, 0, 0, 0, 0, 0]);
    run(device, INCREMENT, [block, block], vectorDims(3, 0, 3));
    const halve: MapKernel = {
      ...INCREMENT,
      operands: [operand('float32'), operand('float32', 'write'), operand('bool', 'write')],
      outputs: [
        { operand: 1, value: apply('multiply', load('float32', 0), constant('float32', 0.5)) },
        { operand: 2, value: apply('less', load('float32', 0), constant('float32', 3.5)) },
      ],
    };
    // Elements 3 to 5 are read, 0 to 2 written, and bytes 25 to 27, in the middle of words.
    run(device, halve, [block, block, block], vectorDims(3, 3, 0, 25));
    expect((await get(device, block, 'float32')).slice(0, 6)).toEqual([1, 1.5, 2, 2, 3, 4]);
    expect([...(await device.read(block, 24, 8))]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
  });

  test('two devices at once', async () => {
    const other = await webgpu();
    const [x, y] = [put(device, 'float32', [1]), put(other, 'float32', [10])];
    const [u, v] = [device.allocate(4), other.allocate(4)];
    run(device, INCREMENT, [x, u], vectorDims(1, 0, 0));
    run(other, INCREMENT, [y, v], vectorDims(1, 0, 0));
    expect(await Promise.all([get(device, u, 'float32'), get(other, v, 'float32')])).toEqual([[2], [11]]);
    expect(() => run(device, INCREMENT, [y, u], vectorDims(1, 0, 0))).toThrow('a block of this backend');
    other.dispose();
    expect(await get(device, u, 'float32')).toEqual([2]);
  });

  test('nothing grows over a thousand rounds', async () => {
    const round = async (): Promise<void> => {
      const x = put(device, 'float32', [1, 2, 3, 4]);
      const y = device.allocate(16);
      run(device, INCREMENT, [x, y], vectorDims(4, 0, 0));
      run(device, SUM, [y, x], [2, 2, 0, 2, 1, 0, 1]);
      await device.read(x, 0, 8);
      device.free(x);
      device.free(y);
    };
    for (let i = 0; i < 5; i++) await round();
    const { blocks, bindGroups, stagingBuffers, scratchBytes, shaders } = device.statistics;
    for (let i = 0; i < 1000; i++) await round();
    expect(device.statistics).toMatchObject({ blocks, bindGroups, stagingBuffers, scratchBytes, shaders });
    expect(device.allocatedBytes).toBe(0);
  });

  test('a recording is one submit, and follows its scalars and blocks', async () => {
    const scaled: MapKernel = {
      ...INCREMENT,
      scalars: ['float32'],
      outputs: [{ operand: 1, value: apply('multiply', load('float32', 0), { op: 'scalar', dtype: 'float32', index: 0 }) }],
    };
    const [x, y, z] = [put(device, 'float32', [1, 2]), device.allocate(8), device.allocate(8)];
    const dims = Int32Array.from(vectorDims(2, 0, 0));
    const recording = device.record?.([
      { executable: device.prepare(scaled), args: [x, y, 2], dims },
      { executable: device.prepare(scaled), args: [y, z, 3], dims },
    ]);
    if (recording === undefined) throw new Error('no recording');
    const before = device.statistics.submits;
    for (const [a, b] of [
      [2, 3],
      [2, 3],
      [5, 7],
    ] as const) {
      device.replay?.(recording, [x, y, a, y, z, b]);
      expect(await get(device, z, 'float32')).toEqual([a * b, 2 * a * b]);
    }
    // One for each replay, one for each read.
    expect(device.statistics.submits - before).toBe(6);
  });
});
