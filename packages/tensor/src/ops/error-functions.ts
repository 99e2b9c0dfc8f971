/**
 * The complement of the error function, and its inverse. Integers and bool are calculated as float32, 16-bit floats in float32 and rounded
 * once. Errors: `docs/elementary-functions.md`.
 */

import { apply, where as select } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import type { GradientContext, OpRow } from '../graph/op.ts';
import type { Tensor } from '../tensor.ts';
import { mul, neg, square } from './arithmetic.ts';
import { number, recordFloat, unaryRow } from './elementwise.ts';
import { absolute, isLess, minus, negated, over, plus, polynomial, reciprocalOf, roundedOnce, times, withSignOf } from './formulas.ts';
import { exp } from './functions.ts';

const x0 = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;

/**
 * erfc(y) = exp(-y²) · R(y): W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), 631-637, with
 * the coefficients of his CALERF (https://netlib.org/specfun/erf), lowest first. Below 0.46875 it is 1 - erf(y).
 */
const CENTRE_TO = 0.46875;
const TAIL_FROM = 4;
/** From here up erfc is 0 in float64. */
const ZERO_FROM = 27;
const MIDDLE_NUMERATOR: readonly number[] = [
  1230.3393547979972, 2051.0783778260716, 1712.0476126340707, 881.952221241769, 298.6351381974001, 66.11919063714163, 8.883149794388377,
  0.5641884969886701, 2.1531153547440383e-8,
];
const MIDDLE_DENOMINATOR: readonly number[] = [
  1230.3393548037495, 3439.3676741437216, 4362.619090143247, 3290.7992357334597, 1621.3895745666903, 537.1811018620099, 117.6939508913125,
  15.744926110709835, 1,
];
const TAIL_NUMERATOR: readonly number[] = [
  0.0006587491615298378, 0.016083785148742275, 0.12578172611122926, 0.36034489994980445, 0.30532663496123236, 0.016315387137302097,
];
const TAIL_DENOMINATOR: readonly number[] = [
  0.0023352049762686918, 0.06051834131244132, 0.5279051029514285, 1.8729528499234604, 2.568520192289822, 1,
];
const INVERSE_SQRT_PI = 0.5641895835477563;

/** exp(-y²) without the rounding error of y²: y is split at a multiple of 1/16, whose square is exact. */
function expOfMinusSquare(y: Expression): Expression {
  const head = times(apply('truncate', times(y, 16)), 1 / 16);
  const rest = minus(y, head);
  return times(apply('exp', negated(times(head, head))), apply('exp', negated(times(rest, plus(y, head)))));
}

const quotient = (x: Expression, numerator: readonly number[], denominator: readonly number[]): Expression =>
  over(polynomial(x, numerator), polynomial(x, denominator));

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

const ERFC: OpRow = /* @__PURE__ */ unaryRow(
  'erfc',
  /* @__PURE__ */ roundedOnce((x) => {
    const size = absolute(x);
    const y = apply('min', size, number(x, ZERO_FROM + 1));
    const z = reciprocalOf(times(y, y));
    const tail = over(minus(number(x, INVERSE_SQRT_PI), times(z, quotient(z, TAIL_NUMERATOR, TAIL_DENOMINATOR))), y);
    const scaled = select(isLess(y, TAIL_FROM), quotient(y, MIDDLE_NUMERATOR, MIDDLE_DENOMINATOR), tail);
    const complement = times(expOfMinusSquare(y), scaled);
    const outer = select(isLess(x, 0), minus(number(x, 2), complement), complement);
    return select(isLess(size, CENTRE_TO), minus(number(x, 1), apply('erf', x)), outer);
  }),
  (g, c) => [mul(g, mul(exp(neg(square(x0(c)))), -TWO_OVER_SQRT_PI))],
  'inputs',
);

/**
 * The normal quantile PPND16: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37
 * (1988), 477-484; lowest coefficients first, as the shortest decimals of the same float64 numbers. erfinv(x) is the quantile of (1 + x) / 2 over √2.
 */
const CENTRAL_NUMERATOR: readonly number[] = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813,
  2509.0809287301227,
];
const CENTRAL_DENOMINATOR: readonly number[] = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854,
];
const NEAR_NUMERATOR: readonly number[] = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506, 0.022723844989269184,
  0.0007745450142783414,
];
const NEAR_DENOMINATOR: readonly number[] = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_NUMERATOR: readonly number[] = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5,
  2.0103343992922881e-7,
];
const FAR_DENOMINATOR: readonly number[] = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5, 1.421511758316446e-7,
  2.0442631033899397e-15,
];
/** |p - ½| up to 0.425, that is |x| up to 0.85, is the centre; r = √(-log of the smaller tail) up to 5 is near. */
const CENTRAL_TO = 0.85;
const CENTRAL_SQUARE = 0.425 ** 2;
const NEAR_TO = 5;
const NEAR_CENTRE = 1.6;

const ERFINV: OpRow = /* @__PURE__ */ unaryRow(
  'erfinv',
  /* @__PURE__ */ roundedOnce((x) => {
    const size = absolute(x);
    const half = times(x, 0.5);
    const central = times(half, quotient(minus(number(x, CENTRAL_SQUARE), times(half, half)), CENTRAL_NUMERATOR, CENTRAL_DENOMINATOR));
    const r = apply('sqrt', negated(apply('log', times(minus(number(x, 1), size), 0.5))));
    const near = quotient(minus(r, NEAR_CENTRE), NEAR_NUMERATOR, NEAR_DENOMINATOR);
    const far = quotient(minus(r, NEAR_TO), FAR_NUMERATOR, FAR_DENOMINATOR);
    const tail = withSignOf(x, select(isLess(r, NEAR_TO), near, far));
    const found = times(select(isLess(size, CENTRAL_TO), central, tail), Math.SQRT1_2);
    const atEnd = withSignOf(x, number(x, Infinity));
    return select(isLess(size, 1), found, select(apply('equal', size, number(x, 1)), atEnd, number(x, NaN)));
  }),
  (g, c) => [mul(g, mul(exp(square(c.output)), 1 / TWO_OVER_SQRT_PI))],
  'output',
);

/** The complement of the error function, `1 - erf(x)`, with full precision where it is small. */
export function erfc(x: Tensor): Tensor {
  return recordFloat(ERFC, x);
}

/** The inverse of the error function: ±Infinity at ±1, NaN beyond. */
export function erfinv(x: Tensor): Tensor {
  return recordFloat(ERFINV, x);
}
