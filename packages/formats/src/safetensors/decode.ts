/** Reading safetensors: bytes to tensors, all or none. */

import { DTYPES, fromBfloat16Bits, fromFloat16Bits } from '@gradus/backend';
import { tensor } from '@gradus/tensor';
import type { Device, ElementArray, Tensor } from '@gradus/tensor';
import { formatError, readHeader } from './header.ts';
import type { Entry } from './header.ts';

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** By name. */
  readonly tensors: Record<string, Tensor>;
  /** Free text by key; empty if the file has none. */
  readonly metadata: Record<string, string>;
}

/** Options of {@link decodeSafetensors} and `loadSafetensors`. */
export interface DecodeOptions {
  /** Where the tensors go. Default: the default device. */
  readonly device?: Device;
}

/**
 * The tensors and metadata of a safetensors file (https://github.com/huggingface/safetensors#format).
 *
 * F64, F32, F16, BF16, I32, U32, I8, U8 and BOOL become the dtype of that name; I64 becomes int32, and is written as I32 if saved again.
 * Other types are refused. Elements are copied; NaN of the 16-bit types lose their payload.
 * @throws FormatError for a file that breaks any rule of the format, a type that is not listed, an I64 beyond int32, a BOOL other than 0 and 1;
 * DTypeError for a dtype that the device does not store (float64 outside cpu). Nothing is made then
 */
export function decodeSafetensors(bytes: Uint8Array, options: DecodeOptions = {}): SafetensorsFile {
  const { entries, metadata, dataStart } = readHeader(bytes);
  const bytesOf = ({ begin, end }: Entry): Uint8Array => bytes.subarray(dataStart + begin, dataStart + end);
  for (const entry of entries) checkElements(entry, bytesOf(entry));
  const made: [string, Tensor][] = [];
  try {
    for (const entry of entries) {
      const { name, shape, type } = entry;
      made.push([name, tensor(elementsOf(entry, bytesOf(entry)), { shape, dtype: type.dtype, ...options })]);
    }
  } catch (error) {
    for (const [, each] of made) each.dispose();
    throw error;
  }
  return { tensors: Object.fromEntries(made), metadata: { ...metadata } };
}

/** Throws for elements that their dtype here cannot hold. */
function checkElements({ name, type }: Entry, bytes: Uint8Array): void {
  if (type.name === 'BOOL') {
    const odd = bytes.find((byte) => byte > 1);
    if (odd !== undefined) throw formatError(`0 or 1 for the booleans of ${JSON.stringify(name)}`, String(odd));
  }
  if (type.name === 'I64') {
    const view = viewOf(bytes);
    for (let at = 0; at < bytes.length; at += 8) {
      const fits = view.getInt32(at + 4, true) === view.getInt32(at, true) >> 31;
      if (!fits)
        throw formatError(`numbers of 32 bits in ${JSON.stringify(name)}, because I64 becomes int32`, String(view.getBigInt64(at, true)), {
          fix: 'convert it before it is saved.',
        });
    }
  }
}

/** Elements as numbers, from bytes that may begin anywhere. Typed arrays are little-endian, as the file is, on all that runs JavaScript today but IBM Z. */
function elementsOf({ type }: Entry, bytes: Uint8Array): ElementArray {
  if (type.name === 'I64') return lowWords(bytes);
  const raw = DTYPES[type.dtype].view(new Uint8Array(bytes).buffer); // a copy; slice() is none for Node.js's Buffers
  if (!(raw instanceof Uint16Array)) return raw;
  return Float32Array.from(raw, type.dtype === 'float16' ? fromFloat16Bits : fromBfloat16Bits);
}

/** The lower halves of 64-bit integers. */
function lowWords(bytes: Uint8Array): Int32Array {
  const view = viewOf(bytes);
  return Int32Array.from({ length: bytes.length / 8 }, (_, i) => view.getInt32(8 * i, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
