/**
 * The logarithm of the gamma function and its derivatives. Integers and bool are calculated as float32, 16-bit floats in float32 and rounded
 * once. Errors: `docs/elementary-functions.md`; next to zeros at negative arguments, and next to digamma's at 1.4616, they are absolute.
 *
 * Formulas: NIST Digital Library of Mathematical Functions, 5.5 (recurrence, reflection), 5.11.1 (Stirling), 5.15.8, 5.15.9 and 25.11.12
 * (the Hurwitz zeta function's Euler-Maclaurin sum).
 */

import { apply, where as select } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import { ArgumentError } from '../errors.ts';
import type { GradientContext, OpRow } from '../graph/op.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './arithmetic.ts';
import { number, recordFloat, unaryRow } from './elementwise.ts';
import { absolute, isEqual, isLess, minus, negated, over, plus, polynomial, reciprocalOf, roundedOnce, times } from './formulas.ts';
import type { Formula } from './formulas.ts';

const x0 = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;

/**
 * R(s) with lgamma(1 + s) = s (s - 1) · R(s) for s from 0 to 2, a quotient that equals it at the 17 Chebyshev nodes; lowest coefficients
 * first. Relative error 4.0e-18. `test/fixtures/log-gamma.py` makes them.
 */
const CENTRE_NUMERATOR: readonly number[] = [
  0.5772156649015329, 1.7958790176161952, 2.186533438224094, 1.3226883644708725, 0.4175253664101564, 0.06620652377201063, 0.004630212512476104,
  0.00010318936687265844, 1.5462129487433713e-7,
];
const CENTRE_DENOMINATOR: readonly number[] = [
  1, 3.536165960580732, 5.021257893286725, 3.672221746395205, 1.477100447122607, 0.32397691578929105, 0.036138844242174166, 0.0017463680864623742,
  2.4701851967984794e-5,
];
/** The whole numbers that x from 3 up to {@link STIRLING_FROM} is brought down by: lgamma(x) = lgamma(x - n) + log((x - 1) … (x - n)). */
const STEPS_DOWN = 5;
const STIRLING_FROM = 8;
/** B₂, B₄, …: the Bernoulli numbers. */
const BERNOULLI: readonly number[] = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330];
/** B₂ₖ / (2k (2k - 1)): Stirling's series in 1/x, 1/x³, …; from 8 up, eight terms are exact to 1e-16. */
const STIRLING: readonly number[] = /* @__PURE__ */ BERNOULLI.slice(0, 8).map((b, i) => b / ((2 * i + 2) * (2 * i + 1)));
const LOG_PI = Math.log(Math.PI);
const STIRLING_CONSTANT = (Math.log(2 * Math.PI) - 1) / 2;

/** What x is beyond the nearest whole number, exact; in [-½, ½]. */
const beyondWhole: Formula = (x) => minus(x, apply('round', x));

const LGAMMA: OpRow = /* @__PURE__ */ unaryRow(
  'lgamma',
  /* @__PURE__ */ roundedOnce((x) => {
    const size = absolute(x);
    let [down, factors]: [Expression, Expression] = [size, number(x, 1)];
    for (let n = 1; n <= STEPS_DOWN; n++) {
      const applies = isLess(number(x, n + 2), size);
      const next = minus(size, n);
      down = select(applies, next, down);
      factors = select(applies, times(factors, next), factors);
    }
    const [small, large] = [isLess(size, 1), apply('not', isLess(size, STIRLING_FROM))];
    // Below 1 this is lgamma(1 + x).
    const beyondOne = select(small, size, minus(down, 1));
    const beyondTwo = select(small, minus(size, 1), minus(down, 2));
    const quotient = over(polynomial(beyondOne, CENTRE_NUMERATOR), polynomial(beyondOne, CENTRE_DENOMINATOR));
    const centre = times(times(beyondOne, beyondTwo), quotient);
    const logarithm = apply('log', select(apply('or', small, large), size, factors));
    const inverse = reciprocalOf(size);
    const correction = times(inverse, polynomial(times(inverse, inverse), STIRLING));
    const stirling = plus(times(minus(size, 0.5), minus(logarithm, 1)), plus(correction, STIRLING_CONSTANT));
    const positive = select(small, minus(centre, logarithm), select(large, stirling, plus(centre, logarithm)));

    // lgamma(-a) = log π - log |sin πa| - lgamma(1 + a).
    const sine = absolute(apply('sin', times(beyondWhole(size), Math.PI)));
    const ofNext = select(small, centre, plus(positive, apply('log', size)));
    const reflected = minus(minus(number(x, LOG_PI), apply('log', sine)), ofNext);
    const negative = select(isEqual(sine, 0), number(x, Infinity), reflected);
    return select(isEqual(size, Infinity), size, select(isLess(x, 0), negative, positive));
  }),
  (g, c) => [mul(g, recordFloat(polygammaRow(0), x0(c)))],
  'inputs',
);

/** Steps up before the asymptotic series, and its terms; with them it is exact to the dtype. */
const seriesOf = (x: Expression): { readonly steps: number; readonly terms: number } =>
  x.dtype === 'float64' ? { steps: 10, terms: 9 } : { steps: 5, terms: 4 };

/** ψ(x) for x ≥ 0 (∓Infinity at ±0): log w - 1 / 2w - Σ B₂ₖ / (2k w²ᵏ) at w = x + steps, less Σ 1 / (x + k). */
function digammaAbove(x: Expression): Expression {
  const { steps, terms } = seriesOf(x);
  const w = plus(x, steps);
  const inverse = reciprocalOf(w);
  const squared = times(inverse, inverse);
  const series = polynomial(
    squared,
    BERNOULLI.slice(0, terms).map((b, i) => b / (2 * i + 2)),
  );
  let sum = reciprocalOf(plus(x, steps - 1));
  for (let k = steps - 2; k > 0; k--) sum = plus(sum, reciprocalOf(plus(x, k)));
  const asymptotic = minus(minus(apply('log', w), times(inverse, 0.5)), times(squared, series));
  return minus(minus(asymptotic, sum), reciprocalOf(x));
}

function power(x: Expression, exponent: number): Expression {
  let result = x;
  for (let i = 1; i < exponent; i++) result = times(result, x);
  return result;
}

/** ψ⁽ⁿ⁾(x) for n ≥ 1, x ≥ 0: (-1)ⁿ⁺¹ n! ζ(n + 1, x). */
function polygammaAbove(x: Expression, n: number): Expression {
  const { steps, terms } = seriesOf(x);
  const inverse = reciprocalOf(plus(x, steps));
  let factorial = 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  // n! · B₂ₖ / (2k)! · (n + 1)(n + 2) … (n + 2k - 1), the last product being (n + 2k - 1)! / n!.
  let rising = factorial;
  const coefficients = BERNOULLI.slice(0, terms + Math.ceil(n / 2)).map((b, i) => {
    const k = i + 1;
    rising *= k === 1 ? (n + 1) / 2 : ((n + 2 * k - 2) * (n + 2 * k - 1)) / ((2 * k - 1) * (2 * k));
    return b * rising;
  });
  const head = plus(times(inverse, factorial / 2), factorial / n);
  const tail = times(times(inverse, inverse), polynomial(times(inverse, inverse), coefficients));
  let sum = times(plus(head, tail), power(inverse, n));
  for (let k = steps - 1; k >= 0; k--) sum = plus(sum, times(power(reciprocalOf(k === 0 ? x : plus(x, k)), n + 1), factorial));
  return n % 2 === 0 ? negated(sum) : sum;
}

/** The nth derivative of cot by its own argument, as a polynomial in cot, lowest first: P₀ = c, Pₙ₊₁ = -(1 + c²) · Pₙ'. */
function derivativeOfCotangent(n: number): number[] {
  let polynomialOf = [0, 1];
  for (let i = 0; i < n; i++) {
    const slope = polynomialOf.slice(1).map((a, k) => a * (k + 1));
    polynomialOf = Array.from({ length: slope.length + 2 }, (_, k) => -((slope[k] ?? 0) + (slope[k - 2] ?? 0)));
  }
  return polynomialOf;
}

/** ψ⁽ⁿ⁾, below 0 by reflection: ψ⁽ⁿ⁾(x) = (-1)ⁿ ψ⁽ⁿ⁾(1 - x) - πⁿ⁺¹ cot⁽ⁿ⁾(πx). */
const polygammaFormula =
  (n: number): Formula =>
  (x) => {
    const below = isLess(x, 0);
    const reflected = select(below, minus(number(x, 1), x), x);
    const above = n === 0 ? digammaAbove(reflected) : polygammaAbove(reflected, n);
    const rest = beyondWhole(x);
    // The cosine as the sine of what is left to a quarter turn, which is exact.
    const quarter = minus(number(x, 0.5), absolute(rest));
    const cotangent = over(apply('sin', times(quarter, Math.PI)), apply('sin', times(rest, Math.PI)));
    const turn = times(polynomial(cotangent, derivativeOfCotangent(n)), Math.PI ** (n + 1));
    const negative = minus(n % 2 === 0 ? above : negated(above), turn);
    const pole = number(x, n === 0 ? NaN : n % 2 === 0 ? -Infinity : Infinity);
    return select(below, select(isEqual(rest, 0), pole, negative), above);
  };

const polygammaRows: OpRow[] = [];
/** The row of ψ⁽ⁿ⁾, made when first asked for: each is the next one's derivative. */
function polygammaRow(n: number): OpRow {
  return (polygammaRows[n] ??= unaryRow(
    n === 0 ? 'digamma' : `polygamma ${n}`,
    roundedOnce(polygammaFormula(n)),
    (g, c) => [mul(g, recordFloat(polygammaRow(n + 1), x0(c)))],
    'inputs',
  ));
}

/** The logarithm of the magnitude of the gamma function; Infinity at 0 and negative whole numbers. */
export function lgamma(x: Tensor): Tensor {
  return recordFloat(LGAMMA, x);
}

/** The derivative of {@link lgamma}: -Infinity at 0 (Infinity at -0), NaN at negative whole numbers. */
export function digamma(x: Tensor): Tensor {
  return recordFloat(polygammaRow(0), x);
}

/** Highest derivative that {@link polygamma} gives; gradients go further. */
const MAX_ORDER = 8;

/**
 * The derivative of order `order` of {@link digamma} (order 0: digamma itself; 1: trigamma), for any x; at 0 and negative whole numbers
 * Infinity, -Infinity for even orders.
 *
 * @param order a whole number from 0 to 8
 * @throws ArgumentError
 */
export function polygamma(order: number, x: Tensor): Tensor {
  if (!Number.isInteger(order) || order < 0 || order > MAX_ORDER) {
    nodeOf(x, 'polygamma');
    throw new ArgumentError({ op: 'polygamma', expected: `an order from 0 to ${MAX_ORDER}`, got: String(order) });
  }
  return recordFloat(polygammaRow(order), x);
}
