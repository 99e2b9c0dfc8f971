/**
 * From numbers to integers and scales: PyTorch's rules, as tensor ops, so that they run on any device and inside `compile`.
 *
 * A scale is the real distance between two integers, a zero point the integer that stands for 0: `x ≈ scale · (q − zeroPoint)`. Symmetric
 * numbers have the zero point 0. As in PyTorch, numbers are multiplied by the float32 reciprocal of the scale and rounded half to even.
 * Everything is calculated in float32, where PyTorch takes some steps in float64: an activation's scale may differ from PyTorch's by one
 * unit in the last place, and what lies within that of a tie between two integers may become the other one.
 */

import { abs, clamp, div, lessEqual, max, maximum, min, minimum, mul, reciprocal, round, sub, toDType, where, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** Steps from zero to the largest magnitude of a signed integer with this many bits: half of the range's length, as PyTorch has it. */
const SYMMETRIC_STEPS = { 8: 127.5, 4: 7.5 } as const;

/** The least symmetric scale: float32's machine epsilon (torch/ao/quantization/observer.py). */
const LEAST_SYMMETRIC_SCALE = 2 ** -23;

/** The least affine scale, `SMALL_SCALE_THRESHOLD` of ATen/native/quantized/cpu/QuantUtils.h. */
const LEAST_AFFINE_SCALE = 6.1e-5;

/** The scale where there is no range: all is 0 (the same file). */
const SCALE_OF_ZEROS = 0.1;

/** Below this and at it, the reciprocal is infinite in float32. */
const NO_RECIPROCAL = 2 ** -128;

/** Integers 0..127 instead of 0..255: FBGEMM and oneDNN need them, as pairs of products then fit into 16 bits. */
const TOP = { full: 255, reduced: 127 } as const;

/** Options of {@link affineScale} and {@link quantizeActivations}. */
export interface ActivationOptions {
  /** Use the integers 0..127, as PyTorch does on x86, not 0..255, as it does on ARM (QNNPACK). Default true. */
  readonly reduceRange?: boolean;
}

/** Both float32 of rank 0; the zero point is a whole number. */
export interface AffineScale {
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
}

/** Integers with their scale. */
export interface QuantizedActivations extends AffineScale {
  /** uint8, of the shape of what was quantized. */
  readonly values: Tensor;
}

/** The largest integer of activations. */
const topOf = ({ reduceRange = true }: ActivationOptions): number => (reduceRange ? TOP.reduced : TOP.full);

/**
 * Scale and zero point for all of x, float32 of any shape: its range, widened to include 0, over the range of the integers. Of no elements,
 * and of zeros, scale 0.1 and zero point 0. NaN and infinities give NaN, or infinity, for all results.
 */
export function affineScale(x: Tensor, options: ActivationOptions = {}): AffineScale {
  const top = topOf(options);
  const none = x.size === 0 ? zeros([], { device: x.device }) : null;
  const low = minimum(none ?? min(x), 0);
  const high = maximum(none ?? max(x), 0);
  const range = div(sub(high, low), top);
  const empty = lessEqual(range, NO_RECIPROCAL);
  const scale = where(empty, SCALE_OF_ZEROS, maximum(range, LEAST_AFFINE_SCALE));
  // PyTorch takes the zero point from the end with the smaller error: from the lower end, for integers from 0. Where it raises the scale to
  // the least one, it widens the range with it, so that the zero point is that of the range as it was.
  const zeroPoint = where(empty, 0, clamp(round(div(sub(0, low), range)), { min: 0, max: top }));
  return { scale, zeroPoint };
}

/** x, float32 of any shape, as `scale · (values − zeroPoint)` with values of 0..127, or of 0..255. No gradient. */
export function quantizeActivations(x: Tensor, options: ActivationOptions = {}): QuantizedActivations {
  const { scale, zeroPoint } = affineScale(x, options);
  const steps = round(mul(x, reciprocal(scale)));
  return { values: toDType(clamp(steps.add(zeroPoint), { min: 0, max: topOf(options) }), 'uint8'), scale, zeroPoint };
}

/**
 * The symmetric scale of the magnitudes in w: `max|w| / 127.5` for 8 bits, `/ 7.5` for 4.
 *
 * @param axis what shares a scale: all of w by default (a scale of rank 0), or the values along an axis (w's shape without it)
 */
export function symmetricScale(w: Tensor, bits: 8 | 4, axis?: number): Tensor {
  const largest = max(abs(w), axis === undefined ? {} : { axis });
  return maximum(div(largest, SYMMETRIC_STEPS[bits]), LEAST_SYMMETRIC_SCALE);
}

/** w as whole numbers of `scale`, which broadcasts against it: int8 of -128..127, or -8..7. No gradient. */
export function quantizeSymmetric(w: Tensor, scale: Tensor, bits: 8 | 4): Tensor {
  const most = 2 ** (bits - 1);
  return toDType(clamp(round(mul(w, reciprocal(scale))), { min: -most, max: most - 1 }), 'int8');
}
