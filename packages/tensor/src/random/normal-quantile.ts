/**
 * The normal distribution's probabilities and quantiles.
 *
 * Quantiles after Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37, 1988: PPND16, rationals in
 * three intervals with a relative error of about 1e-16. Probabilities on the host by the series and the continued fraction of the error function,
 * Abramowitz and Stegun 7.1.6 and 7.1.14.
 */

import { fullLike } from '../graph/record.ts';
import { abs, add, div, greater, lessEqual, minimum, mul, neg, square, sub, where } from '../ops/arithmetic.ts';
import { log, sqrt } from '../ops/functions.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';

/** Numerator and denominator, from the constant up. */
type Rational = readonly [readonly number[], readonly number[]];

/** For |p - ½| ≤ 0.425, in 0.425² - (p - ½)². */
const CENTRE: Rational = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813,
    2509.0809287301227,
  ],
  [1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854],
];
/** For √(-ln tail) up to 5, in that minus 1.6. */
const SIDE: Rational = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506, 0.022723844989269184,
    0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345,
    1.0507500716444169e-9,
  ],
];
/** Beyond, in that minus 5. */
const TAIL: Rational = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5,
    2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5, 1.421511758316446e-7,
    2.0442631033899397e-15,
  ],
];

function polynomial(coefficients: readonly number[], x: Tensor): Tensor {
  const [highest = 0, next = 0, ...rest] = coefficients.toReversed();
  return rest.reduce((value, c) => add(mul(value, x), c), add(mul(x, highest), next));
}

const rational = ([above, below]: Rational, x: Tensor): Tensor => div(polynomial(above, x), polynomial(below, x));

/** x with a share p of the standard normal distribution below it. -Infinity at 0, Infinity at 1. */
export function normalQuantile(p: Tensor): Tensor {
  const q = sub(p, 0.5);
  const isCentre = lessEqual(abs(q), 0.425);
  const centre = mul(q, rational(CENTRE, sub(0.180625, square(where(isCentre, q, 0)))));
  const tail = minimum(p, sub(1, p));
  const r = sqrt(neg(log(where(isCentre, 0.5, tail))));
  const side = where(lessEqual(r, 5), rational(SIDE, sub(r, 1.6)), rational(TAIL, sub(minimum(r, 1e3), 5)));
  const far = where(greater(r, 1e3), fullLike(nodeOf(r, 'quantile'), Infinity), side);
  return where(isCentre, centre, where(greater(q, 0), far, neg(far)));
}

/** Terms of the series that |x| below 3 needs for 1e-16, and steps of the fraction that |x| above 3 does. */
const SERIES_TERMS = 60;
const FRACTION_STEPS = 80;

/** The share of the standard normal distribution below x, on the host. */
export function normalTail(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x === -Infinity) return 0;
  if (x === Infinity) return 1;
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (Math.abs(x) < 3) {
    // ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …)
    let term = x;
    let total = x;
    for (let n = 1; n < SERIES_TERMS; n++) {
      term *= (x * x) / (2 * n + 1);
      total += term;
    }
    return 0.5 + density * total;
  }
  // φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))), of the upper tail.
  const y = Math.abs(x);
  let fraction = y;
  for (let n = FRACTION_STEPS; n >= 1; n--) fraction = y + n / fraction;
  const upper = density / fraction;
  return x < 0 ? upper : 1 - upper;
}
