/**
 * exp, log and tanh of float32 in WGSL, after Cephes (S. Moshier, expf.c, logf.c, tanhf.c): reduce the argument, evaluate a short polynomial, put
 * the scale back.
 *
 * The functions built into WGSL may be off by hundreds of units in the last place, and what they make of NaN is open. Here NaN and the
 * infinities are told by their bits; denormal arguments count as zeros.
 *
 * WGSL lets drivers reorder sums of floats (https://www.w3.org/TR/WGSL/#reassociation-and-fusion): `(x - n · high) - n · low` could become
 * `x - n · (high + low)`, which loses what the two parts are for. Written that way, exp is off by 67 units in the last place, pow by over 100.
 * `float_kept` prevents it.
 */

import { floatLiteral, polynomial } from './literal.ts';

/** ln 2 in two parts: a product of the first with a small integer is exact. */
const LN2_HIGH = floatLiteral(0.693359375);
const LN2_LOW = floatLiteral(-2.1219444005469057e-4);

/** Of (eʳ - 1 - r) / r², highest first. */
const EXP_POLYNOMIAL = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];
/** Of (log(1 + r) - r + r²/2) / r³, highest first. */
const LOG_POLYNOMIAL = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
  3.3333331174e-1,
];
const TANH_POLYNOMIAL = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];

/** exp, log, tanh and what they share with others, by name. */
export const EXPONENTIALS = {
  /**
   * x as it is, out of reach of rules that reorder sums: its bits are combined with the last bit of a whole number below 2^23, which is 0, but no
   * compiler knows that.
   */
  float_kept: `fn float_kept(x: f32, whole: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ (bitcast<u32>(whole) & 1u));
}`,

  /** x · 2ⁿ for a positive, normal x near 1: by its bits, so that denormal results are rounded and not flushed. */
  float_scale: `fn float_scale(x: f32, n: i32) -> f32 {
  let bits = bitcast<u32>(x);
  let exponent = i32(bits >> 23u) + n;
  if (exponent >= 255) {
    return float_of(0x7f800000u);
  }
  if (exponent > 0) {
    return bitcast<f32>(bits + (bitcast<u32>(n) << 23u));
  }
  let shift = u32(min(1 - exponent, 25));
  let mantissa = (bits & 0x007fffffu) | 0x00800000u;
  return float_of((mantissa + (1u << (shift - 1u))) >> shift);
}`,

  /** Error 0.96 units in the last place. */
  float_exp: `fn float_exp(value: f32) -> f32 {
  if (float_is_nan(value)) {
    return value;
  }
  // Beyond these, e to the power of x is Infinity and 0.
  let x = clamp(value, -104f, 89f);
  let n = round(x * ${floatLiteral(Math.LOG2E)});
  let r = float_kept(x - n * ${LN2_HIGH}, n) - n * ${LN2_LOW};
  let tail = ${polynomial('r', EXP_POLYNOMIAL)} * (r * r);
  return float_scale((tail + r) + 1f, i32(n));
}`,

  /** Error 0.76 units in the last place. */
  float_log: `fn float_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) < 0x00800000u) {
    return float_of(0xff800000u);
  }
  if (bits > 0x7f800000u) {
    return float_of(0x7fc00000u);
  }
  if (bits == 0x7f800000u) {
    return x;
  }
  // x = m · 2ᵉ with m in [√½, √2): without the bits of √½, the mantissa begins there.
  let shifted = bits - 0x3f3504f3u;
  let e = f32(bitcast<i32>(shifted) >> 23u);
  let r = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1f;
  let z = r * r;
  let tail = ${polynomial('r', LOG_POLYNOMIAL)} * (r * z) + e * ${LN2_LOW};
  return (r + (tail - z * 0.5f)) + e * ${LN2_HIGH};
}`,

  /** Error 1.3 units in the last place; one more where a quotient is off by the 2.5 that WGSL allows. */
  float_tanh: `fn float_tanh(x: f32) -> f32 {
  if (float_is_nan(x)) {
    return x;
  }
  let sign = bitcast<u32>(x) & 0x80000000u;
  // From 10 on, the result is 1.
  let size = min(float_abs(x), 10f);
  let z = size * size;
  let small = (${polynomial('z', TANH_POLYNOMIAL)} * z) * size + size;
  let large = 1f - 2f / (float_exp(size + size) + 1f);
  return float_of(bitcast<u32>(select(large, small, size < 0.625f)) | sign);
}`,
} as const satisfies Readonly<Record<string, string>>;
