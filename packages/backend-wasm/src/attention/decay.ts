/**
 * e to the power of what is not much above 0: scores less their largest, or less their log-sum-exp.
 *
 * The method of `exponential.ts` (Cephes), with the work saved that such arguments do not need: results below 2⁻¹²⁶ are 0, so the scale is put
 * back in one step, and the exponent is rounded by an addition. Relative error 1.2e-7 for arguments in [-87, 88]; above, the result is large.
 * A NaN stays one.
 */

import { f32x4, i32x4, i32 } from '../assembler/instructions.ts';
import type { V128 } from '../assembler/value.ts';
import { EXP_POLYNOMIAL, LN2_HIGH, LN2_LOW } from '../lanes/exponential.ts';
import type { VectorLanes } from '../lanes/lanes.ts';
import { multiplyAdd } from '../product/tile.ts';

/** Rounds to 2⁻¹²⁷, whose bits are those of 0: what is masked has no weight at all. */
const SMALLEST = -88;
const LARGEST = 88;
/** Added to a small number, 1.5 · 2²³ leaves the nearest whole number in the low bits. */
const ROUNDING = 12_582_912;
const EXPONENT_BIAS = 127;
const MANTISSA_BITS = 23;

/** `exp(value)`; with `relaxed`, products and sums in one rounding. */
export function decay(lanes: VectorLanes, relaxed: boolean, value: V128): V128 {
  const { code } = lanes;
  const x = code.let(f32x4.pmin(f32x4.pmax(value, lanes.float(SMALLEST)), lanes.float(LARGEST)));
  const rounded = code.let(multiplyAdd(relaxed, x, lanes.float(Math.LOG2E), lanes.float(ROUNDING)));
  const n = code.let(f32x4.sub(rounded, lanes.float(ROUNDING)));
  const high = multiplyAdd(relaxed, n, lanes.float(-LN2_HIGH), x);
  const r = code.let(multiplyAdd(relaxed, n, lanes.float(-LN2_LOW), high));
  const [first = 0, ...rest] = EXP_POLYNOMIAL.toReversed();
  let sum = lanes.float(first);
  for (const coefficient of [...rest, 1, 1]) sum = multiplyAdd(relaxed, sum, r, lanes.float(coefficient));
  return f32x4.mul(sum, i32x4.shl(i32x4.add(rounded, lanes.int(EXPONENT_BIAS)), i32.const(MANTISSA_BITS)));
}
