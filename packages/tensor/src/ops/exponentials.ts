/**
 * Exponentials and logarithms of other bases, hyperbolic functions and their inverses, and logarithms of sums and odds.
 *
 * Integers and bool are calculated as float32, 16-bit floats in float32 and rounded once. Errors: `docs/elementary-functions.md`.
 * Methods: N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., 2002, sections 1.14 (log1p, expm1) and 27.
 */

import { apply, where as select } from '@gradus/backend';
import { ArgumentError } from '../errors.ts';
import type { GradientContext, OpRow } from '../graph/op.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, equal, greater, less, lessEqual, logicalAnd, logicalOr, mul, square, sub, where } from './arithmetic.ts';
import { requireOptions } from './arguments.ts';
import type { Operand } from './arguments.ts';
import { toDType } from './convert.ts';
import { binaryRow, number, recordFloat, recordFloatBinary, unaryRow } from './elementwise.ts';
import { sumTo } from './expand.ts';
import {
  absolute,
  isEqual,
  isLess,
  log1pOf,
  minus,
  negated,
  over,
  plus,
  polynomial,
  roundedOnce,
  roundedOnceOfTwo,
  times,
  withSignOf,
} from './formulas.ts';
import type { Formula } from './formulas.ts';
import { log, rsqrt, sigmoid } from './functions.ts';

const x0 = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;
const x1 = ({ inputs }: GradientContext): Tensor => inputs[1] as Tensor;

const EXP2: OpRow = /* @__PURE__ */ unaryRow(
  'exp2',
  (x) => apply('pow', number(x, 2), x),
  (g, c) => [mul(g, mul(c.output, Math.LN2))],
  'output',
);

/**
 * log x / log base, as n + log(x / baseⁿ) / log base with the whole n next to it: powers of the base are exact. Near 1, n is 0. Where
 * baseⁿ leaves the range (x is denormal or next to overflow), plain.
 */
const logarithmTo =
  (base: number): Formula =>
  (x) => {
    const scale = 1 / Math.log(base);
    const plain = times(apply('log', x), scale);
    const whole = apply('round', plain);
    const power = apply('pow', number(x, base), whole);
    const rest = times(apply('log', over(x, power)), scale);
    const usable = apply('and', isLess(absolute(plain), Infinity), apply('and', isLess(number(x, 0), power), isLess(power, Infinity)));
    return select(usable, plus(whole, rest), plain);
  };

const logRow = (name: string, base: number): OpRow =>
  unaryRow(name, roundedOnce(logarithmTo(base)), (g, c) => [div(g, mul(x0(c), Math.log(base)))], 'inputs');
const LOG2: OpRow = /* @__PURE__ */ logRow('log2', 2);
const LOG10: OpRow = /* @__PURE__ */ logRow('log10', 10);

/** Of sinh(x) = x · Σ x²ᵏ / (2k + 1)!; up to 1, nine terms are exact to 1e-17. */
const SINH_SERIES: readonly number[] = /* @__PURE__ */ seriesOfSinh(9);
function seriesOfSinh(terms: number): number[] {
  let coefficient = 1;
  return Array.from({ length: terms }, (_, k) => (k === 0 ? 1 : (coefficient /= 2 * k * (2 * k + 1))));
}

/** e^x / 2 for the larger arguments of sinh and cosh, in two factors, since e^x may overflow where its half does not. */
const halfExp: Formula = (x) => {
  const root = apply('exp', times(x, 0.5));
  return times(times(root, 0.5), root);
};
/** From here up e^-x / 2 adds nothing in float64. */
const ONE_SIDED_FROM = 20;

const SINH: OpRow = /* @__PURE__ */ unaryRow(
  'sinh',
  /* @__PURE__ */ roundedOnce((x) => {
    const size = absolute(x);
    const e = apply('exp', size);
    const both = times(minus(e, over(number(x, 1), e)), 0.5);
    const large = withSignOf(x, select(isLess(size, ONE_SIDED_FROM), both, halfExp(size)));
    return select(isLess(size, 1), times(x, polynomial(times(x, x), SINH_SERIES)), large);
  }),
  (g, c) => [mul(g, cosh(x0(c)))],
  'inputs',
);
const COSH: OpRow = /* @__PURE__ */ unaryRow(
  'cosh',
  /* @__PURE__ */ roundedOnce((x) => {
    const size = absolute(x);
    const e = apply('exp', size);
    return select(isLess(size, ONE_SIDED_FROM), times(plus(e, over(number(x, 1), e)), 0.5), halfExp(size));
  }),
  (g, c) => [mul(g, sinh(x0(c)))],
  'inputs',
);

/** From here up √(x² ± 1) is x, so that areas are log(2x): the square of it is 2⁵⁶. */
const LARGE = 2 ** 28;
const logOfTwice: Formula = (x) => plus(apply('log', x), Math.LN2);

/** Of asinh(x) = x · Σ: (-1)ᵏ (2k)! / (4ᵏ k!² (2k + 1)) x²ᵏ; up to 0.125 seven terms are exact to 1e-16. */
const ASINH_SERIES: readonly number[] = [1, -1 / 6, 3 / 40, -15 / 336, 105 / 3456, -945 / 42240, 10395 / 599040, -135135 / 9676800];
const ASINH_SERIES_TO = 0.125;

const ASINH: OpRow = /* @__PURE__ */ unaryRow(
  'asinh',
  /* @__PURE__ */ roundedOnce((x) => {
    const size = absolute(x);
    const squared = times(x, x);
    const rest = over(squared, plus(apply('sqrt', plus(squared, 1)), 1));
    const area = withSignOf(x, select(isLess(size, LARGE), log1pOf(plus(size, rest)), logOfTwice(size)));
    return select(isLess(size, ASINH_SERIES_TO), times(x, polynomial(squared, ASINH_SERIES)), area);
  }),
  (g, c) => [mul(g, rsqrt(add(square(x0(c)), 1)))],
  'inputs',
);
const ACOSH: OpRow = /* @__PURE__ */ unaryRow(
  'acosh',
  /* @__PURE__ */ roundedOnce((x) => {
    const beyond = minus(x, 1);
    const near = log1pOf(plus(beyond, apply('sqrt', times(beyond, plus(beyond, 2)))));
    return select(isLess(x, 1), number(x, NaN), select(isLess(x, LARGE), near, logOfTwice(x)));
  }),
  (g, c) => [mul(g, rsqrt(mul(sub(x0(c), 1), add(x0(c), 1))))],
  'inputs',
);
const ATANH: OpRow = /* @__PURE__ */ unaryRow(
  'atanh',
  /* @__PURE__ */ roundedOnce((x) => {
    const size = absolute(x);
    return withSignOf(x, times(log1pOf(over(plus(size, size), minus(number(x, 1), size))), 0.5));
  }),
  (g, c) => [div(g, mul(sub(1, x0(c)), add(x0(c), 1)))],
  'inputs',
);

/** min(x, 0) - log1p(exp(-|x|)), which overflows nowhere. */
const LOG_SIGMOID: OpRow = /* @__PURE__ */ unaryRow(
  'logSigmoid',
  /* @__PURE__ */ roundedOnce((x) => minus(apply('min', x, number(x, 0)), log1pOf(apply('exp', negated(absolute(x)))))),
  (g, c) => [mul(g, sub(1, sigmoid(x0(c))))],
  'inputs',
);

/** The difference of the arguments for {@link LOG_ADD_EXP}: 0 for two infinities of one sign. */
function differenceOf(a: Tensor, b: Tensor): Tensor {
  const bothInfinite = logicalAnd(equal(a, b), logicalOr(equal(a, Infinity), equal(a, -Infinity)));
  return where(bothInfinite, 0, sub(where(bothInfinite, 0, a), where(bothInfinite, 0, b)));
}

const LOG_ADD_EXP: OpRow = /* @__PURE__ */ binaryRow(
  'logaddexp',
  /* @__PURE__ */ roundedOnceOfTwo((a, b) => {
    const tail = select(isEqual(a, b), number(a, 0), negated(absolute(minus(a, b))));
    return plus(apply('max', a, b), log1pOf(apply('exp', tail)));
  }),
  (g, c) => [
    c.needs(0) ? sumTo(mul(g, sigmoid(differenceOf(x0(c), x1(c)))), c.dims[0] ?? []) : null,
    c.needs(1) ? sumTo(mul(g, sigmoid(differenceOf(x1(c), x0(c)))), c.dims[1] ?? []) : null,
  ],
  'inputs',
);

const X_LOG_Y: OpRow = /* @__PURE__ */ binaryRow(
  'xlogy',
  /* @__PURE__ */ roundedOnceOfTwo((x, y) => {
    const product = times(x, apply('log', y));
    return select(apply('and', isEqual(x, 0), isEqual(y, y)), number(x, 0), product);
  }),
  (g, c) => {
    const [x, y] = [x0(c), x1(c)];
    const unused = logicalAnd(equal(x, 0), lessEqual(y, 0));
    return [
      c.needs(0) ? sumTo(mul(g, where(unused, 0, log(where(unused, 1, y)))), c.dims[0] ?? []) : null,
      c.needs(1) ? sumTo(mul(g, div(x, y)), c.dims[1] ?? []) : null,
    ];
  },
  'inputs',
);

/** log(x / (1 - x)); from 0.3 up log1p((2x - 1) / (1 - x)), whose numerator is exact: accurate around ½, where it is 0. */
const LOGIT: OpRow = /* @__PURE__ */ unaryRow(
  'logit',
  /* @__PURE__ */ roundedOnce((x) => {
    const rest = minus(number(x, 1), x);
    const upper = log1pOf(over(minus(plus(x, x), 1), rest));
    return select(isLess(x, 0.3), apply('log', over(x, rest)), upper);
  }),
  (g, c) => {
    const x = x0(c);
    const outside = logicalOr(less(x, 0), greater(x, 1));
    return [div(g, where(outside, NaN, mul(x, sub(1, x))))];
  },
  'inputs',
);

/** 2 to the power x. */
export function exp2(x: Tensor): Tensor {
  return recordFloat(EXP2, x);
}

/** The logarithm to base 2, exact for powers of 2: -Infinity at 0, NaN below. */
export function log2(x: Tensor): Tensor {
  return recordFloat(LOG2, x);
}

/** The logarithm to base 10, exact for powers of 10 that the dtype has: -Infinity at 0, NaN below. */
export function log10(x: Tensor): Tensor {
  return recordFloat(LOG10, x);
}

/** The hyperbolic sine. */
export function sinh(x: Tensor): Tensor {
  return recordFloat(SINH, x);
}

/** The hyperbolic cosine. */
export function cosh(x: Tensor): Tensor {
  return recordFloat(COSH, x);
}

/** The inverse hyperbolic sine. */
export function asinh(x: Tensor): Tensor {
  return recordFloat(ASINH, x);
}

/** The inverse hyperbolic cosine, at least 0; NaN below 1. */
export function acosh(x: Tensor): Tensor {
  return recordFloat(ACOSH, x);
}

/** The inverse hyperbolic tangent: ±Infinity at ±1, NaN beyond. */
export function atanh(x: Tensor): Tensor {
  return recordFloat(ATANH, x);
}

/** `log(sigmoid(x)) = -softplus(-x)`, which neither overflows nor loses small results. */
export function logSigmoid(x: Tensor): Tensor {
  return recordFloat(LOG_SIGMOID, x);
}

/**
 * `log(exp(a) + exp(b))` without overflow; -Infinity for two of them. Gradients are the shares of the sum; two equal infinities get a half
 * each, where PyTorch has NaN. @throws ShapeError, DTypeError
 */
export function logaddexp(a: Operand, b: Operand): Tensor {
  return recordFloatBinary(LOG_ADD_EXP, a, b);
}

/** `x · log y`, and 0 where x is 0 (NaN if y is): the terms of an entropy. @throws ShapeError, DTypeError */
export function xlogy(x: Operand, y: Operand): Tensor {
  return recordFloatBinary(X_LOG_Y, x, y);
}

/**
 * The log odds, `log(x / (1 - x))`: the inverse of `sigmoid`. ∓Infinity at 0 and 1, NaN beyond.
 *
 * @param options `eps`: x is first clamped to `[eps, 1 - eps]`, with gradient 0 outside; from 0 to ½. Default: not clamped
 * @throws ArgumentError
 */
export function logit(x: Tensor, options: { readonly eps?: number } = {}): Tensor {
  requireOptions('logit', options, '{ eps: 1e-6 }');
  const { eps } = options;
  if (eps === undefined) return recordFloat(LOGIT, x);
  if (!(eps >= 0 && eps <= 0.5)) throw new ArgumentError({ op: 'logit', expected: 'eps from 0 to 0.5', got: String(eps) });
  return compose(() => {
    const { dtype } = nodeOf(x, 'logit');
    const from = dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16' ? x : toDType(x, 'float32');
    const raised = where(greater(eps, from), eps, from);
    return recordFloat(LOGIT, where(greater(raised, 1 - eps), 1 - eps, raised));
  });
}
