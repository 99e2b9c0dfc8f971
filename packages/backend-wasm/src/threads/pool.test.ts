import { describe, expect, test } from 'vitest';
import { accumulator } from '@gradus/backend';
import type { Executable } from '@gradus/backend';
import { i32, select, workspace } from '../assembler/instructions.ts';
import { ModuleWriter } from '../assembler/module.ts';
import type { WasmBackend } from '../backend.ts';
import { createWasm } from '../create.ts';
import { webAssembly } from '../engine/webassembly.ts';
import type { UnitCode } from '../launch/launch.ts';
import { Heap, MAXIMUM_PAGES } from '../memory/heap.ts';
import { CONTROL } from './control.ts';
import { WorkerLostError } from './errors.ts';
import { WorkerPool } from './pool.ts';

const now = (): number => performance.now();
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** A pool of two threads, and code that the caller and the worker run in it. */
async function poolWith(
  write: (module: ModuleWriter) => void,
  stallMilliseconds = 10_000,
): Promise<{ pool: WorkerPool; heap: Heap; code: UnitCode }> {
  const heap = new Heap(true);
  const pool = new WorkerPool(heap, 2, 64, now, stallMilliseconds);
  const module = new ModuleWriter({ shared: true, maximumPages: MAXIMUM_PAGES });
  write(module);
  const bytes = module.finish();
  const api = webAssembly();
  const { exports } = new api.Instance(new api.Module(bytes), { env: { memory: heap.memory, workspace: 0 } });
  const code: UnitCode = { run: exports['run'] as UnitCode['run'], module: pool.publish(bytes) };
  await pool.allReady();
  return { pool, heap, code };
}

/** Long enough for a worker to be woken and scheduled on a machine that has other things to do. */
const SPINS_PER_UNIT = 20_000;
/** Most jobs until a worker has had a part in one. */
const MOST_JOBS = 2_000;

/** Each unit takes a while, then writes its number, and one where the worker (whose workspace is not at 0) did it, to its place in the frame. */
function writeUnits(module: ModuleWriter, spins = 0): void {
  const parameters = ['i32', 'i32', 'i32'] as const;
  module.function(
    parameters,
    null,
    (code) => {
      const frame = code.parameter(0, 'i32');
      code.for(
        code.parameter(2, 'i32'),
        (unit) => {
          if (spins > 0) code.for(i32.const(spins), () => {});
          const at = i32.add(frame, i32.mul(unit, i32.const(8)));
          code.effect(i32.store(at, unit));
          code.effect(i32.store(at, select(i32.eqz(workspace), i32.const(0), i32.const(1)), 4));
        },
        code.parameter(1, 'i32'),
      );
    },
    'run',
  );
}

describe('WorkerPool', () => {
  test('does every unit of every job once, in jobs of any number of units', async () => {
    const { pool, heap, code } = await poolWith(writeUnits);
    const frame = heap.take(8 * 5000);
    for (let job = 0; job < 3000; job++) {
      const units = 1 + ((job * 37) % 97);
      heap.words.fill(-1, frame / 4, frame / 4 + 2 * units + 2);
      pool.run(code, frame, units);
      const words = heap.words.subarray(frame / 4, frame / 4 + 2 * units + 2);
      for (let unit = 0; unit < units; unit++) {
        if (words[2 * unit] !== unit) throw new Error(`unit ${unit} of job ${job} was not done`);
      }
      if (words[2 * units] !== -1) throw new Error(`job ${job} did a unit too many`);
    }
    pool.dispose();
  });

  test('wakes workers that have parked, and shares work with them', async () => {
    const { pool, heap, code } = await poolWith((module) => writeUnits(module, SPINS_PER_UNIT));
    const units = 512;
    const frame = heap.take(8 * units);
    let byWorker = 0;
    for (let job = 0; job < MOST_JOBS && byWorker === 0; job++) {
      await sleep(5);
      pool.run(code, frame, units);
      for (let unit = 0; unit < units; unit++) {
        expect(heap.words[frame / 4 + 2 * unit]).toBe(unit);
        byWorker += heap.words[frame / 4 + 2 * unit + 1] ?? 0;
      }
    }
    expect(byWorker).toBeGreaterThan(0);
    pool.dispose();
  });

  test('shows workers memory that grew after they started', async () => {
    const { pool, heap, code } = await poolWith(writeUnits);
    const frame = heap.take(2 ** 26);
    for (let job = 0; job < 50; job++) {
      pool.run(code, frame + 2 ** 25, 1000);
      expect(heap.words[(frame + 2 ** 25) / 4 + 2 * 999]).toBe(999);
    }
    pool.dispose();
  });

  test('a worker that traps gives WorkerLostError, then and ever after', async () => {
    // An address outside of memory, for the worker alone.
    const { pool, code } = await poolWith((module) => {
      module.function(
        ['i32', 'i32', 'i32'],
        null,
        (body) => {
          body.for(i32.const(SPINS_PER_UNIT), () => {});
          body.effect(i32.store(select(i32.eqz(workspace), i32.const(0), i32.const(-64)), i32.const(0)));
        },
        'run',
      );
    });
    expect(() => {
      for (let job = 0; job < MOST_JOBS; job++) pool.run(code, 0, 512);
    }).toThrow(WorkerLostError);
    expect(() => pool.assertWhole('run')).toThrow(/one that trapped.*make a new device/);
    pool.dispose();
  });

  test('a worker that is at it for too long gives WorkerLostError', async () => {
    const { pool, heap, code } = await poolWith(writeUnits, 50);
    // As it is left by a worker that was ended in the middle of a chunk.
    Atomics.add(heap.words, activeWord(heap, pool, code), 1);
    expect(() => pool.run(code, 64, 64)).toThrow(WorkerLostError);
  });
});

/** Finds the word that counts active workers: seven words after the number of the latest job. */
function activeWord(heap: Heap, pool: WorkerPool, code: UnitCode): number {
  const frame = heap.take(8 * 64);
  pool.run(code, frame, 64);
  // The frame's address is in the control area alone.
  return heap.words.indexOf(frame, 16) - CONTROL.frame + CONTROL.active;
}

describe('wasm on two threads', () => {
  const operand = { dtype: 'float32', layout: 'strided' } as const;

  function product(device: WasmBackend): Executable {
    return device.prepare({
      kind: 'contract',
      rank: 3,
      accumulate: 'float32',
      operands: [
        { ...operand, access: 'read', space: 'full' },
        { ...operand, access: 'read', space: 'full' },
        { ...operand, access: 'write', space: 'kept' },
      ],
      scalars: [],
      outputs: [{ operand: 2, value: accumulator('float32') }],
    });
  }

  function multiply(device: WasmBackend, n: number): Uint8Array {
    const numbers = Float32Array.from({ length: n * n }, (_, i) => Math.sin(i));
    const [a, b, c] = [device.allocate(4 * n * n), device.allocate(4 * n * n), device.allocate(4 * n * n)];
    device.write(a, new Uint8Array(numbers.buffer));
    device.write(b, new Uint8Array(numbers.buffer));
    device.run(product(device), [a, b, c], Int32Array.of(n, n, n, 0, n, 0, 1, 0, 0, 1, n, 0, n, 1));
    return device.readSync(c, 0, 4 * n * n);
  }

  test('gives the bits of one thread', async () => {
    const one = createWasm();
    const two = createWasm({ threads: 2, shareEverything: true });
    await two.workersReady();
    for (const n of [5, 64, 131, 300]) expect(multiply(two, n)).toEqual(multiply(one, n));
    one.dispose();
    two.dispose();
  });

  test('computes alone until its workers are up', () => {
    const device = createWasm({ threads: 2, shareEverything: true });
    expect(multiply(device, 64)).toEqual(multiply(createWasm(), 64));
    device.dispose();
  });

  test('a new device works at once when one has lost a worker', async () => {
    const device = createWasm({ threads: 2, shareEverything: true });
    await device.workersReady();
    device.endWorkers();
    await sleep(100);
    expect(() => multiply(device, 64)).toThrow(WorkerLostError);
    const next = createWasm({ threads: 2 });
    expect(multiply(next, 64)).toEqual(multiply(createWasm(), 64));
    device.dispose();
    next.dispose();
  });
});
