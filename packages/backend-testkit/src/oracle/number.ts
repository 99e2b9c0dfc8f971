/**
 * Numbers as each dtype holds them: rounding, wrapping, bytes, and the spacing of floats.
 *
 * The oracle keeps every element as a JavaScript number, which holds the values of all dtypes exactly.
 */

import { DTYPES, bytesPerElement, fromBfloat16Bits, fromFloat16Bits, isFloat, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { DType } from '@gradus/backend';

/** `x` as `dtype` holds it: floats round to nearest even, integers wrap to their width (`x` must be whole), bool is `x != 0`. */
export function hold(dtype: DType, x: number): number {
  switch (dtype) {
    case 'float64':
      return x;
    case 'float32':
      return Math.fround(x);
    case 'float16':
      return fromFloat16Bits(toFloat16Bits(x));
    case 'bfloat16':
      return fromBfloat16Bits(toBfloat16Bits(x));
    case 'int32':
      return x | 0;
    case 'uint32':
      return x >>> 0;
    case 'int8':
      return (x << 24) >> 24;
    case 'uint8':
      return x & 0xff;
    case 'bool':
      return x !== 0 ? 1 : 0;
    default:
      return dtype satisfies never;
  }
}

/** The bytes of some elements. Values must be such as `dtype` holds. */
export function encode(dtype: DType, values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(values.length * bytesPerElement(dtype));
  const elements = DTYPES[dtype].view(bytes.buffer);
  if (dtype === 'float16') elements.set(values.map(toFloat16Bits));
  else if (dtype === 'bfloat16') elements.set(values.map(toBfloat16Bits));
  else elements.set(values);
  return bytes;
}

/** The elements in some bytes. */
export function decode(dtype: DType, bytes: Uint8Array): Float64Array {
  const elements = new Float64Array(DTYPES[dtype].view(bytes.slice().buffer));
  if (dtype === 'float16') return elements.map(fromFloat16Bits);
  return dtype === 'bfloat16' ? elements.map(fromBfloat16Bits) : elements;
}

/** Exponents of the smallest normal floats. */
const MIN_EXPONENT: { readonly [D in DType]?: number } = { float64: -1022, float32: -126, float16: -14, bfloat16: -126 };

/** The smallest normal number of a float dtype; 0 for integers. */
export function smallestNormal(dtype: DType): number {
  const exponent = MIN_EXPONENT[dtype];
  return exponent === undefined ? 0 : 2 ** exponent;
}

/** Is `x` a denormal number of `dtype`? */
export function isDenormal(dtype: DType, x: number): boolean {
  return x !== 0 && Math.abs(x) < smallestNormal(dtype);
}

const scratch = new DataView(new ArrayBuffer(8));

/** The distance from `x` to the next larger magnitude of `dtype` (a unit in the last place); 0 for integers. */
export function ulp(dtype: DType, x: number): number {
  if (!isFloat(dtype)) return 0;
  const lowest = MIN_EXPONENT[dtype] ?? 0;
  scratch.setFloat64(0, Number.isFinite(x) ? x : DTYPES[dtype].max);
  const exponent = ((scratch.getUint32(0) >>> 20) & 0x7ff) - 1023;
  return 2 ** Math.max(exponent, lowest) * DTYPES[dtype].epsilon;
}

/** The bits of one element, as people write them: `0x3f800000`. */
export function bitsText(bytes: Uint8Array): string {
  return `0x${[...bytes]
    .toReversed()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')}`;
}
