import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idxFile, imageFile } from '../../test/idx-file.ts';
import { DataFormatError } from '../errors.ts';
import { gunzip } from './gzip.ts';
import { readIdx } from './read.ts';

/** Numbers as big-endian bytes. */
function bytesOf(width: number, values: readonly number[], set: (view: DataView, at: number, value: number) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(width * values.length));
  for (const [i, value] of values.entries()) set(view, i * width, value);
  return new Uint8Array(view.buffer);
}

describe('readIdx', () => {
  test.each([
    ['uint8', 0x08, Uint8Array, [0, 1, 255], Uint8Array.of(0, 1, 255)],
    ['int8', 0x09, Int8Array, [-128, 0, 127], Uint8Array.of(0x80, 0, 0x7f)],
    ['int16', 0x0b, Int16Array, [-32768, 1, 258], bytesOf(2, [-32768, 1, 258], (view, at, value) => view.setInt16(at, value))],
    ['int32', 0x0c, Int32Array, [-(2 ** 31), 1, 16909060], bytesOf(4, [-(2 ** 31), 1, 16909060], (view, at, value) => view.setInt32(at, value))],
    ['float32', 0x0d, Float32Array, [-1.5, 0, 2 ** 100], bytesOf(4, [-1.5, 0, 2 ** 100], (view, at, value) => view.setFloat32(at, value))],
    ['float64', 0x0e, Float64Array, [-1.5, 0.1, 1e300], bytesOf(8, [-1.5, 0.1, 1e300], (view, at, value) => view.setFloat64(at, value))],
  ])('reads %s', async (dtype, code, make, values, bytes) => {
    const read = await readIdx(idxFile(code, [3], bytes));
    expect(read).toEqual({ dtype, shape: [3], data: make.from(values) });
  });

  test('reads the sizes in order', async () => {
    const { shape, data } = await readIdx(imageFile(2, 3, 4));
    expect(shape).toEqual([2, 3, 4]);
    expect([...data].slice(0, 13)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 10]);
  });

  test('reads an empty file of any other sizes', async () => {
    expect(await readIdx(idxFile(0x0e, [0, 2 ** 32 - 1, 2 ** 32 - 1], []))).toEqual({
      dtype: 'float64',
      shape: [0, 2 ** 32 - 1, 2 ** 32 - 1],
      data: new Float64Array(),
    });
  });

  test('reads gzip, and bytes that begin anywhere in their buffer', async () => {
    const plain = imageFile(2, 3, 4);
    const expected = await readIdx(plain);
    const zipped = gzipSync(plain);
    const moved = new Uint8Array(zipped.length + 1);
    moved.set(zipped, 1);
    const shared = new Uint8Array(new SharedArrayBuffer(zipped.length));
    shared.set(zipped);
    for (const bytes of [zipped, moved.subarray(1), shared]) expect(await readIdx(bytes)).toEqual(expected);
    const odd = new Uint8Array(plain.length + 1);
    odd.set(plain, 1);
    expect(await readIdx(odd.subarray(1))).toEqual(expected);
  });

  const zipped = gzipSync(imageFile(40, 28, 28));
  const damaged = zipped.slice();
  damaged[zipped.length - 6] = (zipped[zipped.length - 6] ?? 0) ^ 1; // a bit of the checksum
  test.each([
    ['no bytes', new Uint8Array(), /at least 4 bytes, got 0/],
    ['three bytes', new Uint8Array(3), /at least 4 bytes, got 3/],
    ['a wrong beginning', Uint8Array.of(0, 1, 8, 1, 0, 0, 0, 0), /two zero bytes, got 0, 1\. Fix: this is no IDX/],
    ['an unknown element type', idxFile(0x0a, [1], [0]), /element type of .*, got 0x0a/],
    ['no axes', idxFile(0x08, [], [0]), /at least one axis/],
    ['a header that is cut off', idxFile(0x08, [1, 2, 3], []).subarray(0, 10), /16 bytes of header for 3 axes, got 10/],
    ['elements that are cut off', idxFile(0x0c, [2, 2], new Uint8Array(15)), /28 bytes for int32 \[2, 2\], got 27/],
    ['bytes behind the elements', idxFile(0x08, [2], new Uint8Array(5)), /10 bytes for uint8 \[2\], got 3 more/],
    ['sizes whose product is past 2^53', idxFile(0x0e, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], new Uint8Array(8)), /bytes for float64/],
    ['two bytes of gzip', Uint8Array.of(0x1f, 0x8b), /a whole gzip file/],
    ['gzip that is cut off', zipped.subarray(0, zipped.length - 5), /a whole gzip file, got .*cut off/],
    ['gzip with a wrong checksum', damaged, /a whole gzip file/],
    ['something behind the gzip', Uint8Array.from([...zipped, 1, 2, 3]), /a whole gzip file/],
    ['gzip of something else', gzipSync('hello'), /two zero bytes/],
    ['gzip in gzip', gzipSync(zipped), /two zero bytes/],
  ])('refuses %s', async (_, bytes, message) => {
    const reading = readIdx(bytes);
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: 'DATA_FORMAT', name: 'DataFormatError' }));
    await expect(reading).rejects.toThrow(message);
  });

  test('stops at a limit when a small file holds much', async () => {
    const bomb = gzipSync(new Uint8Array(4_000_000));
    await expect(gunzip(bomb, 1_000_000)).rejects.toThrow(/at most 1000000 bytes/);
    expect(await gunzip(bomb, 4_000_000)).toHaveLength(4_000_000);
  });

  test('any change of a file reads or throws DataFormatError', async () => {
    const files = fc.constantFrom(imageFile(3, 4, 5), gzipSync(imageFile(3, 4, 5)));
    const changes = fc.array(fc.tuple(fc.nat(90), fc.nat(255)), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(files, changes, fc.nat(90), async (file, at, cut) => {
        const bytes = file.slice(0, Math.max(0, file.length - Math.max(0, cut - 45)));
        for (const [index, value] of at) if (index < bytes.length) bytes[index] = value;
        try {
          const { data, shape } = await readIdx(bytes);
          expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
        } catch (error) {
          if (!(error instanceof DataFormatError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
