/**
 * sin, cos and atan of float32, after Cephes (S. Moshier, sinf.c, atanf.c).
 *
 * Arguments are reduced by multiples of π/2 in three parts (Cody and Waite), exact up to 8192; beyond, the result is that of a neighbouring
 * argument. Errors: sin and cos 8e-8 absolute up to 8192; atan 2.1e-7 relative.
 */

import type { Type, Value } from '../assembler/value.ts';
import { polynomial } from './exponential.ts';
import type { Lanes } from './lanes.ts';

const HALF_PI_PARTS = [1.5703125, 4.837512969970703125e-4, 7.549789954891882e-8] as const;
/** A little more than π/4: what reduction gives at most where it is exact. */
const REDUCED = 0.8;

const SIN_POLYNOMIAL = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const COS_POLYNOMIAL = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];
const ATAN_POLYNOMIAL = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1];
const TAN_3_PI_8 = 2.414213562373095;
const TAN_PI_8 = 0.4142135623730951;

/** sin of `x + shift · π/2`. */
function sine<F extends Type, I extends Type>(lanes: Lanes<F, I>, x: Value<F>, shift: 0 | 1): Value<F> {
  const { f, i } = lanes;
  const [p1, p2, p3] = HALF_PI_PARTS;
  const n = lanes.keepFloat(f.nearest(f.mul(x, lanes.float(2 / Math.PI))));
  const exact = f.sub(f.sub(f.sub(x, f.mul(n, lanes.float(p1))), f.mul(n, lanes.float(p2))), f.mul(n, lanes.float(p3)));
  const r = lanes.keepFloat(f.max(f.min(exact, lanes.float(REDUCED)), lanes.float(-REDUCED)));
  const z = lanes.keepFloat(f.mul(r, r));
  const own = f.add(f.mul(f.mul(polynomial(lanes, z, SIN_POLYNOMIAL), z), r), r);
  const cosine = f.add(f.sub(f.mul(f.mul(polynomial(lanes, z, COS_POLYNOMIAL), z), z), f.mul(z, lanes.float(0.5))), lanes.float(1));
  const quadrant = lanes.keepInt(i.add(lanes.toInt(n), lanes.int(shift)));
  const odd = lanes.intToMask(i.and(quadrant, lanes.int(1)));
  const sign = i.shl(i.and(quadrant, lanes.int(2)), 30);
  return lanes.fromBits(i.xor(lanes.bits(lanes.selectFloat(odd, cosine, own)), sign));
}

/** The sine: that of the magnitude, with the sign put back, so that sin(-0) is -0. */
export function sin<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  const { f, i } = lanes;
  const x = lanes.keepFloat(value);
  const sign = i.and(lanes.bits(x), lanes.int(-0x80000000));
  return lanes.fromBits(i.xor(lanes.bits(sine(lanes, lanes.keepFloat(f.abs(x)), 0)), sign));
}

/** The cosine. */
export function cos<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  return sine(lanes, lanes.keepFloat(value), 1);
}

/** The arc tangent. */
export function atan<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<F> {
  const { f, i } = lanes;
  const x = lanes.keepFloat(value);
  const size = lanes.keepFloat(f.abs(x));
  const far = lanes.keepInt(f.gt(size, lanes.float(TAN_3_PI_8)));
  const middle = lanes.keepInt(f.gt(size, lanes.float(TAN_PI_8)));
  const one = lanes.float(1);
  const folded = lanes.selectFloat(middle, f.div(f.sub(size, one), f.add(size, one)), size);
  const r = lanes.keepFloat(lanes.selectFloat(far, f.div(lanes.float(-1), size), folded));
  const base = lanes.selectFloat(far, lanes.float(Math.PI / 2), lanes.selectFloat(middle, lanes.float(Math.PI / 4), lanes.float(0)));
  const z = lanes.keepFloat(f.mul(r, r));
  const sum = f.add(base, f.add(f.mul(f.mul(polynomial(lanes, z, ATAN_POLYNOMIAL), z), r), r));
  return lanes.fromBits(i.or(lanes.bits(f.abs(sum)), i.and(lanes.bits(x), lanes.int(-0x80000000))));
}
