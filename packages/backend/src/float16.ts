/**
 * Conversions between JavaScript numbers and the two 16-bit floats, on bits.
 *
 * float16 is IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits); bfloat16 is the upper half of a binary32.
 * Both round to nearest, ties to even; NaN stays NaN (quiet), values past the range become Inf.
 */

import type { DType } from './dtype.ts';

const scratch = new DataView(new ArrayBuffer(8));

const FLOAT16_MIN_NORMAL = 2 ** -14;
/** The spacing of float16's denormals. */
const FLOAT16_DENORMAL_STEP = 2 ** -24;
/** From here up, rounding to nearest gives Inf: half a step above 65504. */
const FLOAT16_OVERFLOW = 65520;

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The float16 bits nearest to `value`. */
export function toFloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= FLOAT16_OVERFLOW) return sign | 0x7c00;
  if (magnitude < FLOAT16_MIN_NORMAL) return sign | roundHalfToEven(magnitude / FLOAT16_DENORMAL_STEP);
  scratch.setFloat64(0, magnitude);
  const exponent = ((scratch.getUint32(0) >>> 20) & 0x7ff) - 1023;
  // A mantissa that rounds up to 2048 carries into the exponent by plain addition.
  const mantissa = roundHalfToEven(magnitude * 2 ** (10 - exponent));
  return sign | (((exponent + 14) << 10) + mantissa);
}

/** The number that float16 `bits` stand for. */
export function fromFloat16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * FLOAT16_DENORMAL_STEP;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (fraction + 1024) * 2 ** (exponent - 25);
}

/** The bfloat16 bits nearest to `value`. */
export function toBfloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  let bits = scratch.getUint32(0);
  // Going through float32 must not round twice: make that first rounding one toward odd.
  const rounded = scratch.getFloat32(0);
  if (rounded !== value && Number.isFinite(rounded)) {
    if (Math.abs(rounded) > Math.abs(value)) bits -= 1;
    bits |= 1;
  }
  const lower = bits & 0xffff;
  let upper = bits >>> 16;
  if (lower > 0x8000 || (lower === 0x8000 && (upper & 1) === 1)) upper += 1;
  return upper & 0xffff;
}

/** The number that bfloat16 `bits` stand for. */
export function fromBfloat16Bits(bits: number): number {
  scratch.setUint32(0, (bits & 0xffff) << 16);
  return scratch.getFloat32(0);
}

/** `value` rounded to nearest in a float dtype; other dtypes and float64 give it back. */
export function roundToFloat(dtype: DType, value: number): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(value);
    case 'float16':
      return fromFloat16Bits(toFloat16Bits(value));
    case 'bfloat16':
      return fromBfloat16Bits(toBfloat16Bits(value));
    default:
      return value;
  }
}
