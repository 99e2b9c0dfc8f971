/** Elementary functions and simple activations, elementwise. Integers and bool are calculated as float32. */

import { apply } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import type { GradientContext, OpRow } from '../graph/op.ts';
import type { Tensor } from '../tensor.ts';
import { requireOptions } from './arguments.ts';
import { add, div, greater, mul, neg, square, sub, where } from './arithmetic.ts';
import { number, recordFloat, recordUnary, unaryRow } from './elementwise.ts';
import { expm1Of, log1pOf, roundedOnce } from './formulas.ts';

const x0 = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;
const one = (x: Expression): Expression => number(x, 1);

const EXP: OpRow = /* @__PURE__ */ unaryRow(
  'exp',
  (x) => apply('exp', x),
  (g, c) => [mul(g, c.output)],
  'output',
);
const LOG: OpRow = /* @__PURE__ */ unaryRow(
  'log',
  (x) => apply('log', x),
  (g, c) => [div(g, x0(c))],
  'inputs',
);
const SQRT: OpRow = /* @__PURE__ */ unaryRow(
  'sqrt',
  (x) => apply('sqrt', x),
  (g, c) => [div(mul(g, 0.5), c.output)],
  'output',
);
const RSQRT: OpRow = /* @__PURE__ */ unaryRow(
  'rsqrt',
  /* @__PURE__ */ roundedOnce((x) => apply('divide', one(x), apply('sqrt', x))),
  (g, c) => [mul(g, mul(div(c.output, x0(c)), -0.5))],
  'both',
);
const RECIPROCAL: OpRow = /* @__PURE__ */ unaryRow(
  'reciprocal',
  (x) => apply('divide', one(x), x),
  (g, c) => [neg(mul(g, square(c.output)))],
  'output',
);
const SIN: OpRow = /* @__PURE__ */ unaryRow(
  'sin',
  (x) => apply('sin', x),
  (g, c) => [mul(g, cos(x0(c)))],
  'inputs',
);
const COS: OpRow = /* @__PURE__ */ unaryRow(
  'cos',
  (x) => apply('cos', x),
  (g, c) => [neg(mul(g, sin(x0(c))))],
  'inputs',
);
const TAN: OpRow = /* @__PURE__ */ unaryRow(
  'tan',
  /* @__PURE__ */ roundedOnce((x) => apply('divide', apply('sin', x), apply('cos', x))),
  (g, c) => [mul(g, add(square(c.output), 1))],
  'output',
);
const TANH: OpRow = /* @__PURE__ */ unaryRow(
  'tanh',
  (x) => apply('tanh', x),
  (g, c) => [mul(g, sub(1, square(c.output)))],
  'output',
);
const ATAN: OpRow = /* @__PURE__ */ unaryRow(
  'atan',
  (x) => apply('atan', x),
  (g, c) => [div(g, add(square(x0(c)), 1))],
  'inputs',
);
const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
const ERF: OpRow = /* @__PURE__ */ unaryRow(
  'erf',
  (x) => apply('erf', x),
  (g, c) => [mul(g, mul(exp(neg(square(x0(c)))), TWO_OVER_SQRT_PI))],
  'inputs',
);

const LOG1P: OpRow = /* @__PURE__ */ unaryRow('log1p', /* @__PURE__ */ roundedOnce(log1pOf), (g, c) => [div(g, add(x0(c), 1))], 'inputs');

const EXPM1: OpRow = /* @__PURE__ */ unaryRow('expm1', /* @__PURE__ */ roundedOnce(expm1Of), (g, c) => [mul(g, add(c.output, 1))], 'output');

const SIGMOID: OpRow = /* @__PURE__ */ unaryRow(
  'sigmoid',
  /* @__PURE__ */ roundedOnce((x) => apply('divide', one(x), apply('add', one(x), apply('exp', apply('negate', x))))),
  (g, c) => [mul(g, mul(c.output, sub(1, c.output)))],
  'output',
);

const RELU: OpRow = /* @__PURE__ */ unaryRow(
  'relu',
  (x) => apply('max', x, number(x, 0)),
  (g, c) => [where(greater(c.output, 0), g, 0)],
  'output',
);

/** max(x, 0) + log1p(exp(-|x|)), which overflows nowhere. */
const SOFTPLUS: OpRow = /* @__PURE__ */ unaryRow(
  'softplus',
  /* @__PURE__ */ roundedOnce((x) => {
    const tail = apply('exp', apply('negate', apply('abs', x)));
    return apply('add', apply('max', x, number(x, 0)), log1pOf(tail));
  }),
  (g, c) => [mul(g, sigmoid(x0(c)))],
  'inputs',
);

const FLOOR: OpRow = /* @__PURE__ */ unaryRow('floor', (x) => apply('floor', x));
const CEIL: OpRow = /* @__PURE__ */ unaryRow('ceil', (x) => apply('ceil', x));
const ROUND: OpRow = /* @__PURE__ */ unaryRow('round', (x) => apply('round', x));
const TRUNC: OpRow = /* @__PURE__ */ unaryRow('trunc', (x) => apply('truncate', x));

/** e to the power x. */
export function exp(x: Tensor): Tensor {
  return recordFloat(EXP, x);
}

/** The natural logarithm: -Infinity at 0, NaN below. */
export function log(x: Tensor): Tensor {
  return recordFloat(LOG, x);
}

/** `log(1 + x)`, accurate for small x. */
export function log1p(x: Tensor): Tensor {
  return recordFloat(LOG1P, x);
}

/** `exp(x) - 1`, accurate for small x. */
export function expm1(x: Tensor): Tensor {
  return recordFloat(EXPM1, x);
}

/** The square root; NaN below 0. */
export function sqrt(x: Tensor): Tensor {
  return recordFloat(SQRT, x);
}

/** `1 / sqrt(x)`. */
export function rsqrt(x: Tensor): Tensor {
  return recordFloat(RSQRT, x);
}

/** `1 / x`. */
export function reciprocal(x: Tensor): Tensor {
  return recordFloat(RECIPROCAL, x);
}

/** The sine of x radians. */
export function sin(x: Tensor): Tensor {
  return recordFloat(SIN, x);
}

/** The cosine of x radians. */
export function cos(x: Tensor): Tensor {
  return recordFloat(COS, x);
}

/** The tangent of x radians. */
export function tan(x: Tensor): Tensor {
  return recordFloat(TAN, x);
}

/** The arc tangent, in radians. */
export function atan(x: Tensor): Tensor {
  return recordFloat(ATAN, x);
}

/** The hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return recordFloat(TANH, x);
}

/** The error function. */
export function erf(x: Tensor): Tensor {
  return recordFloat(ERF, x);
}

/** `1 / (1 + exp(-x))`. */
export function sigmoid(x: Tensor): Tensor {
  return recordFloat(SIGMOID, x);
}

/** `log(1 + exp(x))`, without overflow. */
export function softplus(x: Tensor): Tensor {
  return recordFloat(SOFTPLUS, x);
}

/** `max(x, 0)`, with gradient 0 at 0. */
export function relu(x: Tensor): Tensor {
  return recordUnary(RELU, x);
}

/** `x` where it is at least 0, else `slope · x` (default 0.01, as in PyTorch); the gradient at 0 is the slope's. */
export function leakyRelu(x: Tensor, options: { readonly slope?: number } = {}): Tensor {
  requireOptions('leakyRelu', options, '{ slope: 0.1 }');
  return where(greater(x, 0), x, mul(x, options.slope ?? 0.01));
}

/** Rounds down. */
export function floor(x: Tensor): Tensor {
  return recordFloat(FLOOR, x);
}

/** Rounds up. */
export function ceil(x: Tensor): Tensor {
  return recordFloat(CEIL, x);
}

/** Rounds to the nearest whole number, halves to even. */
export function round(x: Tensor): Tensor {
  return recordFloat(ROUND, x);
}

/** Drops the fraction. */
export function trunc(x: Tensor): Tensor {
  return recordFloat(TRUNC, x);
}
