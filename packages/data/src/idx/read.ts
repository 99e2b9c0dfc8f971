/**
 * IDX, the file format of MNIST: two zero bytes, the element type, the number of axes, the sizes (32 bits each), the elements, row-major.
 * All numbers are big-endian. Source: http://yann.lecun.com/exdb/mnist, "The IDX file format".
 */

import { DataFormatError } from '../errors.ts';
import { gunzip, isGzip } from './gzip.ts';

/** Element types of IDX. int16 is no dtype of gradus; an `ArrayDataset` converts it. */
export type IdxType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64';

/** The arrays that elements come in. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The contents of an IDX file. */
export interface IdxArray {
  readonly dtype: IdxType;
  /** Sizes along each axis; MNIST's images are `[60000, 28, 28]`. */
  readonly shape: readonly number[];
  /** The elements, row-major; 8-bit elements may share memory with the file's bytes. */
  readonly data: IdxData;
}

interface Element {
  readonly dtype: IdxType;
  readonly bytes: number;
  readonly read: (view: DataView, start: number, count: number) => IdxData;
}

const elements = <A extends IdxData>(make: new (count: number) => A, bytes: number, get: (view: DataView, at: number) => number) => {
  return (view: DataView, start: number, count: number): A => {
    const data = new make(count);
    for (let i = 0; i < count; i++) data[i] = get(view, start + i * bytes);
    return data;
  };
};

/** Element types by their code, the third byte of a file. */
const ELEMENTS: ReadonlyMap<number, Element> = new Map<number, Element>([
  [0x08, { dtype: 'uint8', bytes: 1, read: (view, start, count) => new Uint8Array(view.buffer, view.byteOffset + start, count) }],
  [0x09, { dtype: 'int8', bytes: 1, read: (view, start, count) => new Int8Array(view.buffer, view.byteOffset + start, count) }],
  [0x0b, { dtype: 'int16', bytes: 2, read: elements(Int16Array, 2, (view, at) => view.getInt16(at)) }],
  [0x0c, { dtype: 'int32', bytes: 4, read: elements(Int32Array, 4, (view, at) => view.getInt32(at)) }],
  [0x0d, { dtype: 'float32', bytes: 4, read: elements(Float32Array, 4, (view, at) => view.getFloat32(at)) }],
  [0x0e, { dtype: 'float64', bytes: 8, read: elements(Float64Array, 8, (view, at) => view.getFloat64(at)) }],
]);

/** Bytes before the sizes. */
const MAGIC_BYTES = 4;

/**
 * Reads an IDX file, gzipped (`.gz`) or not: its first bytes say which.
 * @throws DataFormatError for a wrong beginning, an unknown element type, too few or too many bytes, damaged gzip
 */
export async function readIdx(bytes: Uint8Array): Promise<IdxArray> {
  return parse(isGzip(bytes) ? await gunzip(bytes) : bytes);
}

function parse(bytes: Uint8Array): IdxArray {
  const [zero, alsoZero, code = 0, rank = 0] = bytes;
  if (bytes.length < MAGIC_BYTES) throw bad(`a file of at least ${MAGIC_BYTES} bytes`, `${bytes.length}`);
  if (zero !== 0 || alsoZero !== 0) throw bad('a file that begins with two zero bytes', `${zero}, ${alsoZero}`, 'this is no IDX file.');
  const element = ELEMENTS.get(code);
  if (element === undefined) throw bad('an element type of 0x08, 0x09, 0x0b, 0x0c, 0x0d or 0x0e', `0x${code.toString(16).padStart(2, '0')}`);
  if (rank === 0) throw bad('at least one axis', 'none');
  const start = MAGIC_BYTES + 4 * rank;
  if (bytes.length < start) throw cutOff(`${start} bytes of header for ${rank} axes`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(MAGIC_BYTES + 4 * axis));
  const length = start + sizeOf(shape) * element.bytes;
  if (bytes.length < length) throw cutOff(`${length} bytes for ${element.dtype} [${shape.join(', ')}]`, bytes.length);
  if (bytes.length > length) throw bad(`${length} bytes for ${element.dtype} [${shape.join(', ')}]`, `${bytes.length - length} more behind them`);
  return { dtype: element.dtype, shape, data: element.read(view, start, (length - start) / element.bytes) };
}

/** The number of elements; past 2^53 inexact, which is more than any file has. An empty axis counts, whatever the others say. */
function sizeOf(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}

function bad(expected: string, got: string, fix?: string): DataFormatError {
  return new DataFormatError({ op: 'readIdx', expected, got, ...(fix === undefined ? {} : { fix }) });
}

function cutOff(expected: string, got: number): DataFormatError {
  return bad(expected, String(got), 'the file is cut off: get it again.');
}
