/** Blocks, executables, recordings and errors of the backend object, and the memory that launches take. */

import { setTimeout as later } from 'node:timers/promises';
import {
  BackendDisposedError,
  BlockError,
  CONTRACT_VERSION,
  KernelError,
  OutOfMemoryError,
  UnsupportedError,
  accumulator,
  apply,
  assertContract,
  constant,
  load,
  scalar,
} from '@gradus/backend';
import type { Arg, Backend, Block, Kernel, MapKernel, ReduceKernel, Run } from '@gradus/backend';
import { describe, expect, test } from 'vitest';
import { bytesOf, filled, get, operand, put, run } from '../test/support.ts';
import { wasm } from './index.ts';

const NEGATE: MapKernel = {
  kind: 'map',
  rank: 1,
  operands: [operand('float32'), operand('float32', 'write')],
  scalars: [],
  outputs: [{ operand: 1, value: apply('negate', load('float32', 0)) }],
};
const DIMS = Int32Array.of(1, 0, 1, 0, 1);
const dimsOf = (length: number): Int32Array => Int32Array.of(length, 0, 1, 0, 1);

/** y = x · s, and a sum that goes on from it. */
const SCALE: MapKernel = {
  ...NEGATE,
  scalars: ['float32'],
  outputs: [{ operand: 1, value: apply('multiply', load('float32', 0), scalar('float32', 0)) }],
};
const SUM: ReduceKernel = {
  kind: 'reduce',
  rank: 1,
  folded: 1,
  operands: [operand('float32'), operand('float32', 'write', 'contiguous', 'kept')],
  scalars: [],
  folds: [{ fold: 'sum', value: load('float32', 0) }],
  outputs: [{ operand: 1, value: accumulator('float32') }],
};

/** A kernel with a malformed expression, as plain JavaScript could make it. */
const withValue = (value: unknown): MapKernel => ({ ...NEGATE, outputs: [{ operand: 1, value: value as MapKernel['outputs'][number]['value'] }] });

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** A device that records and replays, as this one does. */
type Recorder = Backend & Required<Pick<Backend, 'record' | 'replay'>>;

function isRecorder(device: Backend): device is Recorder {
  return device.record !== undefined && device.replay !== undefined;
}

async function recorder(): Promise<Recorder> {
  const device = await wasm();
  if (!isRecorder(device)) throw new Error('the wasm backend records');
  return device;
}

/** Where a new block of `byteLength` would begin: the heap is as full as what comes before. */
function addressOfNew(device: Backend, byteLength: number): number {
  const block = device.allocate(byteLength);
  const { address } = block as Block & { readonly address: number };
  device.free(block);
  return address;
}

describe('contract', () => {
  test('version and capabilities', async () => {
    const device = await wasm({ simd: 'off' });
    assertContract(device);
    expect(device.contract).toBe(CONTRACT_VERSION);
    expect(device.capabilities.simd).toBe(false);
    expect(device.capabilities.dtypes.float64).toEqual({ store: false, compute: false, accumulate: false });
    expect((await wasm({ simd: 'plain' })).capabilities.simd).toBe(true);
  });
});

describe('memory', () => {
  test('counts live bytes exactly', async () => {
    const device = await wasm();
    const [a, b, c] = [device.allocate(3), device.allocate(0), device.allocate(1000)];
    expect(device.allocatedBytes).toBe(1003);
    device.free(c);
    expect(device.allocatedBytes).toBe(3);
    device.free(a);
    device.free(b);
    expect(device.allocatedBytes).toBe(0);
  });

  test('writes and reads bytes at offsets, and copies', async () => {
    const device = await wasm();
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

  test('refuses ranges outside a block', async () => {
    const device = await wasm();
    const block = device.allocate(4);
    expect(() => device.write(block, new Uint8Array(5))).toThrow(BlockError);
    expect(() => device.write(block, new Uint8Array(1), -1)).toThrow(BlockError);
    expect(() => device.readSync?.(block, 2, 3)).toThrow(BlockError);
    expect(() => device.readSync?.(block, 0.5, 1)).toThrow(BlockError);
    await expect(device.read(block, 0, 5)).rejects.toThrow('expected a range within the block of 4 bytes, got offset 0 and length 5.');
  });

  test('refuses freed and foreign blocks everywhere, and leaves the account as it was', async () => {
    const [device, other] = [await wasm(), await wasm()];
    const [freed, mine, foreign] = [device.allocate(4), device.allocate(4), other.allocate(4)];
    device.free(freed);
    const executable = device.prepare(NEGATE);
    for (const bad of [freed, foreign, { byteLength: 4 }]) {
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

  test('says what was asked for and what is live when memory is short', async () => {
    const device = await wasm({ memoryLimitBytes: 100 });
    device.allocate(60);
    const error = thrown(() => device.allocate(50));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(String(error)).toContain('expected at most 100 bytes in all, got 50 bytes with 60 bytes live');
    expect(device.allocatedBytes).toBe(60);
    device.allocate(40);
    expect(thrown(() => device.allocate(2 ** 40))).toBeInstanceOf(OutOfMemoryError);
    expect(() => device.allocate(-1)).toThrow(BlockError);
    expect(() => device.allocate(1.5)).toThrow(BlockError);
  });

  test('blocks keep their contents while the heap grows, and kernels run on them right after', async () => {
    const device = await wasm();
    const values = Array.from({ length: 1000 }, (_, i) => i);
    const before = put(device, 'float32', values);
    run(device, NEGATE, [before, device.allocate(4000)], [...dimsOf(1000)]);
    // Frames of launches lie in the memory that grows as well.
    for (let i = 1; i <= 5; i++) {
      const large = device.allocate(i * 3_000_000);
      const after = device.allocate(4000);
      run(device, NEGATE, [before, after], [...dimsOf(1000)]);
      expect(get(device, after, 'float32')).toEqual(values.map((x) => -x));
      device.write(large, Uint8Array.of(7), large.byteLength - 1);
      expect(bytesOf(device, large).at(-1)).toBe(7);
    }
    expect(get(device, before, 'float32')).toEqual(values);
  });
});

describe('kernels', () => {
  test('equal structures share an executable', async () => {
    const device = await wasm();
    expect(device.prepare({ ...NEGATE })).toBe(device.prepare(NEGATE));
  });

  test('what cannot be run is refused by supports and by prepare', async () => {
    const device = await wasm();
    const double: MapKernel = {
      ...NEGATE,
      operands: [operand('float64'), operand('float64', 'write')],
      outputs: [{ operand: 1, value: apply('negate', load('float64', 0)) }],
    };
    const half: MapKernel = {
      ...NEGATE,
      operands: [operand('float16'), operand('float16', 'write')],
      outputs: [{ operand: 1, value: apply('negate', load('float16', 0)) }],
    };
    const fft: Kernel = { kind: 'fft', inverse: false, operands: [], scalars: [] } as unknown as Kernel;
    for (const kernel of [double, half, fft]) {
      expect(device.supports(kernel)).toBe(false);
      expect(() => device.prepare(kernel)).toThrow(UnsupportedError);
    }
    expect(device.supports(NEGATE)).toBe(true);
  });

  test('broken kernels are refused', async () => {
    const device = await wasm();
    expect(() => device.prepare({ ...NEGATE, outputs: [] })).toThrow(KernelError);
    expect(() => device.prepare(withValue({ op: 'load', dtype: 'float32', operand: 7 }))).toThrow(KernelError);
    expect(() => device.prepare(withValue({ op: 'toString', dtype: 'float32', args: [constant('float32', 1)] }))).toThrow(KernelError);
    expect(() =>
      device.prepare({ ...NEGATE, operands: [{ ...operand('float32'), dtype: 'complex64' as never }, operand('float32', 'write')] }),
    ).toThrow(UnsupportedError);
  });

  test('refuses wrong arguments, and leaves blocks as they were', async () => {
    const device = await wasm();
    const [from, to] = [put(device, 'float32', [1]), put(device, 'float32', [5])];
    const executable = device.prepare(NEGATE);
    const wrong: readonly (readonly [readonly Arg[], Int32Array])[] = [
      [[from], DIMS],
      [[from, to, 1], DIMS],
      [[from, to], DIMS.slice(1)],
      [[from, 3], DIMS],
    ];
    for (const [args, dims] of wrong) expect(() => device.run(executable, args, dims)).toThrow(/expected/);
    const scaled = device.prepare(SCALE);
    expect(() => device.run(scaled, [from, to, from], DIMS)).toThrow(KernelError);
    expect(get(device, to, 'float32')).toEqual([5]);
  });

  test('executables of another device are refused', async () => {
    const [device, other] = [await wasm(), await wasm()];
    const [from, to] = [put(device, 'float32', [1]), put(device, 'float32', [5])];
    expect(() => device.run(other.prepare(NEGATE), [from, to], DIMS)).toThrow(KernelError);
    expect(() => device.run({ kernel: NEGATE }, [from, to], DIMS)).toThrow(KernelError);
    expect(get(device, to, 'float32')).toEqual([5]);
  });

  test('arguments and dims may be reused as soon as a run returns', async () => {
    const device = await wasm();
    const [from, to] = [put(device, 'float32', [1, 2, 3]), put(device, 'float32', [0, 0, 0])];
    const args: Arg[] = [from, to];
    const dims = dimsOf(2);
    device.run(device.prepare(NEGATE), args, dims);
    args.length = 0;
    dims[0] = 3;
    device.run(device.prepare(NEGATE), [to, from], dims);
    expect(get(device, from, 'float32')).toEqual([1, 2, -0]);
  });

  test('empty index spaces touch nothing', async () => {
    const device = await wasm();
    const [from, to] = [device.allocate(0), put(device, 'float32', [5])];
    device.run(device.prepare(NEGATE), [from, to], dimsOf(0));
    expect(get(device, to, 'float32')).toEqual([5]);
  });
});

describe('launches', () => {
  test('of ten thousand sizes take no more memory than those of a hundred', async () => {
    const device = await wasm();
    const [from, to] = [device.allocate(80_000), device.allocate(80_000)];
    const executable = device.prepare(NEGATE);
    for (let length = 1; length <= 100; length++) device.run(executable, [from, to], dimsOf(length));
    // A block larger than any hole begins where the heap in use ends.
    const before = addressOfNew(device, 500_000);
    for (let length = 101; length <= 10_100; length++) device.run(executable, [from, to], dimsOf(length));
    expect(addressOfNew(device, 500_000)).toBe(before);
  });

  test('that were forgotten are made again, with the same results', async () => {
    const device = await wasm();
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    const [from, to] = [put(device, 'float32', values), put(device, 'float32', values)];
    for (let round = 0; round < 3; round++)
      for (let length = 1; length <= 100; length++) {
        device.write(to, new Uint8Array(400));
        device.run(device.prepare(NEGATE), [from, to], dimsOf(length));
        expect(get(device, to, 'float32')).toEqual(values.map((x, i) => (i < length ? -x : 0)));
      }
  });
});

describe('recordings', () => {
  const length = 37;
  const values = Array.from({ length }, (_, i) => Math.fround(Math.sin(i) * 3));

  /** Three runs in a row, and their arguments over some blocks. */
  function steps(device: Recorder): { runs: (args: readonly Arg[]) => Run[]; blocks: (x: readonly number[]) => [Block, Block, Block, Block] } {
    const [scale, negate, sum] = [SCALE, NEGATE, SUM].map((kernel) => device.prepare(kernel));
    if (scale === undefined || negate === undefined || sum === undefined) throw new Error('three executables');
    return {
      runs: (args) => [
        { executable: scale, args: args.slice(0, 3), dims: dimsOf(length) },
        { executable: negate, args: args.slice(3, 5), dims: dimsOf(length) },
        { executable: sum, args: args.slice(5, 7), dims: Int32Array.of(length, 0, 1, 0) },
      ],
      blocks: (x) => [put(device, 'float32', x), device.allocate(4 * length), device.allocate(4 * length), device.allocate(4)],
    };
  }

  const argsOf = ([x, y, z, s]: readonly [Block, Block, Block, Block], by: number): Arg[] => [x, y, by, y, z, z, s];

  test('a replay equals the runs, to the bit, on these blocks and on others', async () => {
    const device = await recorder();
    const { runs, blocks } = steps(device);
    const first = blocks(values);
    const recording = device.record(runs(argsOf(first, 1)));
    expect(recording.length).toBe(3);
    for (const [x, by] of [
      [values, 1],
      [values.map((v) => Math.fround(v * 7)), 0.1],
      [values.toReversed(), -3],
    ] as const) {
      const [direct, replayed] = [blocks(x), blocks(x)];
      for (const { executable, args, dims } of runs(argsOf(direct, by))) device.run(executable, args, dims);
      device.replay(recording, argsOf(replayed, by));
      direct.forEach((block, i) => expect(bytesOf(device, replayed[i] ?? block)).toEqual(bytesOf(device, block)));
      expect(get(device, replayed[2], 'float32')).toEqual(x.map((v) => -Math.fround(v * Math.fround(by))));
    }
  });

  test('recording runs nothing, and what is passed may be reused', async () => {
    const device = await recorder();
    const [from, to] = [put(device, 'float32', [1, 2]), put(device, 'float32', [8, 9])];
    const dims = dimsOf(2);
    const recording = device.record([{ executable: device.prepare(NEGATE), args: [from, to], dims }]);
    expect(get(device, to, 'float32')).toEqual([8, 9]);
    dims.fill(0);
    device.replay(recording, [from, to]);
    expect(get(device, to, 'float32')).toEqual([-1, -2]);
  });

  test('a replay survives growth of the heap and other launches of its executables', async () => {
    const device = await recorder();
    const { runs, blocks } = steps(device);
    const own = blocks(values);
    const recording = device.record(runs(argsOf(own, 2)));
    device.replay(recording, argsOf(own, 2));
    const before = own.map((block) => bytesOf(device, block));
    const large = device.allocate(20_000_000);
    for (let n = 1; n <= 50; n++) device.run(device.prepare(NEGATE), [large, device.allocate(4 * n)], dimsOf(n));
    device.replay(recording, argsOf(own, 2));
    expect(own.map((block) => bytesOf(device, block))).toEqual(before);
  });

  test('wrong arguments, freed blocks and recordings of others are refused', async () => {
    const [device, other] = [await recorder(), await recorder()];
    const [from, to] = [put(device, 'float32', [1]), put(device, 'float32', [5])];
    const recording = device.record([{ executable: device.prepare(NEGATE), args: [from, to], dims: DIMS }]);
    expect(() => device.replay(recording, [from])).toThrow(KernelError);
    expect(() => device.replay(recording, [from, to, 1])).toThrow(KernelError);
    expect(() => other.replay(recording, [from, to])).toThrow(KernelError);
    expect(() => device.replay({ length: 1 }, [from, to])).toThrow(KernelError);
    expect(() => device.record([{ executable: other.prepare(NEGATE), args: [from, to], dims: DIMS }])).toThrow(KernelError);
    expect(() => device.replay(recording, [from, 3])).toThrow(BlockError);
    device.free(from);
    expect(() => device.replay(recording, [from, to])).toThrow(BlockError);
    expect(get(device, to, 'float32')).toEqual([5]);
  });

  test('recordings that nobody holds give their memory back', async () => {
    const collect = globalThis.gc;
    if (collect === undefined) throw new Error('run with --expose-gc');
    const device = await recorder();
    const [from, to] = [device.allocate(4), device.allocate(4)];
    const runs = filled(1000, 0).map((): Run => ({ executable: device.prepare(NEGATE), args: [from, to], dims: DIMS }));
    const record = (count: number): void => {
      for (let i = 0; i < count; i++) device.record(runs);
    };
    const before = addressOfNew(device, 900_000);
    record(20);
    expect(addressOfNew(device, 900_000)).toBeGreaterThan(before);
    // Finalizers run some time after a collection; there is no event to wait for.
    for (let round = 0; round < 200 && addressOfNew(device, 900_000) !== before; round++) {
      collect();
      await later(5);
    }
    expect(addressOfNew(device, 900_000)).toBe(before);
  });
});

test('after dispose every call but dispose throws BackendDisposedError', async () => {
  const device = await recorder();
  const block = device.allocate(4);
  const executable = device.prepare(NEGATE);
  const recording = device.record([{ executable, args: [block, block], dims: DIMS }]);
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
    () => device.record([]),
    () => device.replay(recording, [block, block]),
    () => device.flush(),
  ];
  for (const call of calls) expect(call).toThrow(BackendDisposedError);
  await expect(device.read(block, 0, 1)).rejects.toThrow(BackendDisposedError);
  await expect(device.synchronize()).rejects.toThrow(BackendDisposedError);
});
