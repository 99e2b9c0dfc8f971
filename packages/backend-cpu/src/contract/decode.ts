/**
 * Operands of products as one of three typed arrays, so that the packing loops see few kinds of them: floats and int32 are read in
 * place, 16-bit floats are decoded and narrow or unsigned integers widened first.
 */

import { fromBfloat16Bits, fromFloat16Bits } from '@gradus/backend';
import type { DType, TypedArray } from '@gradus/backend';

import type { Elements } from './strips.ts';

/** An operand's elements, and where and how it lies in them. */
export interface Placed {
  readonly elements: Elements;
  readonly offset: number;
  readonly strides: Int32Array;
}

/** The elements of an operand with the given sizes and strides. */
export function decoded(view: TypedArray, dtype: DType, offset: number, sizes: Int32Array, strides: Int32Array): Placed {
  if (view instanceof Float32Array || view instanceof Float64Array || view instanceof Int32Array) return { elements: view, offset, strides };
  let low = 0;
  let high = 0;
  sizes.forEach((size, axis) => {
    const reach = Math.max(0, size - 1) * (strides[axis] ?? 0);
    if (reach < 0) low += reach;
    else high += reach;
  });
  const range = view.subarray(offset + low, offset + high + 1);
  return { elements: widened(range, dtype), offset: -low, strides };
}

function widened(range: TypedArray, dtype: DType): Elements {
  if (dtype === 'float16') return Float64Array.from(range, fromFloat16Bits);
  return dtype === 'bfloat16' ? Float64Array.from(range, fromBfloat16Bits) : Int32Array.from(range);
}
