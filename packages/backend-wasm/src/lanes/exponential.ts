/**
 * exp, log and tanh of float32, after Cephes (S. Moshier, expf.c, logf.c, tanhf.c): reduce the argument, evaluate a short polynomial, put the
 * scale back. Relative errors over the whole range, as `exponential.test.ts` measures them: exp and log 9e-8, tanh 1.5e-7.
 */

import type { Type, Value } from '../assembler/value.ts';
import type { Lanes } from './lanes.ts';

const LOG2E = Math.LOG2E;
/** ln 2 in two parts: a product of the first with a small integer is exact. */
export const LN2_HIGH = 0.693359375;
export const LN2_LOW = -2.1219444005469057e-4;

/** Beyond these, exp is Infinity and 0 in float32, and the integers below stay in range. */
const EXP_LARGEST = 89;
const EXP_SMALLEST = -104;

/** Of (eʳ - 1 - r) / r², lowest first. */
export const EXP_POLYNOMIAL = [5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.98756915e-4];
/** 1.5 · 2²³, and its bits. */
const ROUNDER = 12_582_912;
const ROUNDER_BITS = 0x4b400000;
const LOG_POLYNOMIAL = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
  3.3333331174e-1,
];
const TANH_POLYNOMIAL = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];
const TANH_SMALL = 0.625;

const SMALLEST_NORMAL = 2 ** -126;
const MANTISSA_BITS = 23;
const EXPONENT_BIAS = 127;
const HALF_BITS = 0x3f000000;
const MANTISSA_MASK = 0x007fffff;

/** A polynomial in x by Horner's rule, highest coefficient first. */
export function polynomial<F extends Type, I extends Type>(lanes: Lanes<F, I>, x: Value<F>, coefficients: readonly number[]): Value<F> {
  const [first = 0, ...rest] = coefficients;
  let sum = lanes.float(first);
  for (const coefficient of rest) sum = lanes.f.add(lanes.f.mul(sum, x), lanes.float(coefficient));
  return sum;
}

/**
 * The same by Estrin's scheme, lowest coefficient first: a tree of the depth of a logarithm. Where vectors wait for each other's results
 * rather than for room to compute in, that is twice as fast.
 */
export function shallowPolynomial<F extends Type, I extends Type>(lanes: Lanes<F, I>, x: Value<F>, coefficients: readonly number[]): Value<F> {
  const { f } = lanes;
  let terms = coefficients.map((coefficient) => lanes.float(coefficient));
  let power = x;
  while (terms.length > 1) {
    const scale = power;
    terms = Array.from({ length: Math.ceil(terms.length / 2) }, (_, i) => {
      const [low, high] = [terms[2 * i], terms[2 * i + 1]];
      if (low === undefined) throw new TypeError('internal: no term');
      return high === undefined ? low : lanes.keepFloat(f.add(low, f.mul(high, scale)));
    });
    if (terms.length > 1) power = lanes.keepFloat(f.mul(power, power));
  }
  return terms[0] ?? lanes.float(0);
}

/** 2ⁿ of an int n in -126..127. */
function powerOfTwo<F extends Type, I extends Type>(lanes: Lanes<F, I>, n: Value<I>): Value<F> {
  return lanes.fromBits(lanes.i.shl(lanes.i.add(n, lanes.int(EXPONENT_BIAS)), MANTISSA_BITS));
}

/** `x · 2ⁿ` for n in -252..254, in two steps, so that results may be denormal or overflow. */
export function scaleByPowerOfTwo<F extends Type, I extends Type>(lanes: Lanes<F, I>, x: Value<F>, n: Value<I>): Value<F> {
  const { f, i } = lanes;
  const whole = lanes.keepInt(n);
  const half = lanes.keepInt(i.shrS(whole, 1));
  return f.mul(f.mul(x, powerOfTwo(lanes, half)), powerOfTwo(lanes, i.sub(whole, half)));
}

/** e to the power of x. */
export function exp<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  const { f, i } = lanes;
  const x = lanes.keepFloat(f.pmax(f.pmin(value, lanes.float(EXP_LARGEST)), lanes.float(EXP_SMALLEST)));
  // Adding 1.5 · 2²³ rounds to a whole number, which then stands in the low bits.
  const shifted = lanes.keepFloat(f.add(f.mul(x, lanes.float(LOG2E)), lanes.float(ROUNDER)));
  const n = lanes.keepFloat(f.sub(shifted, lanes.float(ROUNDER)));
  const r = lanes.keepFloat(f.sub(f.sub(x, f.mul(n, lanes.float(LN2_HIGH))), f.mul(n, lanes.float(LN2_LOW))));
  const tail = f.mul(shallowPolynomial(lanes, r, EXP_POLYNOMIAL), f.mul(r, r));
  const mantissa = f.add(f.add(tail, r), lanes.float(1));
  return scaleByPowerOfTwo(lanes, mantissa, i.sub(lanes.bits(shifted), lanes.int(ROUNDER_BITS)));
}

/** The natural logarithm. */
export function log<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  const { f, i } = lanes;
  const x = lanes.keepFloat(value);
  const denormal = lanes.keepInt(f.lt(x, lanes.float(SMALLEST_NORMAL)));
  const scaled = lanes.keepFloat(f.mul(x, lanes.selectFloat(denormal, lanes.float(2 ** MANTISSA_BITS), lanes.float(1))));
  const bits = lanes.keepInt(lanes.bits(scaled));
  // x = m · 2ᵉ with m in [√½, √2)
  const exponent = i.sub(i.shrU(bits, MANTISSA_BITS), lanes.selectInt(denormal, lanes.int(126 + MANTISSA_BITS), lanes.int(126)));
  const mantissa = lanes.keepFloat(lanes.fromBits(i.or(i.and(bits, lanes.int(MANTISSA_MASK)), lanes.int(HALF_BITS))));
  const below = lanes.keepInt(f.lt(mantissa, lanes.float(Math.SQRT1_2)));
  const e = lanes.keepFloat(f.sub(lanes.fromInt(exponent), lanes.selectFloat(below, lanes.float(1), lanes.float(0))));
  const r = lanes.keepFloat(f.add(f.sub(mantissa, lanes.float(1)), lanes.selectFloat(below, mantissa, lanes.float(0))));
  const z = lanes.keepFloat(f.mul(r, r));
  const tail = f.add(f.mul(shallowPolynomial(lanes, r, LOG_POLYNOMIAL.toReversed()), f.mul(r, z)), f.mul(e, lanes.float(LN2_LOW)));
  const sum = f.add(f.add(r, f.sub(tail, f.mul(z, lanes.float(0.5)))), f.mul(e, lanes.float(LN2_HIGH)));
  const zero = f.eq(x, lanes.float(0));
  // Infinity and NaN are their own logarithms; what is left below 0 has none.
  const finite = lanes.selectFloat(f.lt(x, lanes.float(Infinity)), sum, x);
  return lanes.selectFloat(zero, lanes.float(-Infinity), lanes.selectFloat(f.lt(x, lanes.float(0)), lanes.float(NaN), finite));
}

/** The hyperbolic tangent. */
export function tanh<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  const { f, i } = lanes;
  const x = lanes.keepFloat(value);
  const size = lanes.keepFloat(f.abs(x));
  const z = lanes.keepFloat(f.mul(x, x));
  const small = f.add(f.mul(f.mul(polynomial(lanes, z, TANH_POLYNOMIAL), z), x), x);
  const e = exp(lanes, f.add(size, size));
  const large = f.sub(lanes.float(1), f.div(lanes.float(2), f.add(e, lanes.float(1))));
  const sign = i.and(lanes.bits(x), lanes.int(-0x80000000));
  // The sign is put on both: the polynomial of -0 is 0.
  return lanes.fromBits(i.or(lanes.bits(lanes.selectFloat(f.lt(size, lanes.float(TANH_SMALL)), small, large)), sign));
}
