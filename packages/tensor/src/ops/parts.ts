/** Parts and kinds of numbers: fractions, remainders, signs, infinities; and blends of several tensors. Elementwise with broadcasting. */

import { apply, DTYPES, isFloat, where as select } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { DTypeError } from '../errors.ts';
import type { GradientContext, OpRow } from '../graph/op.ts';
import { floatOf } from '../graph/promotion.ts';
import { SCALAR_SHAPE, broadcastShapes } from '../graph/shape.ts';
import type { Shape } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { abs, add, div, equal, less, mul, neg, notEqual, sub, where } from './arithmetic.ts';
import { isNumber, requireOptions } from './arguments.ts';
import type { Operand } from './arguments.ts';
import { toDType } from './convert.ts';
import { binaryRow, number, recordBinary, recordFloat, recordFloatBinary, unaryRow } from './elementwise.ts';
import { sumTo } from './expand.ts';
import { absolute, hasMinus, isEqual, isLess, minus, negated } from './formulas.ts';
import { trunc } from './functions.ts';
import { apartFrom } from './own-handles.ts';

const x0 = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;
const x1 = ({ inputs }: GradientContext): Tensor => inputs[1] as Tensor;

const FRAC: OpRow = /* @__PURE__ */ unaryRow(
  'frac',
  (x) => minus(x, apply('truncate', x)),
  (g) => [g],
);

const FMOD: OpRow = /* @__PURE__ */ binaryRow(
  'fmod',
  (a, b) => apply('remainder', a, b),
  (g, c) => [c.needs(0) ? sumTo(g, c.dims[0] ?? []) : null, c.needs(1) ? sumTo(neg(mul(g, trunc(div(x0(c), x1(c))))), c.dims[1] ?? []) : null],
  'inputs',
);

const COPYSIGN: OpRow = /* @__PURE__ */ binaryRow(
  'copysign',
  (a, b) => {
    const size = absolute(a);
    return select(hasMinus(b), negated(size), size);
  },
  (g, c) => {
    // ±1: whether the sign has changed; 0 where a is.
    const a = x0(c);
    const isZero = equal(a, 0);
    const turned = notEqual(less(c.output, 0), less(a, 0));
    return [sumTo(where(isZero, 0, where(turned, neg(g), g)), c.dims[0] ?? []), null];
  },
  'both',
);

const HEAVISIDE: OpRow = /* @__PURE__ */ binaryRow(
  'heaviside',
  (x, atZero) => {
    const step = select(isLess(number(x, 0), x), number(x, 1), number(x, 0));
    const known = isFloat(x.dtype) ? select(apply('notEqual', x, x), x, step) : step;
    return select(isEqual(x, 0), atZero, known);
  },
  (g, c) => [null, c.needs(1) ? sumTo(where(equal(x0(c), 0), g, 0), c.dims[1] ?? []) : null],
  'inputs',
);

const isDiscrete = (x: Tensor, op: string): boolean => !isFloat(nodeOf(x, op).dtype);

function refuseBool(op: string, ...operands: readonly Operand[]): void {
  for (const x of operands) {
    if (!isNumber(x) && nodeOf(x, op).dtype === 'bool')
      throw new DTypeError({ op, expected: 'numbers', got: 'bool', fix: "cast it with toDType('int32')." });
  }
}

/** Is it neither NaN nor infinite? bool; true for integers. */
export function isFinite(x: Tensor): Tensor {
  return compose(() => (isDiscrete(x, 'isFinite') ? equal(x, x) : less(abs(x), Infinity)));
}

/** Is it Infinity or -Infinity? bool; false for integers. */
export function isInf(x: Tensor): Tensor {
  return compose(() => (isDiscrete(x, 'isInf') ? notEqual(x, x) : equal(abs(x), Infinity)));
}

/** What replaces numbers that are not finite. */
export interface NanToNumOptions {
  /** In place of NaN. Default 0. */
  readonly nan?: number;
  /** In place of Infinity. Default the largest number of the dtype. */
  readonly posInf?: number;
  /** In place of -Infinity. Default the smallest number of the dtype. */
  readonly negInf?: number;
}

/** `x` with numbers in place of NaN and infinities, whose gradient is 0. Integers stay as they are. @throws ArgumentError */
export function nanToNum(x: Tensor, options: NanToNumOptions = {}): Tensor {
  requireOptions('nanToNum', options, '{ nan: 0 }');
  const { dtype } = nodeOf(x, 'nanToNum');
  if (!isFloat(dtype)) return apartFrom(x, x);
  const { nan = 0, posInf = DTYPES[dtype].max, negInf = DTYPES[dtype].min } = options;
  return compose(() => where(equal(x, Infinity), posInf, where(equal(x, -Infinity), negInf, where(notEqual(x, x), nan, x))));
}

/** What is left of x beside its whole part, with the sign of x. @throws DTypeError on integers and bool */
export function frac(x: Tensor): Tensor {
  const { dtype } = nodeOf(x, 'frac');
  if (!isFloat(dtype)) throw new DTypeError({ op: 'frac', expected: 'a floating-point tensor', got: dtype, fix: 'whole numbers have no fraction.' });
  return recordFloat(FRAC, x);
}

/** C's remainder, with the sign of the dividend: `a - trunc(a / b) · b`. Integers stay integers; by an integer 0 it is 0. @throws DTypeError on bool */
export function fmod(a: Operand, b: Operand): Tensor {
  refuseBool('fmod', a, b);
  return recordBinary(FMOD, a, b);
}

/** The magnitude of `magnitude` with the sign of `sign`, -0 included; integers become float32. The gradient goes to the magnitude. */
export function copysign(magnitude: Operand, sign: Operand): Tensor {
  return recordFloatBinary(COPYSIGN, magnitude, sign);
}

/** 0 below 0, 1 above, `atZero` at 0; NaN stays. The gradient goes to `atZero`, where it is taken. @throws DTypeError on bool */
export function heaviside(x: Operand, atZero: Operand): Tensor {
  refuseBool('heaviside', x, atZero);
  return recordBinary(HEAVISIDE, x, atZero);
}

/** `f` of parts that broadcast, wide enough to calculate in: 16-bit floats as float32, rounded at the end. @throws ShapeError */
function inWide(op: string, parts: readonly Operand[], f: (...wide: Operand[]) => Tensor): Tensor {
  parts.reduce<Shape>((shape, part) => (isNumber(part) ? shape : broadcastShapes(op, shape, nodeOf(part, op).shape)), SCALAR_SHAPE);
  return compose(() => {
    const narrow = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16';
    const dtypes = parts.flatMap((part) => (isNumber(part) ? [] : [nodeOf(part, op).dtype]));
    const result = f(...parts.map((part) => (isNumber(part) || !narrow(nodeOf(part, op).dtype) ? part : toDType(part, 'float32'))));
    // Only float16 (or only bfloat16) among floats: that is what they promote to.
    const floats = new Set(dtypes.filter((dtype) => isFloat(dtype)));
    const [only] = floats;
    return only !== undefined && floats.size === 1 && narrow(only) ? toDType(result, only) : result;
  });
}

/**
 * `start + weight · (end - start)`, calculated from the end that is nearer, so that weight 1 gives exactly `end`. Integers are calculated as
 * float32. @throws ShapeError, DTypeError
 */
export function lerp(start: Tensor, end: Tensor, weight: Operand): Tensor {
  return inWide('lerp', [start, end, weight], (a, b, w) => {
    const first = asFloat(a);
    const distance = sub(b, first);
    const fromStart = add(first, mul(distance, w));
    const fromEnd = (rest: Operand): Tensor => sub(b, mul(distance, rest));
    if (typeof w === 'number') return Math.abs(w) < 0.5 ? fromStart : fromEnd(1 - w);
    return isNumber(w) ? fromStart : where(less(abs(asFloat(w)), 0.5), fromStart, fromEnd(sub(1, w)));
  });
}

/** A tensor in the float dtype that it is calculated in; there is no number here. */
function asFloat(x: Operand): Tensor {
  const tensor = x as Tensor;
  return toDType(tensor, floatOf(nodeOf(tensor, 'lerp').dtype));
}

/** Options of {@link addcmul} and {@link addcdiv}. */
export interface BlendOptions {
  /** What the product or quotient is multiplied by. Default 1. */
  readonly value?: number;
}

/** `x + value · a · b`; dtypes promote. @throws ShapeError, DTypeError, ArgumentError */
export function addcmul(x: Tensor, a: Tensor, b: Tensor, options: BlendOptions = {}): Tensor {
  requireOptions('addcmul', options, '{ value: 0.1 }');
  const { value = 1 } = options;
  return inWide('addcmul', [x, a, b], (base, p, q) => add(base, value === 1 ? mul(p, q) : mul(mul(p, value), q)));
}

/** `x + value · a / b`, as floats. @throws ShapeError, DTypeError, ArgumentError */
export function addcdiv(x: Tensor, a: Tensor, b: Tensor, options: BlendOptions = {}): Tensor {
  requireOptions('addcdiv', options, '{ value: 0.1 }');
  const { value = 1 } = options;
  return inWide('addcdiv', [x, a, b], (base, p, q) => add(base, value === 1 ? div(p, q) : div(mul(p, value), q)));
}
