/** Blocks, executables and errors of the backend object. */

import {
  BackendDisposedError,
  BlockError,
  CONTRACT_VERSION,
  KernelError,
  OutOfMemoryError,
  UnsupportedError,
  apply,
  assertContract,
  constant,
  load,
} from '@gradus/backend';
import type { Arg, Backend, Kernel, MapKernel } from '@gradus/backend';
import { describe, expect, test } from 'vitest';

import { bytesOf, operand, put } from '../test/support.ts';
import { cpu } from './index.ts';

const NEGATE: MapKernel = {
  kind: 'map',
  rank: 1,
  operands: [operand('float32'), operand('float32', 'write')],
  scalars: [],
  outputs: [{ operand: 1, value: apply('negate', load('float32', 0)) }],
};
const DIMS = Int32Array.of(1, 0, 1, 0, 1);

/** A kernel with a malformed expression, as plain JavaScript could make it. */
const withName = (value: unknown): MapKernel => ({ ...NEGATE, outputs: [{ operand: 1, value: value as MapKernel['outputs'][number]['value'] }] });

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('contract', () => {
  test('version, name and capabilities', () => {
    const device = cpu();
    assertContract(device);
    expect(device.contract).toBe(CONTRACT_VERSION);
    expect(device.name).toBe('cpu');
    expect(device.capabilities.dtypes.float64).toEqual({ store: true, compute: true, accumulate: true });
    expect(device.capabilities.dtypes.bfloat16).toEqual({ store: true, compute: false, accumulate: false });
  });
});

describe('memory', () => {
  test('counts live bytes exactly', () => {
    const device = cpu();
    const [a, b, c] = [device.allocate(3), device.allocate(0), device.allocate(1000)];
    expect(device.allocatedBytes).toBe(1003);
    device.free(c);
    expect(device.allocatedBytes).toBe(3);
    device.free(a);
    device.free(b);
    expect(device.allocatedBytes).toBe(0);
  });

  test('writes and reads bytes at offsets, and copies', async () => {
    const device = cpu();
    const block = device.allocate(5);
    const bytes = Uint8Array.of(1, 2, 3);
    device.write(block, Uint8Array.of(9, 9, 9, 9, 9));
    device.write(block, bytes, 1);
    bytes.fill(0);
    const read = device.read(block, 0, 5);
    device.write(block, Uint8Array.of(7), 0);
    expect([...(await read)]).toEqual([9, 1, 2, 3, 9]);
    expect([...bytesOf(device, block)]).toEqual([7, 1, 2, 3, 9]);
    expect(device.readSync?.(block, 5, 0)).toEqual(new Uint8Array(0));
  });

  test('blocks whose length is no multiple of the element size hold whole elements', () => {
    const device = cpu();
    const [from, to] = [device.allocate(7), device.allocate(7)];
    device.write(from, new Uint8Array(Float32Array.of(2).buffer));
    device.run(device.prepare(NEGATE), [from, to], DIMS);
    expect(bytesOf(device, to).slice(0, 4)).toEqual(new Uint8Array(Float32Array.of(-2).buffer));
  });

  test('refuses ranges outside a block', async () => {
    const device = cpu();
    const block = device.allocate(4);
    expect(() => device.write(block, new Uint8Array(5))).toThrow(BlockError);
    expect(() => device.write(block, new Uint8Array(1), -1)).toThrow(BlockError);
    expect(() => device.readSync?.(block, 2, 3)).toThrow(BlockError);
    await expect(device.read(block, 0, 5)).rejects.toThrow('[cpu.read] expected a range within the block of 4 bytes, got offset 0 and length 5.');
  });

  test('refuses freed and foreign blocks everywhere', async () => {
    const [device, other] = [cpu(), cpu()];
    const [freed, mine, foreign] = [device.allocate(4), device.allocate(4), other.allocate(4)];
    device.free(freed);
    const executable = device.prepare(NEGATE);
    for (const bad of [freed, foreign]) {
      expect(() => device.free(bad)).toThrow(BlockError);
      expect(() => device.write(bad, new Uint8Array(1))).toThrow(BlockError);
      expect(() => device.readSync?.(bad, 0, 1)).toThrow(BlockError);
      await expect(device.read(bad, 0, 1)).rejects.toThrow(BlockError);
      expect(() => device.run(executable, [bad, mine], DIMS)).toThrow(BlockError);
      expect(() => device.run(executable, [mine, bad], DIMS)).toThrow(BlockError);
    }
    expect(device.allocatedBytes).toBe(4);
    expect(other.allocatedBytes).toBe(4);
  });

  test('says what was asked for and what is live when memory is short', () => {
    const device = cpu({ memoryLimitBytes: 100 });
    device.allocate(60);
    const error = thrown(() => device.allocate(50));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(String(error)).toContain('expected at most 100 bytes in all, got 50 bytes with 60 bytes live');
    expect(device.allocatedBytes).toBe(60);
    device.allocate(40);
    expect(thrown(() => cpu().allocate(2 ** 40))).toBeInstanceOf(OutOfMemoryError);
    expect(() => device.allocate(-1)).toThrow(BlockError);
    expect(() => device.allocate(1.5)).toThrow(BlockError);
  });
});

describe('kernels', () => {
  test('equal structures share an executable', () => {
    const device = cpu();
    expect(device.prepare({ ...NEGATE })).toBe(device.prepare(NEGATE));
  });

  test('what cannot be run is refused by supports and by prepare', () => {
    const device = cpu();
    const half: MapKernel = {
      ...NEGATE,
      operands: [operand('float16'), operand('float16', 'write')],
      outputs: [{ operand: 1, value: apply('negate', load('float16', 0)) }],
    };
    const sort: Kernel = { kind: 'sort', descending: false, operands: [], scalars: [] };
    const contract: Kernel = {
      kind: 'contract',
      rank: 3,
      accumulate: 'int8',
      operands: [operand('int8'), operand('int8'), operand('int8', 'write', 'contiguous', 'kept')],
      scalars: [],
      outputs: [],
    };
    for (const kernel of [half, sort, contract]) {
      expect(device.supports(kernel)).toBe(false);
      expect(() => device.prepare(kernel)).toThrow(UnsupportedError);
    }
    expect(device.supports(NEGATE)).toBe(true);
  });

  test('broken kernels are refused, and names never reach the source', () => {
    const device = cpu();
    expect(() => device.prepare({ ...NEGATE, outputs: [] })).toThrow(KernelError);
    expect(() => device.prepare(withName({ op: 'constant', dtype: 'float32', value: '0; globalThis.stolen = 1' }))).toThrow(KernelError);
    expect(() => device.prepare(withName({ op: 'load', dtype: 'float32', operand: '0' }))).toThrow(KernelError);
    expect(() => device.prepare(withName({ op: 'toString', dtype: 'float32', args: [constant('float32', 1)] }))).toThrow(KernelError);
    expect(() => device.prepare({ ...NEGATE, rank: '1' as unknown as number })).toThrow(KernelError);
    expect(() =>
      device.prepare({ ...NEGATE, operands: [{ ...operand('float32'), dtype: 'complex64' as never }, operand('float32', 'write')] }),
    ).toThrow(UnsupportedError);
  });

  test('refuses wrong arguments, and leaves blocks as they were', () => {
    const device = cpu();
    const [from, to] = [put(device, 'float32', [1]), put(device, 'float32', [5])];
    const executable = device.prepare(NEGATE);
    const wrong: readonly (readonly [readonly Arg[], Int32Array])[] = [
      [[from], DIMS],
      [[from, to, 1], DIMS],
      [[from, to], DIMS.slice(1)],
      [[from, 3], DIMS],
    ];
    for (const [args, dims] of wrong) expect(() => device.run(executable, args, dims)).toThrow(/expected/);
    expect(() => cpu().run(executable, [from, to], DIMS)).toThrow(KernelError);
    expect(bytesOf(device, to)).toEqual(new Uint8Array(Float32Array.of(5).buffer));
  });

  test('empty index spaces touch nothing', () => {
    const device = cpu();
    const [from, to] = [device.allocate(0), put(device, 'float32', [5])];
    device.run(device.prepare(NEGATE), [from, to], Int32Array.of(0, 0, 1, 0, 1));
    expect(bytesOf(device, to)).toEqual(new Uint8Array(Float32Array.of(5).buffer));
  });
});

test('after dispose every call but dispose throws BackendDisposedError', async () => {
  const device: Backend = cpu();
  const block = device.allocate(4);
  const executable = device.prepare(NEGATE);
  device.dispose();
  device.dispose();
  expect(device.allocatedBytes).toBe(0);
  const calls: readonly (() => unknown)[] = [
    () => device.allocate(1),
    () => device.free(block),
    () => device.write(block, new Uint8Array(1)),
    () => device.readSync?.(block, 0, 1),
    () => device.prepare(NEGATE),
    () => device.run(executable, [block, block], DIMS),
    () => device.flush(),
  ];
  for (const call of calls) expect(call).toThrow(BackendDisposedError);
  await expect(device.read(block, 0, 1)).rejects.toThrow(BackendDisposedError);
  await expect(device.synchronize()).rejects.toThrow(BackendDisposedError);
});
