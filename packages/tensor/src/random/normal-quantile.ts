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
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457, 67265.770927008700853,
    33430.575583588128105, 2509.0809287301226727,
  ],
  [
    1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061, 28729.085735721942674,
    5226.495278852854561,
  ],
];
/** For √(-ln tail) up to 5, in that minus 1.6. */
const SIDE: Rational = [
  [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258, 0.24178072517745061177,
    0.0227238449892691845833, 7.7454501427834140764e-4,
  ],
  [
    1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459, 0.0151986665636164571966,
    5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
];
/** Beyond, in that minus 5. */
const TAIL: Rational = [
  [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123, 0.026532189526576123093, 0.0012426609473880784386,
    2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ],
  [
    1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4, 1.8463183175100546818e-5,
    1.4215117583164458887e-7, 2.04426310338993978564e-15,
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
