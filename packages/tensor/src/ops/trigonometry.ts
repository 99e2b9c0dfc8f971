/**
 * Inverse trigonometric functions, angles, lengths and the cardinal sine. Integers and bool are calculated as float32, 16-bit floats in
 * float32 and rounded once. Errors: `docs/elementary-functions.md`.
 */

import { apply, where as select } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import type { GradientContext, OpRow } from '../graph/op.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, equal, mul, neg, square, sub, where } from './arithmetic.ts';
import type { Operand } from './arguments.ts';
import { binaryRow, number, recordFloat, recordFloatBinary, unaryRow } from './elementwise.ts';
import { sumTo } from './expand.ts';
import { absolute, hasMinus, isEqual, isLess, minus, negated, over, plus, polynomial, roundedOnce, roundedOnceOfTwo, times } from './formulas.ts';
import type { Formula } from './formulas.ts';
import { rsqrt } from './functions.ts';

const x0 = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;
const x1 = ({ inputs }: GradientContext): Tensor => inputs[1] as Tensor;

/** 1 / √(1 - x²), without loss next to ±1. */
const slopeOfAsin = (x: Tensor): Tensor => rsqrt(mul(sub(1, x), add(x, 1)));

const ASIN: OpRow = /* @__PURE__ */ unaryRow(
  'asin',
  /* @__PURE__ */ roundedOnce((x) => apply('atan', over(x, apply('sqrt', times(minus(number(x, 1), x), plus(x, 1)))))),
  (g, c) => [mul(g, slopeOfAsin(x0(c)))],
  'inputs',
);
const ACOS: OpRow = /* @__PURE__ */ unaryRow(
  'acos',
  /* @__PURE__ */ roundedOnce((x) => times(apply('atan', apply('sqrt', over(minus(number(x, 1), x), plus(x, 1)))), 2)),
  (g, c) => [neg(mul(g, slopeOfAsin(x0(c))))],
  'inputs',
);

/** What π loses by being rounded to the dtype. */
const lostOfPi = (x: Expression): number => (x.dtype === 'float64' ? 1.2246467991473532e-16 : Math.PI - Math.fround(Math.PI));

const ATAN2: OpRow = /* @__PURE__ */ binaryRow(
  'atan2',
  /* @__PURE__ */ roundedOnceOfTwo((y, x) => {
    const [height, width] = [absolute(y), absolute(x)];
    // Equal magnitudes may both be infinite; y = 0 may meet x = 0.
    const ratio = select(isEqual(height, width), number(x, 1), over(height, width));
    const angle = apply('atan', select(apply('and', isEqual(y, 0), isEqual(x, x)), number(x, 0), ratio));
    const turned = select(hasMinus(x), minus(number(x, Math.PI), minus(angle, lostOfPi(x))), angle);
    return select(hasMinus(y), negated(turned), turned);
  }),
  (g, c) => {
    const [y, x] = [x0(c), x1(c)];
    const share = div(g, add(square(x), square(y)));
    return [c.needs(0) ? sumTo(mul(share, x), c.dims[0] ?? []) : null, c.needs(1) ? sumTo(neg(mul(share, y)), c.dims[1] ?? []) : null];
  },
  'inputs',
);

const HYPOT: OpRow = /* @__PURE__ */ binaryRow(
  'hypot',
  /* @__PURE__ */ roundedOnceOfTwo((a, b) => {
    const [p, q] = [absolute(a), absolute(b)];
    const long = apply('max', p, q);
    const ratio = over(apply('min', p, q), long);
    const length = times(long, apply('sqrt', plus(times(ratio, ratio), 1)));
    const infinite = apply('or', isEqual(p, Infinity), isEqual(q, Infinity));
    return select(infinite, number(a, Infinity), select(isEqual(long, 0), long, length));
  }),
  (g, c) => {
    const isZero = equal(c.output, 0);
    const share = where(isZero, 0, div(g, where(isZero, 1, c.output)));
    return [c.needs(0) ? sumTo(mul(share, x0(c)), c.dims[0] ?? []) : null, c.needs(1) ? sumTo(mul(share, x1(c)), c.dims[1] ?? []) : null];
  },
  'both',
);

/** sin of π · x and its derivatives by π · x, from what is left of x beside the next even number, which is exact. */
function sineOfTurns(x: Expression, derivative: number): Expression {
  const rest = minus(x, times(apply('round', times(x, 0.5)), 2));
  const angle = times(rest, Math.PI);
  const wave = apply(derivative % 2 === 0 ? 'sin' : 'cos', angle);
  return derivative % 4 < 2 ? wave : negated(wave);
}

/** Up to here derivatives of the cardinal sine are taken from the series, which grows the more terms the higher they are. */
const SERIES_TO = 2;
const SERIES_TERMS = 14;

/** Coefficients of t⁰, t², … (or of t¹, t³, …) of the nth derivative of sin(t) / t = Σ (-1)ᵏ t²ᵏ / (2k + 1)!. */
function seriesOfSinc(derivative: number): number[] {
  const odd = derivative % 2;
  return Array.from({ length: SERIES_TERMS }, (_, j) => {
    const power = 2 * j + odd;
    const k = (power + derivative) / 2;
    let coefficient = k % 2 === 0 ? 1 : -1;
    // (2k)! / power! from the derivative, over (2k + 1)!.
    for (let i = 2; i <= power; i++) coefficient /= i;
    return coefficient / (2 * k + 1);
  });
}

/** The nth derivative s⁽ⁿ⁾ of s(t) = sin(t) / t at t = π · x: t · s⁽ⁿ⁾ = sin⁽ⁿ⁾(t) - n · s⁽ⁿ⁻¹⁾, and the series near 0. */
const cardinalSine =
  (derivative: number): Formula =>
  (x) => {
    const t = times(x, Math.PI);
    const near = isLess(absolute(t), SERIES_TO);
    const away = select(near, number(x, 1), t);
    let value = over(sineOfTurns(x, 0), away);
    for (let n = 1; n <= derivative; n++) value = over(minus(sineOfTurns(x, n), times(value, n)), away);
    const even = polynomial(times(t, t), seriesOfSinc(derivative));
    const series = derivative % 2 === 0 ? even : times(even, t);
    return select(near, series, value);
  };

const sincRows: OpRow[] = [];
/** Rows of the derivatives by π · x, made when first asked for: each is the next one's. */
function sincRow(derivative: number): OpRow {
  return (sincRows[derivative] ??= unaryRow(
    derivative === 0 ? 'sinc' : `sinc derivative ${derivative}`,
    roundedOnce(cardinalSine(derivative)),
    (g, c) => [mul(mul(g, Math.PI), recordFloat(sincRow(derivative + 1), x0(c)))],
    'inputs',
  ));
}

const DEGREES = 180 / Math.PI;
const scaleRow = (name: string, factor: number): OpRow =>
  unaryRow(
    name,
    roundedOnce((x) => times(x, factor)),
    (g) => [mul(g, factor)],
  );
const RAD2DEG: OpRow = /* @__PURE__ */ scaleRow('rad2deg', DEGREES);
const DEG2RAD: OpRow = /* @__PURE__ */ scaleRow('deg2rad', 1 / DEGREES);

/** The arc sine, from -π/2 to π/2; NaN beyond ±1. */
export function asin(x: Tensor): Tensor {
  return recordFloat(ASIN, x);
}

/** The arc cosine, from 0 to π; NaN beyond ±1. */
export function acos(x: Tensor): Tensor {
  return recordFloat(ACOS, x);
}

/** The angle of the point (x, y), from -π to π, with C's rules for signed zeros and infinities. @throws ShapeError, DTypeError */
export function atan2(y: Operand, x: Operand): Tensor {
  return recordFloatBinary(ATAN2, y, x);
}

/** `sqrt(a² + b²)`, without overflow on the way. Its gradient at (0, 0) is 0, as that of `norm`; PyTorch's is NaN. @throws ShapeError, DTypeError */
export function hypot(a: Operand, b: Operand): Tensor {
  return recordFloatBinary(HYPOT, a, b);
}

/** `sin(πx) / (πx)`, and 1 at 0. */
export function sinc(x: Tensor): Tensor {
  return recordFloat(sincRow(0), x);
}

/** Radians as degrees. */
export function rad2deg(x: Tensor): Tensor {
  return recordFloat(RAD2DEG, x);
}

/** Degrees as radians. */
export function deg2rad(x: Tensor): Tensor {
  return recordFloat(DEG2RAD, x);
}
