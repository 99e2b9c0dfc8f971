/**
 * Building blocks of scalar formulas: what the expressions of elementary functions are written in.
 *
 * A formula is used in every float dtype that devices calculate in, float64 and float32; every step rounds to it. 16-bit floats go through
 * float32 ({@link roundedOnce}).
 */

import { apply, cast, where as select } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import { number } from './elementwise.ts';

/** A value from a value. */
export type Formula = (x: Expression) => Expression;

type Term = Expression | number;

const termLike = (a: Expression, b: Term): Expression => (typeof b === 'number' ? number(a, b) : b);

export const plus = (a: Expression, b: Term): Expression => apply('add', a, termLike(a, b));
export const minus = (a: Expression, b: Term): Expression => apply('subtract', a, termLike(a, b));
export const times = (a: Expression, b: Term): Expression => apply('multiply', a, termLike(a, b));
export const over = (a: Expression, b: Term): Expression => apply('divide', a, termLike(a, b));
export const isLess = (a: Expression, b: Term): Expression => apply('less', a, termLike(a, b));
export const isEqual = (a: Expression, b: Term): Expression => apply('equal', a, termLike(a, b));
export const absolute: Formula = (x) => apply('abs', x);
export const negated: Formula = (x) => apply('negate', x);
export const reciprocalOf: Formula = (x) => apply('divide', number(x, 1), x);

/** `formula` calculated in float32 where x is a 16-bit float, and rounded once. */
export const roundedOnce =
  (formula: Formula): Formula =>
  (x) =>
    x.dtype === 'float16' || x.dtype === 'bfloat16' ? cast(formula(cast(x, 'float32')), x.dtype) : formula(x);

/** The same for two arguments. */
export const roundedOnceOfTwo =
  (formula: (a: Expression, b: Expression) => Expression) =>
  (a: Expression, b: Expression): Expression =>
    a.dtype === 'float16' || a.dtype === 'bfloat16' ? cast(formula(cast(a, 'float32'), cast(b, 'float32')), a.dtype) : formula(a, b);

/** Σ coefficient · xᵏ by Horner's rule, lowest coefficient first. */
export function polynomial(x: Expression, coefficients: readonly number[]): Expression {
  return coefficients.reduceRight<Expression | null>((sum, c) => (sum === null ? number(x, c) : plus(times(sum, x), c)), null) ?? number(x, 0);
}

/** `magnitude` where x is above 0, its negative below; x itself at ±0, and NaN. */
export function withSignOf(x: Expression, magnitude: Expression): Expression {
  return select(isLess(x, 0), negated(magnitude), select(isEqual(x, 0), x, magnitude));
}

/** Does x carry a minus sign? -0 does; NaN does not. */
export function hasMinus(x: Expression): Expression {
  return apply('or', isLess(x, 0), isLess(reciprocalOf(x), 0));
}

/** log(1 + x) in Kahan's form: log(u) · (x / (u - 1)) with u = 1 + x, where the error of u cancels. */
export const log1pOf: Formula = (x) => {
  const u = plus(x, 1);
  const corrected = times(apply('log', u), over(x, minus(u, 1)));
  return select(isEqual(u, 1), x, select(isEqual(u, Infinity), u, corrected));
};

/** exp(x) - 1 in Kahan's form: (u - 1) · (x / log u) with u = exp(x). */
export const expm1Of: Formula = (x) => {
  const u = apply('exp', x);
  const less1 = minus(u, 1);
  const corrected = times(less1, over(x, apply('log', u)));
  const plain = apply('or', isEqual(less1, -1), isEqual(u, Infinity));
  return select(isEqual(u, 1), x, select(plain, less1, corrected));
};
