/** Checks of level `storage`, part 2: the order of things, prepared kernels, refused calls, the end. */

import { ALL_DTYPES, apply, kernelKey, load, scalar } from '@gradus/backend';
import type { Arg, CustomKernel, DType, Expression, MapKernel } from '@gradus/backend';
import type { Bench } from '../bench.ts';
import type { Plan } from '../plan.ts';

const ORDER = 'writes, runs, frees and reads take effect in the order of the calls';
const ERRORS = 'errors are typed, and a failed call leaves every block as it was';

/** x = x + scalar(0), in place. A new object each time, as a core that rebuilds its kernels gives. */
function addKernel(dtype: DType = 'int32'): MapKernel {
  const value = apply('add', load(dtype, 0), scalar(dtype, 0));
  return {
    kind: 'map',
    rank: 1,
    operands: [{ dtype, access: 'readWrite', layout: 'contiguous', space: 'full' }],
    scalars: [dtype],
    outputs: [{ operand: 0, value }],
  };
}

/** y = f(x), into a block of its own. */
function mapKernel(value: Expression): MapKernel {
  const { dtype } = value;
  return {
    kind: 'map',
    rank: 1,
    operands: [
      { dtype, access: 'read', layout: 'contiguous', space: 'full' },
      { dtype, access: 'write', layout: 'contiguous', space: 'full' },
    ],
    scalars: [],
    outputs: [{ operand: 1, value }],
  };
}

const COPY_KERNEL = mapKernel(load('int32', 0));
const DOUBLE_KERNEL = mapKernel(apply('add', load('int32', 0), load('int32', 0)));

/** Size, then offset 0 and stride 1 of so many operands. */
function dims(size: number, operands: number): number[] {
  return [size, ...Array.from({ length: operands }, () => [0, 1]).flat()];
}

async function queueOrder(bench: Bench): Promise<void> {
  const { backend } = bench;
  const block = bench.ints(1, 2, 3);
  bench.launch(addKernel(), [block, 10], dims(3, 1));
  const first = bench.readInts(block);
  backend.write(block, new Uint8Array(Int32Array.of(5, 6, 7).buffer));
  bench.launch(addKernel(), [block, 1], dims(3, 1));
  bench.launch(addKernel(), [block, 100], dims(3, 1));
  const second = bench.readInts(block);
  backend.write(block, new Uint8Array(Int32Array.of(9).buffer), 4);
  bench.equal(await first, [11, 12, 13], 'a read between a run and a later write', ORDER);
  bench.equal(await second, [106, 107, 108], 'a read after write, run, run', ORDER);
  bench.equal(await bench.readInts(block), [106, 9, 108], 'a read after one more write', ORDER);
  // The same without a read in between, which would have emptied the queue.
  bench.launch(addKernel(), [block, 4], dims(3, 1));
  backend.write(block, new Uint8Array(Int32Array.of(50).buffer), 4);
  bench.launch(addKernel(), [block, 1], dims(2, 1));
  backend.write(block, new Uint8Array(Int32Array.of(7).buffer), 8);
  bench.equal(await bench.readInts(block), [111, 51, 7], 'a read after run, write, run, write', ORDER);
  if (backend.readSync === undefined) return;
  bench.launch(addKernel(), [block, 1], dims(3, 1));
  bench.equal([...new Int32Array(backend.readSync(block, 0, 12).slice().buffer)], [112, 52, 8], 'readSync right after a run', ORDER);
}

async function manyRuns(bench: Bench): Promise<void> {
  const block = bench.ints(0, 0, 0, 0, 0);
  for (let i = 1; i <= 100; i++) {
    bench.launch(addKernel(), [block, i], dims(5, 1));
    if (i === 40) bench.backend.flush();
    if (i === 80) await bench.backend.synchronize();
  }
  bench.equal(await bench.readInts(block), [5050, 5050, 5050, 5050, 5050], 'the sum of 1 to 100, added in 100 runs', ORDER);
  bench.backend.flush();
  await bench.backend.synchronize();
  bench.equal(
    await bench.readInts(block),
    [5050, 5050, 5050, 5050, 5050],
    'the same after flush and synchronize',
    'flush and synchronize change nothing',
  );
}

async function dependentRuns(bench: Bench): Promise<void> {
  const [a, b, c] = [bench.ints(1, 2, 3), bench.ints(0, 0, 0), bench.ints(0, 0, 0)];
  bench.launch(DOUBLE_KERNEL, [a, b], dims(3, 2));
  bench.launch(DOUBLE_KERNEL, [b, c], dims(3, 2));
  bench.launch(COPY_KERNEL, [c, a], dims(3, 2));
  bench.launch(DOUBLE_KERNEL, [a, b], dims(3, 2));
  bench.equal(await bench.readInts(b), [8, 16, 24], 'a chain of four runs through three blocks', ORDER);
  bench.equal(await bench.readInts(a), [4, 8, 12], 'the first block, which the third run wrote', ORDER);
}

async function freeInOrder(bench: Bench): Promise<void> {
  const rule = 'free takes effect after all runs queued so far';
  const target = bench.ints(0, 0, 0, 0);
  for (let i = 1; i <= 4; i++) {
    const source = bench.ints(i, i, i, i);
    bench.launch(COPY_KERNEL, [source, target], dims(4, 2));
    bench.free(source);
    const other = bench.ints(-1, -1, -1, -1);
    bench.launch(DOUBLE_KERNEL, [target, other], dims(4, 2));
    bench.equal(await bench.readInts(target), [i, i, i, i], 'a copy of a block that is freed right after the run', rule);
    bench.equal(await bench.readInts(other), [2 * i, 2 * i, 2 * i, 2 * i], 'a block allocated after that free', rule);
  }
  const last = bench.ints(7, 8);
  const promise = bench.readInts(last);
  bench.free(last);
  bench.ints(0, 0);
  bench.equal(await promise, [7, 8], 'a read that was asked for before the free', rule);
}

async function reusedArguments(bench: Bench): Promise<void> {
  const rule = 'args and dims may be reused when run returns';
  const [a, b, other] = [bench.ints(1, 2, 3, 4), bench.ints(0, 0, 0, 0), bench.ints(9, 9, 9, 9)];
  const args: Arg[] = [a, b];
  const list = Int32Array.from(dims(4, 2));
  const copy = bench.backend.prepare(COPY_KERNEL);
  const add = bench.backend.prepare(addKernel());
  bench.backend.run(copy, args, list);
  args[0] = other;
  list.fill(0);
  const more: Arg[] = [b, 10];
  const shorter = Int32Array.from(dims(3, 1));
  bench.backend.run(add, more, shorter);
  more[0] = other;
  more[1] = 1000;
  shorter[0] = 1;
  bench.equal(await bench.readInts(b), [11, 12, 13, 4], 'the result after args and dims have been overwritten', rule);
  bench.equal(await bench.readInts(other), [9, 9, 9, 9], 'the block put into args afterwards', rule);
  const hint = Int32Array.from(dims(4, 2));
  const executable = bench.backend.prepare(mapKernel(apply('negate', load('int32', 0))), hint);
  hint.fill(0);
  bench.backend.run(executable, [a, b], Int32Array.from(dims(4, 2)));
  bench.equal(await bench.readInts(b), [-1, -2, -3, -4], 'the result after the hint has been overwritten', rule);
}

async function prepared(bench: Bench): Promise<void> {
  const { backend } = bench;
  const rule = "prepare gives code for a kernel's structure, cached; its hint is no promise";
  const first = backend.prepare(addKernel());
  bench.equal(kernelKey(first.kernel), kernelKey(addKernel()), 'the kernel of an executable', rule);
  const double = backend.prepare(DOUBLE_KERNEL);
  if (backend.prepare(addKernel()) !== first) bench.fail({ expected: 'the same executable for an equal kernel', got: 'another', rule });
  const float = backend.prepare(addKernel('float32'));
  if (float === first) bench.fail({ expected: 'another executable for another dtype', got: 'the same', rule });
  const [a, b] = [bench.ints(1, 2, 3), bench.ints(0, 0, 0)];
  backend.run(double, [a, b], Int32Array.from(dims(3, 2)));
  backend.run(first, [b, 5], Int32Array.from(dims(2, 1)));
  bench.equal(await bench.readInts(b), [7, 9, 6], 'executables run in another order than prepared', rule);

  const hinted = backend.prepare(
    mapKernel(apply('subtract', load('int32', 0), apply('multiply', load('int32', 0), load('int32', 0)))),
    Int32Array.from(dims(64, 2)),
  );
  for (const size of [3, 1, 0, 2]) {
    backend.write(b, new Uint8Array(12));
    backend.run(hinted, [a, b], Int32Array.from(dims(size, 2)));
    bench.equal(
      await bench.readInts(b),
      [0, -2, -6].map((x, i) => (i < size ? x : 0)),
      `a run of size ${size} of an executable with a hint of 64`,
      rule,
    );
  }
}

async function prewarm(bench: Bench): Promise<void> {
  const { backend } = bench;
  await backend.prewarm?.([addKernel(), DOUBLE_KERNEL]);
  await backend.prewarm?.([]);
  const block = bench.ints(1);
  bench.launch(addKernel(), [block, 2], dims(1, 1));
  bench.equal(await bench.readInts(block), [3], 'a run after prewarm', 'prewarm compiles ahead of use and changes nothing');
}

async function unsupported(bench: Bench): Promise<void> {
  const { backend } = bench;
  const rule = 'a kernel that a backend does not have is refused with UnsupportedError, and supports says so before';
  const custom: CustomKernel = { kind: 'custom', id: 'nobody has this', sources: {}, operands: [], scalars: [] };
  bench.equal(backend.supports(custom), false, 'supports of an unknown custom kernel', rule);
  await bench.throws(() => backend.prepare(custom), ['UNSUPPORTED'], 'preparing an unknown custom kernel', rule);
  for (const dtype of ALL_DTYPES) {
    if (backend.capabilities.dtypes[dtype].store) continue;
    const kernel = mapKernel(load(dtype, 0));
    bench.equal(backend.supports(kernel), false, `supports of a map over ${dtype}, which is not stored`, rule);
    await bench.throws(() => backend.prepare(kernel), ['UNSUPPORTED'], `preparing a map over ${dtype}`, rule);
  }
}

async function refusedRuns(bench: Bench): Promise<void> {
  const { backend } = bench;
  const [a, b, freed] = [bench.ints(1, 2, 3), bench.ints(4, 5, 6), bench.ints(7, 8, 9)];
  bench.free(freed);
  const copy = backend.prepare(COPY_KERNEL);
  const list = Int32Array.from(dims(3, 2));
  const before = backend.allocatedBytes;
  await bench.throws(() => backend.run(copy, [freed, b], list), ['INVALID_BLOCK'], 'a run that reads a freed block', ERRORS);
  await bench.throws(() => backend.run(copy, [a, freed], list), ['INVALID_BLOCK'], 'a run that writes a freed block', ERRORS);
  await bench.throws(() => backend.run(copy, [{ byteLength: 12 }, b], list), ['INVALID_BLOCK'], 'a run that reads a foreign block', ERRORS);
  bench.equal(await bench.readInts(a), [1, 2, 3], 'the input of the refused runs', ERRORS);
  bench.equal(await bench.readInts(b), [4, 5, 6], 'the output of the refused runs', ERRORS);
  bench.equal(backend.allocatedBytes, before, 'allocatedBytes after the refused runs', ERRORS);
  backend.run(copy, [a, b], list);
  bench.equal(await bench.readInts(b), [1, 2, 3], 'a good run after the refused ones', ERRORS);
}

async function recordings(bench: Bench): Promise<void> {
  const { backend } = bench;
  if (backend.record === undefined || backend.replay === undefined) return;
  const rule = 'replay runs a recording with other arguments: those of its runs, one after the other';
  const [a, b, c, d] = [bench.ints(1, 2, 3), bench.ints(0, 0, 0), bench.ints(10, 20, 30), bench.ints(0, 0, 0)];
  const recording = backend.record([
    { executable: backend.prepare(addKernel()), args: [a, 5], dims: Int32Array.from(dims(3, 1)) },
    { executable: backend.prepare(DOUBLE_KERNEL), args: [a, b], dims: Int32Array.from(dims(2, 2)) },
  ]);
  bench.equal(await bench.readInts(a), [1, 2, 3], 'a block of a recording that has not been replayed', 'record keeps runs and does not run them');
  backend.replay(recording, [a, 5, a, b]);
  bench.equal(await bench.readInts(b), [12, 14, 0], 'a replay with the recorded arguments', rule);
  backend.replay(recording, [c, -1, c, d]);
  bench.equal(await bench.readInts(d), [18, 38, 0], 'a replay with other blocks and another scalar', rule);
  bench.equal(await bench.readInts(b), [12, 14, 0], 'the blocks of the first replay', rule);
}

async function disposal(bench: Bench): Promise<void> {
  const { backend } = bench;
  const rule = 'dispose frees everything; later calls throw BackendDisposedError; calling it again does nothing';
  const block = bench.ints(1, 2, 3);
  const executable = backend.prepare(addKernel());
  const list = Int32Array.from(dims(3, 1));
  backend.run(executable, [block, 1], list);
  backend.dispose();
  const calls: Readonly<Record<string, () => unknown>> = {
    allocate: () => backend.allocate(4),
    write: () => backend.write(block, new Uint8Array(4)),
    read: () => backend.read(block, 0, 4),
    prepare: () => backend.prepare(addKernel()),
    run: () => backend.run(executable, [block, 1], list),
    flush: () => backend.flush(),
    synchronize: () => backend.synchronize(),
    free: () => backend.free(block),
    ...(backend.readSync === undefined ? {} : { readSync: () => backend.readSync?.(block, 0, 4) }),
  };
  for (const [name, call] of Object.entries(calls)) await bench.throws(call, ['BACKEND_DISPOSED'], `${name} after dispose`, rule);
  bench.equal(backend.allocatedBytes, 0, 'allocatedBytes after dispose', rule);
  backend.dispose();
  bench.forget();
}

export function queuePlans(): Plan[] {
  const plan = (title: string, run: Plan['run']): Plan => ({ level: 'storage', title, run });
  return [
    plan('queue order', queueOrder),
    plan('many runs', manyRuns),
    plan('dependent runs', dependentRuns),
    plan('free in queue order', freeInOrder),
    plan('args and dims are copied', reusedArguments),
    plan('prepare', prepared),
    plan('prewarm', prewarm),
    plan('unsupported kernels', unsupported),
    plan('refused runs', refusedRuns),
    plan('record and replay', recordings),
    plan('dispose', disposal),
  ];
}
