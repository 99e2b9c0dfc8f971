/**
 * The header of a safetensors file: which tensors it has, and where their bytes lie.
 *
 * A file is: the header's length (8 bytes, little-endian); the header, JSON `{ name: { dtype, shape, data_offsets: [begin, end] }, … }` with an
 * optional `__metadata__` of strings; the data, which the offsets count from 0, without a hole or an overlap.
 * The rules: https://github.com/huggingface/safetensors#format. Everything in a header is checked here, before anything is made of it.
 */

import { MAX_RANK } from '@gradus/backend';
import type { ErrorParts } from '@gradus/backend';
import { findDuplicateKey } from '../duplicate-keys.ts';
import { FormatError } from '../errors.ts';
import { FILE_DTYPES } from './dtypes.ts';
import type { FileDType } from './dtypes.ts';

/** Bytes before the header. */
export const LENGTH_BYTES = 8;
/** The longest header there may be: the reference implementation's limit, which keeps a broken length from asking for memory. */
export const MAX_HEADER_BYTES = 100_000_000;
/** The name in the header that is not a tensor's. */
export const METADATA_KEY = '__metadata__';

/** One tensor of the file. */
export interface Entry {
  readonly name: string;
  readonly type: FileDType;
  readonly shape: readonly number[];
  /** Of its first byte and of the byte after its last, from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

/** A header that keeps every rule. */
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data begins in the file. */
  readonly dataStart: number;
}

/** What to do about a file that breaks a rule, however it came to that. */
const DAMAGED = 'the file is damaged, or was written wrongly: get it again, or save it anew.';

/** A complaint about a file. */
export function formatError(expected: string, got: string, more: Pick<ErrorParts, 'fix'> & { readonly cause?: unknown } = {}): FormatError {
  const { fix = DAMAGED, cause } = more;
  return new FormatError({ op: 'decodeSafetensors', expected, got, fix }, cause === undefined ? undefined : { cause });
}

/** Reads and checks the header of a whole file. @throws FormatError for any rule that is broken */
export function readHeader(bytes: Uint8Array): Header {
  const dataStart = LENGTH_BYTES + headerLength(bytes);
  const fields = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart));
  const metadata = readMetadata(fields[METADATA_KEY]);
  const entries = Object.entries(fields)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => readEntry(name, value));
  checkTiling(entries, bytes.length - dataStart);
  return { entries, metadata, dataStart };
}

function headerLength(bytes: Uint8Array): number {
  if (bytes.length < LENGTH_BYTES)
    throw formatError(`a file of at least ${LENGTH_BYTES} bytes`, `${bytes.length} bytes`, { fix: 'the file is empty or cut off: get it again.' });
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  // Exact up to 2^53, and far above the limit from there.
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw formatError(`a header of at most ${MAX_HEADER_BYTES} bytes`, `a length of ${length}`, { fix: 'this is probably not a safetensors file.' });
  }
  if (length > bytes.length - LENGTH_BYTES) {
    throw formatError(`a header of ${length} bytes`, `${bytes.length - LENGTH_BYTES} bytes in all`, { fix: 'the file is cut off: get it again.' });
  }
  return length;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    // A copy, because a decoder refuses shared memory.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    throw formatError('a header in UTF-8', 'other bytes', { cause });
  }
  if (!text.startsWith('{')) throw formatError('a header that begins with {', text === '' ? 'an empty one' : JSON.stringify(text.slice(0, 1)));
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw formatError('a header in JSON', cause instanceof Error ? cause.message : 'something else', { cause });
  }
  const twice = findDuplicateKey(text);
  if (twice !== null) throw formatError('a header that names every key once', `${JSON.stringify(twice)} twice`);
  return isRecord(parsed) ? parsed : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw formatError(`${METADATA_KEY} to be an object`, describe(value));
  // fromEntries and not assignment, here and wherever names come from a file: `__proto__` is a name like any other.
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => {
      if (typeof text !== 'string') throw formatError(`${METADATA_KEY} to hold strings`, `${describe(text)} for ${JSON.stringify(key)}`);
      return [key, text];
    }),
  );
}

function readEntry(name: string, value: unknown): Entry {
  const where = JSON.stringify(name);
  if (!isRecord(value)) throw formatError(`{ dtype, shape, data_offsets } for ${where}`, describe(value));
  const { dtype, shape, data_offsets: offsets } = value;
  const type = FILE_DTYPES.find((each) => each.name === dtype);
  if (type === undefined)
    throw formatError(`a dtype of ${FILE_DTYPES.map((each) => each.name).join(', ')} for ${where}`, describe(dtype), {
      fix: 'convert it before it is saved.',
    });
  if (!isSizes(shape)) throw formatError(`a shape of whole numbers for ${where}`, describe(shape));
  if (shape.length > MAX_RANK)
    throw formatError(`at most ${MAX_RANK} axes for ${where}`, String(shape.length), { fix: 'reshape it before it is saved.' });
  if (!isSizes(offsets) || offsets.length !== 2) throw formatError(`two data_offsets for ${where}`, describe(offsets));
  const [begin = 0, end = 0] = offsets;
  if (end < begin) throw formatError(`data_offsets of ${where} in order`, `[${begin}, ${end}]`);
  checkSize(where, type, shape, end - begin);
  return { name, type, shape, begin, end };
}

/** Throws unless `shape` fills `bytes`; a product past 2^53 is inexact and cannot be equal to the size of any file. */
function checkSize(where: string, type: FileDType, shape: readonly number[], bytes: number): void {
  const expected = shape.reduce((product, size) => product * size, type.bytes);
  if (expected !== bytes) throw formatError(`${expected} bytes for ${where}, ${type.name} [${shape.join(', ')}]`, String(bytes));
}

/** Throws unless the tensors, in the order of their offsets, fill the data exactly. */
function checkTiling(entries: readonly Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw formatError(
        `data of ${JSON.stringify(name)} at offset ${at}`,
        `${begin}, which ${begin < at ? 'overlaps with another tensor' : 'leaves a hole'}`,
      );
    at = end;
  }
  if (at > dataBytes) throw formatError(`${at} bytes of data`, String(dataBytes), { fix: 'the file is cut off: get it again.' });
  if (at < dataBytes) throw formatError(`${at} bytes of data`, `${dataBytes}, so some belong to no tensor`);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

/** A JSON value, short enough for a message. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
