/**
 * sin, cos and atan of float32 in WGSL, after Cephes (S. Moshier, sinf.c, atanf.c).
 *
 * Arguments are reduced by multiples of π/2 in three parts (Cody and Waite), exact up to 8192; beyond, the result is that of a neighbouring
 * argument. `float_kept` (exponential.ts) keeps compilers from adding the parts up first.
 */

import { floatLiteral, polynomial } from './literal.ts';

const HALF_PI_1 = floatLiteral(1.5703125);
const HALF_PI_2 = floatLiteral(4.837512969970703125e-4);
const HALF_PI_3 = floatLiteral(7.549789954891882e-8);

const SIN_POLYNOMIAL = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COS_POLYNOMIAL = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];
const ATAN_POLYNOMIAL = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1];
const TAN_3_PI_8 = floatLiteral(2.414213562373095);
const TAN_PI_8 = floatLiteral(0.4142135623730951);

/** sin, cos and atan by name. */
export const TRIGONOMETRICS = {
  /** The sine of x + shift · π/2, for x that is not negative. */
  float_shifted_sin: `fn float_shifted_sin(x: f32, shift: u32) -> f32 {
  if (bitcast<u32>(x) >= 0x7f800000u) {
    return float_of(0x7fc00000u);
  }
  let n = round(x * ${floatLiteral(2 / Math.PI)});
  let exact = float_kept(float_kept(x - n * ${HALF_PI_1}, n) - n * ${HALF_PI_2}, n) - n * ${HALF_PI_3};
  // A little more than π/4: what reduction gives at most where it is exact.
  let r = clamp(exact, -0.8f, 0.8f);
  let z = r * r;
  let sine = (${polynomial('z', SIN_POLYNOMIAL)} * z) * r + r;
  let cosine = ((${polynomial('z', COS_POLYNOMIAL)} * z) * z - z * 0.5f) + 1f;
  // Where n has no odd values any more, its last bits do not matter.
  let quadrant = u32(min(n, 1e9f)) + shift;
  let size = select(sine, cosine, (quadrant & 1u) == 1u);
  return float_of(bitcast<u32>(size) ^ ((quadrant & 2u) << 30u));
}`,

  /** Error 7.5e-8 up to 8192, and tiny arguments are kept. That of the magnitude, with the sign put back, so that sin(-0) is -0. */
  float_sin: `fn float_sin(x: f32) -> f32 {
  return float_of(bitcast<u32>(float_shifted_sin(float_abs(x), 0u)) ^ (bitcast<u32>(x) & 0x80000000u));
}`,

  /** Error 7.4e-8 up to 8192. */
  float_cos: `fn float_cos(x: f32) -> f32 {
  return float_shifted_sin(float_abs(x), 1u);
}`,

  /** Error 2.7 units in the last place. */
  float_atan: `fn float_atan(x: f32) -> f32 {
  if (float_is_nan(x)) {
    return x;
  }
  // From 2^40 on, the result is π/2; infinities and quotients that vanish are not for the arithmetic below.
  let size = min(float_abs(x), ${floatLiteral(2 ** 40)});
  var r = size;
  var base = 0f;
  if (size > ${TAN_3_PI_8}) {
    r = float_divide(-1f, size);
    base = ${floatLiteral(Math.PI / 2)};
  } else if (size > ${TAN_PI_8}) {
    // Half of the error of this quotient is in the result: WGSL's own would be too much.
    r = float_divide(size - 1f, size + 1f);
    base = ${floatLiteral(Math.PI / 4)};
  }
  let z = r * r;
  let sum = base + ((${polynomial('z', ATAN_POLYNOMIAL)} * z) * r + r);
  return float_of(bitcast<u32>(sum) | (bitcast<u32>(x) & 0x80000000u));
}`,
} as const satisfies Readonly<Record<string, string>>;
