/** Norms of vectors: p-norms along any axes. PyTorch's `torch.linalg.vector_norm`. */

import { ArgumentError } from '../errors.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { abs, equal, notEqual, pow, square, where } from './arithmetic.ts';
import { normalizeAxes, requireOptions } from './arguments.ts';
import type { ReduceOptions } from './arguments.ts';
import { toDType } from './convert.ts';
import { sum } from './expand.ts';
import { inWideFloat, max, min, rootOfSquares } from './reduce.ts';

/** Options of {@link norm}. */
export interface NormOptions extends ReduceOptions {
  /** The order, default 2. Infinity and -Infinity are the largest and the smallest magnitude, 0 counts what is not 0. */
  readonly p?: number;
}

/** (Σ |x|ᵖ)^(1/p), with gradient 0 for elements that are 0, and for all where the norm is. */
function powerNorm(x: Tensor, p: number, options: ReduceOptions): Tensor {
  const size = abs(x);
  const isZero = equal(size, 0);
  const total = sum(where(isZero, p < 0 ? Infinity : 0, pow(where(isZero, 1, size), p)), options);
  // Where the norm is 0, as that of zeros for p > 0 or of anything with a zero for p < 0.
  const none = equal(total, p < 0 ? Infinity : 0);
  return where(none, 0, pow(where(none, 1, total), 1 / p));
}

/**
 * The p-norm along `axis` (all by default), `(Σ |x|ᵖ)^(1/p)`; the Euclidean one by default. Integers are calculated as float32, 16-bit
 * floats in float32. Its gradient at 0 is 0; ties of the largest or smallest magnitude share theirs.
 *
 * @throws AxisError; ArgumentError for a p that is no number; ShapeError for p = ±Infinity along an empty axis
 */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  requireOptions('norm', options, '{ axis: 1 }');
  const { p = 2, ...reduce } = options;
  if (typeof p !== 'number' || Number.isNaN(p)) throw new ArgumentError({ op: 'norm', expected: 'p as a number', got: showValue(p) });
  normalizeAxes('norm', options.axis, nodeOf(x, 'norm').shape.rank);
  return inWideFloat('norm', x, (wide) => {
    switch (p) {
      case 0:
        return toDType(sum(notEqual(wide, 0), reduce), wide.dtype);
      case 1:
        return sum(abs(wide), reduce);
      case 2:
        return rootOfSquares(sum(square(wide), reduce));
      case Infinity:
        return max(abs(wide), reduce);
      case -Infinity:
        return min(abs(wide), reduce);
      default:
        return powerNorm(wide, p, reduce);
    }
  });
}
