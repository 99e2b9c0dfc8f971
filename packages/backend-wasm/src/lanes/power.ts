/**
 * pow and remainder of float32: rare, and hard to get right in single precision, so one element at a time.
 *
 * pow goes through float64: exp2(y · log2 |x|) with a series for each; relative error 6e-8. Remainder is exact: long
 * division in float64.
 */

import { f32, f64, i32, select } from '../assembler/instructions.ts';
import type { F32, F64, Type, Value } from '../assembler/value.ts';
import { scaleByPowerOfTwo } from './exponential.ts';
import type { Lanes, ScalarLanes } from './lanes.ts';

/** Terms of log(m) = 2 (s + s³/3 + s⁵/5 + …) with s = (m - 1) / (m + 1): |s| is at most 0.172, so 9 terms give 1e-15. */
const LOG_TERMS = 9;
/** Terms of 2ᶠ = Σ (f ln 2)ᵏ / k! for |f| ≤ ½: 12 terms give 1e-15. */
const EXP_TERMS = 12;
const SMALLEST_NORMAL = 2 ** -126;

function horner({ code }: ScalarLanes, x: F64, coefficients: readonly number[]): F64 {
  const [first = 0, ...rest] = coefficients;
  const sum = code.let(f64.const(first));
  for (const coefficient of rest) code.set(sum, f64.add(f64.mul(sum, x), f64.const(coefficient)));
  return sum;
}

const LOG_SERIES = Array.from({ length: LOG_TERMS }, (_, k) => 1 / (2 * (LOG_TERMS - 1 - k) + 1));

function exponentialSeries(): number[] {
  let term = 1;
  const terms = [1];
  for (let k = 1; k < EXP_TERMS; k++) {
    term *= Math.LN2 / k;
    terms.push(term);
  }
  return terms.toReversed();
}

const EXP_SERIES = exponentialSeries();

/** log2 of a positive, finite float32, in float64. */
function log2(lanes: ScalarLanes, x: F32): F64 {
  const { code } = lanes;
  const denormal = code.let(f32.lt(x, f32.const(SMALLEST_NORMAL)));
  const bits = code.let(i32.reinterpretF32(f32.mul(x, select(denormal, f32.const(2 ** 23), f32.const(1)))));
  // Subtracting the bits of √½ first makes the mantissa lie in [√½, √2).
  const root = 0x3f3504f3;
  const shifted = code.let(i32.sub(bits, i32.const(root)));
  const exponent = i32.sub(i32.shrS(shifted, i32.const(23)), select(denormal, i32.const(23), i32.const(0)));
  const mantissa = f32.reinterpretI32(i32.add(i32.and(shifted, i32.const(0x007fffff)), i32.const(root)));
  const m = code.let(f64.promoteF32(mantissa));
  const s = code.let(f64.div(f64.sub(m, f64.const(1)), f64.add(m, f64.const(1))));
  const series = f64.mul(f64.mul(horner(lanes, code.let(f64.mul(s, s)), LOG_SERIES), s), f64.const(2 * Math.LOG2E));
  return f64.add(series, f64.promoteF32(f32.convertI32S(exponent)));
}

/** C's pow of single elements. */
function powerOfOne(lanes: ScalarLanes, x: F32, y: F32): F32 {
  const { code } = lanes;
  const size = code.let(f32.abs(x));
  const finite = f32.lt(size, f32.const(Infinity));
  const usable = code.let(i32.and(finite, f32.gt(size, f32.const(0))));
  const t = code.let(f64.mul(f64.promoteF32(y), log2(lanes, code.let(select(usable, size, f32.const(1))))));
  // Beyond ±200 results are Infinity and 0 anyway.
  const clamped = code.let(f32.max(f32.min(f32.demoteF64(t), f32.const(200)), f32.const(-200)));
  const n = code.let(f32.nearest(clamped));
  const near = f32.lt(f32.abs(clamped), f32.const(199));
  const fraction = select(near, f64.sub(t, f64.promoteF32(n)), f64.const(0));
  const mantissa = code.let(f32.demoteF64(horner(lanes, code.let(fraction), EXP_SERIES)));
  const computed = code.let(scaleByPowerOfTwo(lanes, mantissa, i32.truncSatF32S(n)));

  const one = f32.const(1);
  const zero = f32.const(0);
  const infinite = f32.const(Infinity);
  const negativeY = code.let(f32.lt(y, zero));
  // |x| = 0 or Infinity: y's sign says which of the two.
  const atZero = select(negativeY, infinite, zero);
  const atInfinity = select(negativeY, zero, infinite);
  const result = code.let(select(usable, computed, select(f32.eq(size, zero), atZero, atInfinity)));
  // y = ±Infinity with a usable x: log2 |x| is 0 at 1, which makes t NaN, though the result is 1.
  code.if(f32.eq(size, one), () => code.set(result, one));
  const whole = code.let(f32.eq(f32.trunc(y), y));
  const half = f32.mul(y, f32.const(0.5));
  const odd = code.let(i32.and(whole, f32.ne(f32.trunc(half), half)));
  const negativeX = code.let(i32.ltS(i32.reinterpretF32(x), i32.const(0)));
  // A negative finite x other than 0 needs a whole y.
  code.if(i32.and(i32.and(negativeX, usable), i32.eqz(whole)), () => code.set(result, f32.const(NaN)));
  code.if(i32.and(negativeX, odd), () => code.set(result, f32.neg(result)));
  code.if(i32.or(f32.ne(x, x), f32.ne(y, y)), () => code.set(result, f32.const(NaN)));
  code.if(i32.or(f32.eq(y, zero), f32.eq(x, one)), () => code.set(result, one));
  return result;
}

/** C's fmod of single elements: long division by doubled divisors. */
function remainderOfOne({ code }: ScalarLanes, x: F32, y: F32): F32 {
  const divisor = code.let(f64.promoteF32(f32.abs(y)));
  const rest = code.let(f64.promoteF32(f32.abs(x)));
  const finite = code.let(f32.lt(f32.abs(x), f32.const(Infinity)));
  const infiniteDivisor = f32.eq(f32.abs(y), f32.const(Infinity));
  const result = code.let(select(i32.and(finite, infiniteDivisor), x, f32.const(NaN)));
  const usable = i32.and(finite, i32.and(f32.gt(f32.abs(y), f32.const(0)), f32.lt(f32.abs(y), f32.const(Infinity))));
  code.if(usable, () => {
    const part = code.local('f64');
    // The largest divisor · 2ᵏ ≤ rest, found by doubling; then down again. Every difference is exact, since part ≤ rest < 2 · part.
    code.set(part, divisor);
    code.while(f64.le(f64.add(part, part), rest), () => code.set(part, f64.add(part, part)));
    code.while(f64.le(divisor, part), () => {
      code.if(f64.le(part, rest), () => code.set(rest, f64.sub(rest, part)));
      code.set(part, f64.mul(part, f64.const(0.5)));
    });
    code.set(result, f32.copysign(f32.demoteF64(rest), x));
  });
  return result;
}

/** x to the power of y. */
export function pow<F extends Type, I extends Type>(lanes: Lanes<F, I>, x: Value<F>, y: Value<F>): Value<F> {
  return lanes.eachFloat([x, y], (one, [a = f32.const(0), b = f32.const(0)]) => powerOfOne(one, a, b));
}

/** What is left of x after whole multiples of y, with the sign of x. */
export function remainder<F extends Type, I extends Type>(lanes: Lanes<F, I>, x: Value<F>, y: Value<F>): Value<F> {
  return lanes.eachFloat([x, y], (one, [a = f32.const(0), b = f32.const(0)]) => remainderOfOne(one, a, b));
}
