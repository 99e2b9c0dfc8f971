/** Checks of level `storage`, part 1: what a backend says of itself, and its blocks. */

import { ALL_DTYPES, CONTRACT_VERSION } from '@gradus/backend';
import type { Block, DType } from '@gradus/backend';
import type { Bench } from '../bench.ts';
import type { Plan } from '../plan.ts';

/** Dtypes without which the toolkit cannot work (backend.ts, Capabilities). */
const NEEDED: readonly DType[] = ['float32', 'int32', 'uint32', 'bool'];
const MIN_BINDINGS = 4;

const COPY = 'write copies bytes into the block, read gives a copy of them';
const ERRORS = 'errors are typed, and a failed call leaves every block as it was';
const BLOCK = 'a block that was freed, or that another backend allocated, is refused with BlockError';

/** 0, 1, 2, … as bytes. */
function counting(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 251);
}

async function expectBytes(bench: Bench, block: Block, offset: number, expected: Uint8Array, what: string, rule: string): Promise<void> {
  const got = await bench.backend.read(block, offset, expected.length);
  bench.equal(got.length, expected.length, `${what}: length of what read gives`, rule);
  const wrong = expected.findIndex((byte, i) => byte !== got[i]);
  if (wrong >= 0) bench.fail({ expected: `${what}: byte ${wrong} to be ${expected[wrong]}`, got: String(got[wrong]), rule });
}

async function contract(bench: Bench): Promise<void> {
  bench.equal(bench.backend.contract, CONTRACT_VERSION, 'contract', 'a backend says which version of the contract it was built for');
  bench.equal(typeof bench.backend.name, 'string', 'type of name', 'name is a string');
}

async function capabilities(bench: Bench): Promise<void> {
  const { capabilities: c } = bench.backend;
  const demand = (condition: boolean, expected: string, got: unknown): void => {
    if (!condition) bench.fail({ expected, got: String(got), rule: 'capabilities are complete and constant' });
  };
  const boolean = ['synchronousRead', 'subBufferAliasing', 'simd', 'subgroups', 'deterministic', 'denormals'] as const;
  for (const name of boolean) demand(typeof c[name] === 'boolean', `${name} to be a boolean`, c[name]);
  for (const dtype of ALL_DTYPES)
    for (const part of ['store', 'compute', 'accumulate'] as const)
      demand(typeof c.dtypes[dtype]?.[part] === 'boolean', `dtypes.${dtype}.${part} to be a boolean`, c.dtypes[dtype]?.[part]);
  for (const dtype of NEEDED) demand(c.dtypes[dtype].store && c.dtypes[dtype].compute, `${dtype} to be stored and computed in`, 'false');
  for (const dtype of ['float32', 'int32'] as const) demand(c.dtypes[dtype].accumulate, `${dtype} to be accumulated in`, 'false');
  demand(c.maxBindings >= MIN_BINDINGS, `maxBindings of at least ${MIN_BINDINGS}`, c.maxBindings);
  demand(c.maxBlockBytes > 0, 'maxBlockBytes above 0', c.maxBlockBytes);
  demand(Number.isInteger(c.bindingAlignment) && c.bindingAlignment >= 1, 'bindingAlignment to be a whole number of at least 1', c.bindingAlignment);
  demand(Number.isInteger(c.threads) && c.threads >= 1, 'threads to count the calling one', c.threads);
  demand(c.synchronousRead === (typeof bench.backend.readSync === 'function'), 'synchronousRead to say whether readSync exists', c.synchronousRead);
  demand((bench.backend.record === undefined) === (bench.backend.replay === undefined), 'record and replay together or neither', 'one of them');
  bench.equal(
    JSON.stringify(bench.backend.capabilities),
    JSON.stringify(c),
    'capabilities read again',
    'capabilities are constant for the lifetime of a backend',
  );
}

async function writeAndRead(bench: Bench): Promise<void> {
  for (const length of [1, 2, 3, 4, 7, 64, 1021, 4096]) {
    const bytes = counting(length, length);
    const block = bench.block(bytes);
    bench.equal(block.byteLength, length, 'byteLength', 'a block has the length that was asked for');
    await expectBytes(bench, block, 0, bytes, `a block of ${length} bytes`, COPY);
  }
  const [a, b] = [bench.block(counting(16)), bench.block(counting(16, 100))];
  await expectBytes(bench, a, 0, counting(16), 'the first of two blocks', 'blocks do not overlap');
  await expectBytes(bench, b, 0, counting(16, 100), 'the second of two blocks', 'blocks do not overlap');
}

async function byteOffsets(bench: Bench): Promise<void> {
  const block = bench.block(counting(24));
  const expected = counting(24);
  for (const [offset, length] of [
    [0, 4],
    [8, 8],
    [5, 3],
    [23, 1],
    [1, 1],
    [3, 10],
  ] as const) {
    const bytes = counting(length, 200 + offset);
    bench.backend.write(block, bytes, offset);
    expected.set(bytes, offset);
    await expectBytes(
      bench,
      block,
      0,
      expected,
      `after writing ${length} bytes at ${offset}`,
      'write takes any byteOffset and changes those bytes alone',
    );
    await expectBytes(bench, block, offset, bytes, `reading ${length} bytes at ${offset}`, 'read takes any byteOffset');
  }
  const parent = counting(40, 60);
  bench.backend.write(block, parent.subarray(7, 15), 2);
  expected.set(parent.subarray(7, 15), 2);
  await expectBytes(bench, block, 0, expected, 'after writing a subarray', 'write copies the bytes of the view that it is given, not of its buffer');
}

async function zeroBytes(bench: Bench): Promise<void> {
  const empty = bench.block(new Uint8Array());
  bench.equal(empty.byteLength, 0, 'byteLength of a block of 0 bytes', 'blocks may be empty');
  bench.backend.write(empty, new Uint8Array());
  bench.equal((await bench.backend.read(empty, 0, 0)).length, 0, 'bytes read from it', 'blocks may be empty');
  const full = bench.block(counting(8));
  bench.backend.write(full, new Uint8Array(), 3);
  await expectBytes(bench, full, 0, counting(8), 'after writing nothing', 'writing no bytes changes nothing');
  bench.equal((await bench.backend.read(full, 8, 0)).length, 0, 'no bytes read at the end', 'reading no bytes is allowed');
}

async function readSync(bench: Bench): Promise<void> {
  const { backend } = bench;
  if (backend.readSync === undefined) return;
  const block = bench.block(counting(16));
  bench.equal([...backend.readSync(block, 3, 5)], [...counting(5, 3)], 'readSync of 5 bytes at 3', 'readSync gives what read does, at once');
  const copy = backend.readSync(block, 0, 16);
  copy.fill(0);
  await expectBytes(bench, block, 0, counting(16), 'after changing what readSync gave', COPY);
}

async function copies(bench: Bench): Promise<void> {
  const bytes = counting(16);
  const block = bench.block(bytes);
  bytes.fill(255);
  await expectBytes(bench, block, 0, counting(16), 'after the caller reuses its bytes', 'bytes may be reused when write returns');
  const got = await bench.backend.read(block, 0, 16);
  got.fill(0);
  await expectBytes(bench, block, 0, counting(16), 'after changing what read gave', COPY);
}

async function distinctBlocks(bench: Bench): Promise<void> {
  const seen = new Set<Block>();
  for (let i = 0; i < 8; i++) {
    const block = bench.block(counting(32));
    if (seen.has(block))
      bench.fail({ expected: 'a new block object', got: 'one that was given out before', rule: 'a block is never reused for another allocation' });
    seen.add(block);
    bench.free(block);
  }
}

async function allocatedBytes(bench: Bench): Promise<void> {
  const { backend } = bench;
  const rule = 'allocatedBytes counts the bytes of blocks allocated and not yet freed, exactly';
  const start = backend.allocatedBytes;
  const blocks = [1, 7, 0, 4096, 33].map((length) => backend.allocate(length));
  bench.equal(backend.allocatedBytes - start, 4137, 'after allocating 1, 7, 0, 4096 and 33 bytes', rule);
  const [first, second, ...rest] = blocks;
  if (first !== undefined) backend.free(first);
  if (second !== undefined) backend.free(second);
  bench.equal(backend.allocatedBytes - start, 4129, 'after freeing 8 of them', rule);
  for (const block of rest) backend.free(block);
  bench.equal(backend.allocatedBytes, start, 'after freeing all', rule);
}

async function doubleFree(bench: Bench): Promise<void> {
  const { backend } = bench;
  const [block, other] = [bench.block(counting(8)), bench.block(counting(8, 50))];
  bench.free(block);
  const before = backend.allocatedBytes;
  await bench.throws(() => backend.free(block), ['INVALID_BLOCK'], 'freeing a block twice', BLOCK);
  bench.equal(backend.allocatedBytes, before, 'allocatedBytes after the refused free', ERRORS);
  await expectBytes(bench, other, 0, counting(8, 50), 'another block', ERRORS);
}

async function freedBlock(bench: Bench): Promise<void> {
  const { backend } = bench;
  const block = bench.block(counting(8));
  bench.free(block);
  await bench.throws(() => backend.write(block, counting(4)), ['INVALID_BLOCK'], 'writing to a freed block', BLOCK);
  await bench.throws(() => backend.read(block, 0, 4), ['INVALID_BLOCK'], 'reading a freed block', BLOCK);
  if (backend.readSync !== undefined)
    await bench.throws(() => backend.readSync?.(block, 0, 4), ['INVALID_BLOCK'], 'reading a freed block at once', BLOCK);
}

async function foreignBlock(bench: Bench): Promise<void> {
  const { backend } = bench;
  const foreign: Block = { byteLength: 8 };
  const before = backend.allocatedBytes;
  await bench.throws(() => backend.free(foreign), ['INVALID_BLOCK'], 'freeing a foreign block', BLOCK);
  await bench.throws(() => backend.write(foreign, counting(4)), ['INVALID_BLOCK'], 'writing to a foreign block', BLOCK);
  await bench.throws(() => backend.read(foreign, 0, 4), ['INVALID_BLOCK'], 'reading a foreign block', BLOCK);
  bench.equal(backend.allocatedBytes, before, 'allocatedBytes after that', ERRORS);
}

async function outside(bench: Bench): Promise<void> {
  const { backend } = bench;
  const rule = 'bytes outside a block are refused with BlockError';
  const block = bench.block(counting(8));
  await bench.throws(() => backend.write(block, counting(9, 99)), ['INVALID_BLOCK'], 'writing 9 bytes to a block of 8', rule);
  await bench.throws(() => backend.write(block, counting(4, 99), 5), ['INVALID_BLOCK'], 'writing 4 bytes at 5 to a block of 8', rule);
  await bench.throws(() => backend.write(block, counting(4, 99), -1), ['INVALID_BLOCK'], 'writing at -1', rule);
  await bench.throws(() => backend.read(block, 5, 4), ['INVALID_BLOCK'], 'reading 4 bytes at 5 of a block of 8', rule);
  await bench.throws(() => backend.read(block, -1, 4), ['INVALID_BLOCK'], 'reading at -1', rule);
  await expectBytes(bench, block, 0, counting(8), 'the block after the refused calls', ERRORS);
}

async function tooLarge(bench: Bench): Promise<void> {
  const { backend } = bench;
  const { maxBlockBytes } = backend.capabilities;
  if (!Number.isSafeInteger(maxBlockBytes + 1)) return;
  const before = backend.allocatedBytes;
  await bench.throws(
    () => backend.allocate(maxBlockBytes + 1),
    ['OUT_OF_MEMORY'],
    'allocating one byte more than maxBlockBytes',
    'what does not fit is refused with OutOfMemoryError',
  );
  bench.equal(backend.allocatedBytes, before, 'allocatedBytes after the refused call', ERRORS);
}

export function memoryPlans(): Plan[] {
  const plan = (title: string, run: Plan['run']): Plan => ({ level: 'storage', title, run });
  return [
    plan('contract version', contract),
    plan('capabilities', capabilities),
    plan('write and read', writeAndRead),
    plan('byte offsets', byteOffsets),
    plan('zero bytes', zeroBytes),
    plan('readSync', readSync),
    plan('bytes are copied', copies),
    plan('blocks are distinct', distinctBlocks),
    plan('allocatedBytes', allocatedBytes),
    plan('double free', doubleFree),
    plan('freed block', freedBlock),
    plan('foreign block', foreignBlock),
    plan('outside a block', outside),
    plan('too large a block', tooLarge),
  ];
}
