/**
 * The error function of float32, after Cephes (S. Moshier, ndtrf.c): a polynomial in x² up to 1, and 1 - erfc beyond, with
 * erfc(x) = exp(-x²) / x · P(1/x²). Relative error 2e-7.
 */

import type { Type, Value } from '../assembler/value.ts';
import { exp, polynomial } from './exponential.ts';
import type { Lanes } from './lanes.ts';

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

/** The error function. */
export function erf<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  const { f, i } = lanes;
  const x = lanes.keepFloat(value);
  const size = lanes.keepFloat(f.abs(x));
  const square = lanes.keepFloat(f.mul(x, x));
  const inner = f.mul(x, polynomial(lanes, square, ERF));
  const q = lanes.keepFloat(f.div(lanes.float(1), size));
  const y = lanes.keepFloat(f.mul(q, q));
  const tail = lanes.selectFloat(f.lt(size, lanes.float(2)), polynomial(lanes, y, ERFC_NEAR), polynomial(lanes, y, ERFC_FAR));
  const outer = f.sub(lanes.float(1), f.mul(f.mul(exp(lanes, f.neg(square)), q), tail));
  const signed = lanes.fromBits(i.or(lanes.bits(outer), i.and(lanes.bits(x), lanes.int(-0x80000000))));
  return lanes.selectFloat(f.le(size, lanes.float(1)), inner, signed);
}
