/**
 * The scalar functions that JavaScript lacks or defines otherwise, one value at a time. Generated code and the interpreter share them.
 *
 * Words: a value is always a JavaScript number. A *rounding* maps any number that an operation gave to one its dtype can hold:
 * to nearest for floats, modulo 2ⁿ for integers.
 */

import { fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { DType } from '@gradus/backend';

/** From here up every float64 is an integer. */
const INTEGERS_FROM = 2 ** 52;

/** Rounds half to even and keeps the sign of zero. Adding 2⁵² pushes the fraction out of the mantissa, in the hardware's own rounding. */
export function roundHalfToEven(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < INTEGERS_FROM)) return x;
  const rounded = magnitude + INTEGERS_FROM - INTEGERS_FROM;
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}

/** C's pow. JavaScript gives NaN for 1 to the power of NaN or ±Infinity and for -1 to the power of ±Infinity; C gives 1. */
export function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return Math.pow(x, y);
}

/** The float16 nearest to x, as a number. */
export function roundFloat16(x: number): number {
  return fromFloat16Bits(toFloat16Bits(x));
}

/** The bfloat16 nearest to x, as a number. */
export function roundBfloat16(x: number): number {
  return fromBfloat16Bits(toBfloat16Bits(x));
}

/** Truncates toward zero and saturates at `min` and `max`; NaN gives 0. */
function saturate(x: number, min: number, max: number): number {
  if (x >= max) return max;
  if (x <= min) return min;
  return Number.isNaN(x) ? 0 : Math.trunc(x) + 0; // + 0 turns -0 into 0
}

export function saturateInt32(x: number): number {
  return saturate(x, -2147483648, 2147483647);
}

export function saturateUint32(x: number): number {
  return saturate(x, 0, 4294967295);
}

export function saturateInt8(x: number): number {
  return saturate(x, -128, 127);
}

export function saturateUint8(x: number): number {
  return saturate(x, 0, 255);
}

const bits = new ArrayBuffer(4);
const bitsAsFloat32 = new Float32Array(bits);
const bitsAsInt32 = new Int32Array(bits);

/** The bits of a float32 as an int32. Which NaN a NaN is may be lost, here and below: JavaScript does not keep it. */
export function bitsOfFloat32(x: number): number {
  bitsAsFloat32[0] = x;
  return bitsAsInt32[0] ?? 0;
}

/** The float32 with the bits of an int32 or uint32. */
export function float32OfBits(x: number): number {
  bitsAsInt32[0] = x;
  return bitsAsFloat32[0] ?? 0;
}

/** The rounding of each dtype. */
export const ROUND: { readonly [D in DType]: (x: number) => number } = {
  float64: (x) => x,
  float32: Math.fround,
  float16: roundFloat16,
  bfloat16: roundBfloat16,
  int32: (x) => x | 0,
  uint32: (x) => x >>> 0,
  int8: (x) => (x << 24) >> 24,
  uint8: (x) => x & 255,
  bool: (x) => (x !== 0 ? 1 : 0),
};
