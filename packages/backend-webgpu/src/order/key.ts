/**
 * Keys: unsigned integers that are in the order of the elements they belong to, so that orders and maxima are found without comparing floats.
 *
 * Both zeros have one key; NaN has the largest of all, above that of Infinity. Distinct numbers have distinct keys.
 */

import type { DType } from '@gradus/backend';
import { typeOf } from '../wgsl/language.ts';

/** Declares the function `order_key`: from a value of a dtype to its key. */
export function keyFunction(dtype: DType): string {
  const type = typeOf(dtype);
  switch (type) {
    case 'f32':
      return `fn order_key(x: f32) -> u32 {
if (float_is_nan(x)) { return 0xffffffffu; }
return bitcast<u32>(float_rank(x)) ^ 0x80000000u;
}`;
    case 'i32':
      return 'fn order_key(x: i32) -> u32 { return bitcast<u32>(x) ^ 0x80000000u; }';
    case 'u32':
      return 'fn order_key(x: u32) -> u32 { return x; }';
    case 'bool':
      return 'fn order_key(x: bool) -> u32 { return u32(x); }';
    default:
      return type satisfies never;
  }
}
