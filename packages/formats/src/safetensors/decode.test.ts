import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as fc from 'fast-check';
import { memory, scope } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildFile, entry } from '../../test/build-file.ts';
import { FormatError } from '../errors.ts';
import { decodeSafetensors } from './decode.ts';
import { encodeSafetensors } from './encode.ts';

const reference = new Uint8Array(readFileSync(join(import.meta.dirname, '../../test/fixtures/reference.safetensors')));
const shared = resolve(import.meta.dirname, '../../../../../shared/data');

function only(tensors: Record<string, Tensor>, name: string): Tensor {
  const found = tensors[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** Decodes or throws FormatError; what decodes can be read. */
async function survives(bytes: Uint8Array): Promise<void> {
  try {
    const { tensors, metadata } = scope(() => decodeSafetensors(bytes));
    for (const t of Object.values(tensors)) {
      expect(await t.data()).toHaveLength(t.shape.reduce((a, b) => a * b, 1));
      t.dispose();
    }
    expect(Object.values(metadata).every((text) => typeof text === 'string')).toBe(true);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

describe('decodeSafetensors', () => {
  test('reads every dtype of a file by the reference implementation', async () => {
    const { tensors, metadata } = decodeSafetensors(reference);
    const seen: Record<string, unknown> = {};
    for (const [name, t] of Object.entries(tensors)) seen[name] = [t.dtype, t.shape, [...(await t.data())]];
    expect(seen).toEqual({
      double: ['float64', [], [0.1]],
      a: ['float32', [1, 2], [Math.fround(0.1), Math.fround(3e38)]],
      b: ['float32', [2], [1.5, -2]],
      none: ['float32', [0, 3], []],
      u: ['uint32', [1], [2 ** 32 - 1]],
      i: ['int32', [2], [-(2 ** 31), 7]],
      brain: ['bfloat16', [2], [1, 3.140625]],
      half: ['float16', [2], [1.5, -65504]],
      small: ['int8', [2], [-128, 127]],
      byte: ['uint8', [2], [0, 255]],
      flag: ['bool', [3], [1, 0, 1]],
    });
    expect(metadata).toEqual({ format: 'pt' });
  });

  test('reads what Node.js reads: a Buffer, whose parts share its memory however they are cut', () => {
    const file = readFileSync(join(import.meta.dirname, '../../test/fixtures/reference.safetensors'));
    const { tensors } = decodeSafetensors(file);
    file.fill(0);
    expect(only(tensors, 'b').dataSync()).toEqual(Float32Array.of(1.5, -2));
  });

  test('reads bytes that begin anywhere in their buffer', () => {
    const moved = new Uint8Array(reference.length + 3);
    moved.set(reference, 3);
    const { tensors } = decodeSafetensors(moved.subarray(3));
    expect([...only(tensors, 'b').dataSync()]).toEqual([1.5, -2]);
  });

  test('keeps nothing of the bytes it was given', () => {
    const bytes = reference.slice();
    const { tensors } = decodeSafetensors(bytes);
    bytes.fill(0);
    expect([...only(tensors, 'b').dataSync()]).toEqual([1.5, -2]);
  });

  test('reads shared memory', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(reference.length));
    bytes.set(reference);
    expect([...only(decodeSafetensors(bytes).tensors, 'b').dataSync()]).toEqual([1.5, -2]);
  });

  test('reads I64 that fits as int32', () => {
    const values = new BigInt64Array([0n, -1n, 2n ** 31n - 1n, -(2n ** 31n)]);
    const { tensors } = decodeSafetensors(buildFile(`{"n":${entry('I64', [4], [0, 32])}}`, new Uint8Array(values.buffer)));
    expect(only(tensors, 'n').dtype).toBe('int32');
    expect([...only(tensors, 'n').dataSync()]).toEqual([0, -1, 2 ** 31 - 1, -(2 ** 31)]);
  });

  test.each([2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 63n - 1n])('refuses the I64 %d', (value) => {
    const file = buildFile(`{"n":${entry('I64', [2], [0, 16])}}`, new Uint8Array(new BigInt64Array([1n, value]).buffer));
    expect(() => decodeSafetensors(file)).toThrow(FormatError);
    expect(() => decodeSafetensors(file)).toThrow(String(value));
  });

  test('refuses a BOOL other than 0 and 1', () => {
    expect(() => decodeSafetensors(buildFile(`{"ok":${entry('BOOL', [2], [0, 2])}}`, [1, 2]))).toThrow(/0 or 1 for the booleans of "ok", got 2/);
  });

  test('names that mean something to JavaScript are names', () => {
    const file = buildFile(`{"__proto__":${entry('U8', [], [0, 1])},"constructor":${entry('U8', [], [1, 2])}}`, [7, 8]);
    const { tensors } = decodeSafetensors(file);
    expect(Object.keys(tensors).toSorted()).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  });

  test('makes nothing of a bad file', () => {
    const bad = buildFile(`{"a":${entry('F32', [1], [0, 4])},"flag":${entry('BOOL', [1], [4, 5])}}`, [0, 0, 0, 0, 9]);
    const before = memory().liveBlocks;
    expect(() => decodeSafetensors(bad)).toThrow(FormatError);
    expect(memory().liveBlocks).toBe(before);
  });

  test('a scope releases what is read in it', () => {
    scope(() => void decodeSafetensors(reference));
    const before = memory().liveBytes;
    scope(() => void decodeSafetensors(reference));
    expect(memory().liveBytes).toBe(before);
  });
});

describe('files of other programs', () => {
  const missing = existsSync(shared) ? '' : ' (skipped: ../shared/data is not here)';

  test.skipIf(missing !== '')(`burn's multi_layer.safetensors${missing}`, async () => {
    const { tensors } = decodeSafetensors(
      new Uint8Array(readFileSync(join(shared, 'formats/safetensors-tests__tests__multi_layer__multi_layer.safetensors'))),
    );
    const shapes = Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, `${t.dtype} ${t.shape.join('x')}`]));
    expect(shapes).toEqual({
      'norm1.num_batches_tracked': 'int32 ',
      'conv1.bias': 'float32 4',
      'conv1.weight': 'float32 4x3x3x3',
      'fc1.bias': 'float32 16',
      'fc1.weight': 'float32 16x256',
      'norm1.bias': 'float32 4',
      'norm1.running_mean': 'float32 4',
      'norm1.running_var': 'float32 4',
      'norm1.weight': 'float32 4',
    });
    // python: struct.unpack('<4f', file[8 + n + begin : 8 + n + end]), and '<q'
    const mean = [0.01687708869576454, 0.004398251883685589, 0.05240955948829651, 0.0016524147940799594];
    expect([...(await only(tensors, 'norm1.running_mean').data())]).toEqual(mean);
    expect(await only(tensors, 'norm1.num_batches_tracked').item()).toBe(1);
  });

  test.skipIf(missing !== '')(`burn's mnist.safetensors${missing}`, async () => {
    const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(join(shared, 'models/burn-mnist/mnist.safetensors'))));
    expect(Object.keys(tensors)).toHaveLength(20);
    expect(only(tensors, 'fc1.weight').shape).toEqual([32, 11616]);
    for (const t of Object.values(tensors)) expect((await t.data()).every((x) => Number.isFinite(x))).toBe(true);
  });
});

describe('a file that was damaged', () => {
  let valid: Uint8Array;
  beforeAll(async () => {
    const { tensors, metadata } = decodeSafetensors(reference);
    valid = await encodeSafetensors(tensors, metadata);
  });

  test('by changed bytes decodes or throws FormatError', async () => {
    const change = fc.tuple(fc.nat(reference.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = valid.slice();
        for (const [at, value] of changes) bytes[at] = value;
        await survives(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test('by bytes removed, added or moved decodes or throws FormatError', async () => {
    const cut = fc.tuple(fc.nat(reference.length), fc.nat(reference.length), fc.uint8Array({ maxLength: 12 }));
    await fc.assert(
      fc.asyncProperty(cut, async ([from, to, between]) => {
        await survives(Uint8Array.from([...valid.subarray(0, from), ...between, ...valid.subarray(to)]));
      }),
      { numRuns: 2000 },
    );
  });

  test('at any length shorter throws FormatError', () => {
    for (let length = 0; length < valid.length; length++) expect(() => decodeSafetensors(valid.subarray(0, length))).toThrow(FormatError);
  });

  test('by changed numbers and words in the header decodes or throws FormatError', async () => {
    const data = reference.subarray(-52); // larger than what any change needs to fit
    const number = fc.oneof(fc.nat(12), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e300));
    const numbers = fc.array(number, { maxLength: 3 });
    const dtype = fc.constantFrom('F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'U8', 'BOOL', 'C64', '', 4, null);
    const tensorEntry = fc.record(
      { dtype, shape: numbers, data_offsets: fc.oneof(numbers, fc.tuple(number, number)) },
      { requiredKeys: ['dtype', 'shape'] },
    );
    const name = fc.constantFrom('a', 'b', '', '__proto__', '__metadata__', 'toString', '0', '\ud800');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.oneof(tensorEntry, fc.jsonValue())), fc.nat(52), async (header, size) => {
        await survives(buildFile(JSON.stringify(header), data.subarray(0, size)));
      }),
      { numRuns: 3000 },
    );
  });

  test('any bytes at all decode or throw FormatError', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), survives));
  });
});
