/**
 * Which dtype an op of two tensors calculates in.
 *
 * bool < int8, uint8 < int32 < float16 < float32 < float64; float16 with bfloat16 gives float32, int8 with uint8 int32;
 * uint32 goes with itself, bool and uint8 only. JavaScript numbers are weak: a fraction lifts integers to float32, otherwise the tensor's dtype wins.
 */

import { DTYPES, isFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { DTypeError } from '../errors.ts';

/** Rank in the order of promotion; equal ranks that differ have their own rule. */
const ORDER: { readonly [D in DType]: number } = { bool: 0, int8: 1, uint8: 1, uint32: 2, int32: 2, float16: 3, bfloat16: 3, float32: 4, float64: 5 };

/** The dtype that `a` and `b` meet in. @throws DTypeError for uint32 with a signed integer */
export function promote(op: string, a: DType, b: DType): DType {
  if (a === b) return a;
  const [low, high] = ORDER[a] <= ORDER[b] ? [a, b] : [b, a];
  if (ORDER[low] === ORDER[high]) {
    if (high === 'float16' || high === 'bfloat16') return 'float32';
    if (high === 'int8' || high === 'uint8') return 'int32';
  }
  if ((a === 'uint32' || b === 'uint32') && [a, b].some((d) => DTYPES[d].kind === 'int')) {
    throw new DTypeError({
      op,
      expected: 'dtypes that promote',
      got: `${a} and ${b}`,
      fix: 'cast one of them: uint32 and signed integers have no common type.',
    });
  }
  return high;
}

/** The dtype a JavaScript number takes beside a tensor of `dtype`. */
export function weakDType(value: number, dtype: DType): DType {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return 'float32';
  return dtype === 'bool' ? 'int32' : dtype;
}

/** The dtype of a float-valued function of `dtype`: itself if it is a float, else float32. */
export function floatOf(dtype: DType): DType {
  return isFloat(dtype) ? dtype : 'float32';
}
