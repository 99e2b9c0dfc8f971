/** The exponential that softmax wants: of numbers that are at most 0, and scaled by what cancels in the quotient. Relative error 1.2e-7. */

import type { Type, Value } from '../assembler/value.ts';
import { LN2_HIGH, LN2_LOW, shallowPolynomial } from './exponential.ts';
import type { Lanes } from './lanes.ts';

/** Below, e to the power of x is 0 in float32. */
const SMALLEST = -104;
/** Of (eʳ - 1 - r) / r² for |r| ≤ ½ ln 2, lowest first, interpolated in its Chebyshev nodes: the error is 1.1e-8 of eʳ. */
const POLYNOMIAL = [0.5, 0.1666657627, 0.04166646674, 0.008363181725, 0.001393365208];

const MANTISSA_BITS = 23;
const EXPONENT_BIAS = 127;
/** What results are multiplied by, as an exponent of 2: so that none of them is denormal. */
const SPARE_EXPONENT = 64;
/** What results are multiplied by. */
export const SPARE_SCALE = 2 ** SPARE_EXPONENT;
/** 1.5 · 2²³, which rounds what is added to it to a whole number in the low bits; and there, the exponent of the scale. */
const ROUNDER = 12_582_912 + EXPONENT_BIAS + SPARE_EXPONENT;

/** {@link SPARE_SCALE} times e to the power of x, for x ≤ 0 or NaN: two thirds of the work of `exp`. */
export function scaledExpOfNegative<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  const { f, i } = lanes;
  // A NaN stays: it is the first argument.
  const x = lanes.keepFloat(f.pmax(value, lanes.float(SMALLEST)));
  const shifted = lanes.keepFloat(f.add(f.mul(x, lanes.float(Math.LOG2E)), lanes.float(ROUNDER)));
  const n = lanes.keepFloat(f.sub(shifted, lanes.float(ROUNDER)));
  const r = lanes.keepFloat(f.sub(f.sub(x, f.mul(n, lanes.float(LN2_HIGH))), f.mul(n, lanes.float(LN2_LOW))));
  const tail = f.mul(shallowPolynomial(lanes, r, POLYNOMIAL), f.mul(r, r));
  const power = f.add(f.add(tail, r), lanes.float(1));
  // The exponent is in the lowest bits; all others are shifted out.
  return f.mul(power, lanes.fromBits(i.shl(lanes.bits(shifted), MANTISSA_BITS)));
}
