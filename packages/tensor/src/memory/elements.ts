/** Elements to bytes and back. */

import { DTYPES, fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { DType, TypedArray } from '@gradus/backend';

/** What reading a tensor gives: 16-bit floats come as Float32Array, bool as Uint8Array of 0 and 1. */
export type ElementArray = Float64Array | Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array;

/** Bytes as elements of `dtype`; the bytes may be shared with the result. */
export function decode(bytes: Uint8Array, dtype: DType): ElementArray {
  const { view, bytes: width } = DTYPES[dtype];
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const raw = view(aligned.buffer, aligned.byteOffset, aligned.byteLength / width);
  if (!(raw instanceof Uint16Array)) return raw;
  return Float32Array.from(raw, dtype === 'float16' ? fromFloat16Bits : fromBfloat16Bits);
}

/** One element: its bytes go through here, since a small array of its own is dear to make and to collect. */
const SCRATCH: Uint8Array = /* @__PURE__ */ new Uint8Array(8);
const scratchViews = new Map<DType, TypedArray>();

/** The bytes of one element as a number. */
export function decodeOne(bytes: Uint8Array, dtype: DType): number {
  SCRATCH.set(bytes);
  let view = scratchViews.get(dtype);
  if (view === undefined) {
    view = DTYPES[dtype].view(SCRATCH.buffer, 0, 1);
    scratchViews.set(dtype, view);
  }
  const raw = view[0] ?? NaN;
  return dtype === 'float16' ? fromFloat16Bits(raw) : dtype === 'bfloat16' ? fromBfloat16Bits(raw) : raw;
}

/** Numbers as the bytes of `dtype`: rounded to nearest, integers truncated and wrapped, bool `x != 0`. */
export function encode(values: ArrayLike<number>, dtype: DType): Uint8Array {
  const raw = toTypedArray(values, dtype);
  return new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
}

function toTypedArray(values: ArrayLike<number>, dtype: DType): TypedArray {
  switch (dtype) {
    case 'float64':
      return values instanceof Float64Array ? values : Float64Array.from(values);
    case 'float32':
      return values instanceof Float32Array ? values : Float32Array.from(values);
    case 'float16':
      return Uint16Array.from(values, toFloat16Bits);
    case 'bfloat16':
      return Uint16Array.from(values, toBfloat16Bits);
    case 'int32':
      return values instanceof Int32Array ? values : Int32Array.from(values);
    case 'uint32':
      return values instanceof Uint32Array ? values : Uint32Array.from(values);
    case 'int8':
      return values instanceof Int8Array ? values : Int8Array.from(values);
    case 'uint8':
      return values instanceof Uint8Array ? values : Uint8Array.from(values);
    case 'bool':
      return Uint8Array.from(values, (x) => (x === 0 ? 0 : 1));
    default:
      return dtype satisfies never;
  }
}

/** The dtype that a typed array stands for; null for arrays of numbers. */
export function dtypeOfArray(values: ArrayLike<number>): DType | null {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof Int32Array) return 'int32';
  if (values instanceof Uint32Array) return 'uint32';
  if (values instanceof Int8Array) return 'int8';
  if (values instanceof Uint8Array || values instanceof Uint8ClampedArray) return 'uint8';
  return null;
}

/** A host number as `dtype` would hold it. */
export function roundTo(value: number, dtype: DType): number {
  if (dtype === 'float32') return Math.fround(value);
  const { view, bytes, kind } = DTYPES[dtype];
  if (kind === 'float') return value;
  if (kind === 'bool') return value === 0 ? 0 : 1;
  const one = view(new ArrayBuffer(bytes));
  one[0] = value;
  return one[0] ?? value;
}
