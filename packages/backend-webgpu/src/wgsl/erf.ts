/**
 * The error function of float32 in WGSL, after Cephes (S. Moshier, ndtrf.c): a polynomial in x² up to 1, and 1 - erfc beyond, with
 * erfc(x) = exp(-x²) / x · P(1/x²).
 */

import { polynomial } from './literal.ts';

const ERF = [
  7.853861353153693e-5, -8.010193625184903e-4, 5.188327685732524e-3, -2.685381193529856e-2, 1.128358514861418e-1, -3.7612625824233e-1,
  1.12837916572671,
];
/** erfc between 1 and 2. */
const ERFC_NEAR = [
  2.326819970068386e-2, -1.387039388740657e-1, 3.687424674597105e-1, -5.824733027278666e-1, 6.210004621745983e-1, -4.944515323274145e-1,
  3.404879937665872e-1, -2.741127028184656e-1, 5.638259427386472e-1,
];
/** erfc from 2 on. */
const ERFC_FAR = [
  -1.047766399936249e1, 1.297719955372516e1, -7.495518717768503, 2.921019019210786, -1.0152652792027, 4.218463358204948e-1, -2.820767439740514e-1,
  5.641895067754075e-1,
];

/** erf by name. */
export const ERROR_FUNCTION = {
  /** Error 2.4 units in the last place. */
  float_erf: `fn float_erf(x: f32) -> f32 {
  if (float_is_nan(x)) {
    return x;
  }
  let sign = bitcast<u32>(x) & 0x80000000u;
  // From 4 on, the result is 1.
  let size = min(float_abs(x), 4f);
  let square = size * size;
  if (size <= 1f) {
    return float_of(bitcast<u32>(size * ${polynomial('square', ERF)}) | sign);
  }
  let q = 1f / size;
  let y = q * q;
  let near = ${polynomial('y', ERFC_NEAR)};
  let far = ${polynomial('y', ERFC_FAR)};
  let tail = (float_exp(-square) * q) * select(far, near, size < 2f);
  return float_of(bitcast<u32>(1f - tail) | sign);
}`,
} as const satisfies Readonly<Record<string, string>>;
