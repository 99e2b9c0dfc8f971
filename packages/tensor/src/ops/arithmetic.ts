/**
 * Arithmetic, comparisons, logic and selection, elementwise with broadcasting.
 *
 * Operands may be numbers; dtypes promote as `promotion.ts` says. Gradients follow PyTorch at ties and kinks.
 */

import { DTYPES, apply, cast, isFloat, where as select } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import { DTypeError } from '../errors.ts';
import type { GradientContext, OpRow } from '../graph/op.ts';
import { promote } from '../graph/promotion.ts';
import { record } from '../graph/record.ts';
import { broadcastShapes } from '../graph/shape.ts';
import type { HostNumber } from '../host.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { isNumber, promoted, requireOptions } from './arguments.ts';
import type { Operand } from './arguments.ts';
import { castNode, toDType } from './convert.ts';
import { binaryRow, elementwiseRow, number, recordBinary, recordComparison, recordFloatBinary, recordUnary, unaryRow } from './elementwise.ts';
import { sumTo } from './expand.ts';

/** Each input's share, summed back to its shape; nothing where it is not wanted. */
const shares = (c: GradientContext, ofFirst: () => Tensor, ofSecond: () => Tensor): readonly (Tensor | null)[] => [
  c.needs(0) ? sumTo(ofFirst(), c.dims[0] ?? []) : null,
  c.needs(1) ? sumTo(ofSecond(), c.dims[1] ?? []) : null,
];

const first = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;
const second = ({ inputs }: GradientContext): Tensor => inputs[1] as Tensor;

const isOne = (e: Expression): boolean => e.op === 'constant' && e.value === 1;
/** On bool, addition is `or` and multiplication is `and`. */
const onNumbers = (op: 'add' | 'multiply', onBool: 'or' | 'and') => (a: Expression, b: Expression) => apply(a.dtype === 'bool' ? onBool : op, a, b);

const ADD: OpRow = /* @__PURE__ */ binaryRow('add', /* @__PURE__ */ onNumbers('add', 'or'), (g, c) =>
  shares(
    c,
    () => g,
    () => g,
  ),
);

const SUB: OpRow = /* @__PURE__ */ binaryRow(
  'sub',
  (a, b) => apply('subtract', a, b),
  (g, c) =>
    shares(
      c,
      () => g,
      () => neg(g),
    ),
);

const MUL: OpRow = /* @__PURE__ */ binaryRow(
  'mul',
  // Multiplying by one is exact: the seed of a backward pass costs nothing.
  (a, b) => (isOne(a) ? b : isOne(b) ? a : onNumbers('multiply', 'and')(a, b)),
  (g, c) =>
    shares(
      c,
      () => mul(g, second(c)),
      () => mul(g, first(c)),
    ),
  'inputs',
);

const DIV: OpRow = /* @__PURE__ */ binaryRow(
  'div',
  (a, b) => apply('divide', a, b),
  (g, c) =>
    shares(
      c,
      () => div(g, second(c)),
      () => neg(div(mul(g, first(c)), square(second(c)))),
    ),
  'inputs',
);

const POW: OpRow = /* @__PURE__ */ binaryRow(
  'pow',
  (a, b) => apply('pow', a, b),
  (g, c) => {
    const a = first(c);
    const b = second(c);
    // d/da: b·a^(b-1), 0 where b is 0; d/db: a^b·ln a, 0 where a is 0 and b is at least 0.
    return shares(
      c,
      () => mul(g, where(equal(b, 0), 0, mul(b, pow(a, sub(b, 1))))),
      () => mul(g, where(logicalAnd(equal(a, 0), greaterEqual(b, 0)), 0, mul(pow(a, b), naturalLog(a)))),
    );
  },
  'inputs',
);

/** Ties share the gradient equally. */
const extremeGradient = (wins: (a: Tensor, b: Tensor) => Tensor) => (g: Tensor, c: GradientContext) => {
  const share = (mine: Tensor, other: Tensor): Tensor => where(wins(mine, other), g, where(equal(mine, other), mul(g, 0.5), 0));
  return shares(
    c,
    () => share(first(c), second(c)),
    () => share(second(c), first(c)),
  );
};

const MAXIMUM: OpRow = /* @__PURE__ */ binaryRow(
  'maximum',
  (a, b) => apply('max', a, b),
  /* @__PURE__ */ extremeGradient((a, b) => greater(a, b)),
  'inputs',
);
const MINIMUM: OpRow = /* @__PURE__ */ binaryRow(
  'minimum',
  (a, b) => apply('min', a, b),
  /* @__PURE__ */ extremeGradient((a, b) => less(a, b)),
  'inputs',
);

const REMAINDER: OpRow = /* @__PURE__ */ binaryRow(
  'remainder',
  (a, b) => {
    // The sign of the divisor, as in Python: shift C's remainder by b where the signs differ.
    const r = apply('remainder', a, b);
    const zero = number(a, 0);
    const differs = apply('notEqual', apply('less', r, zero), apply('less', b, zero));
    return select(apply('and', apply('notEqual', r, zero), differs), apply('add', r, b), r);
  },
  (g, c) =>
    shares(
      c,
      () => g,
      () => neg(mul(g, floorDiv(first(c), second(c)))),
    ),
  'inputs',
);

/** Python's quotient: from the exact remainder, since a / b may be rounded up to a whole number. */
function floorOfQuotient(a: Expression, b: Expression): Expression {
  const zero = number(a, 0);
  const quotient = apply('divide', a, b);
  const rest = apply('remainder', a, b);
  const differs = apply('notEqual', apply('less', rest, zero), apply('less', b, zero));
  const below = apply('and', apply('notEqual', rest, zero), differs);
  const nearlyWhole = apply('divide', apply('subtract', a, rest), b);
  const whole = apply('round', apply('subtract', nearlyWhole, cast(below, a.dtype)));
  const signed = select(apply('equal', whole, zero), apply('multiply', quotient, zero), whole);
  return select(apply('equal', b, zero), quotient, signed);
}

const FLOOR_DIV: OpRow = /* @__PURE__ */ binaryRow('floorDiv', (a, b) => {
  if (isFloat(a.dtype)) return floorOfQuotient(a, b);
  const zero = number(a, 0);
  const inexact = apply('notEqual', apply('remainder', a, b), zero);
  const differs = apply('notEqual', apply('less', a, zero), apply('less', b, zero));
  return apply('subtract', apply('divide', a, b), cast(apply('and', inexact, differs), a.dtype));
});

const NEG: OpRow = /* @__PURE__ */ unaryRow(
  'neg',
  // Unsigned integers wrap.
  (x) => (DTYPES[x.dtype].kind === 'uint' ? apply('subtract', number(x, 0), x) : apply('negate', x)),
  (g) => [neg(g)],
);
const ABS: OpRow = /* @__PURE__ */ unaryRow(
  'abs',
  (x) => apply('abs', x),
  (g, c) => [mul(g, sign(first(c)))],
  'inputs',
);
const SQUARE: OpRow = /* @__PURE__ */ unaryRow(
  'square',
  (x) => apply('multiply', x, x),
  (g, c) => [mul(g, mul(first(c), 2))],
  'inputs',
);

const SIGN: OpRow = /* @__PURE__ */ unaryRow('sign', (x) => {
  const zero = number(x, 0);
  const negative = isFloat(x.dtype) ? number(x, -1) : apply('negate', number(x, 1));
  const signed = select(apply('less', zero, x), number(x, 1), select(apply('less', x, zero), negative, zero));
  return isFloat(x.dtype) ? select(apply('notEqual', x, x), x, signed) : signed;
});

const compare = (name: string, express: (a: Expression, b: Expression) => Expression): OpRow => binaryRow(name, express);
const EQUAL: OpRow = /* @__PURE__ */ compare('equal', (a, b) => apply('equal', a, b));
const NOT_EQUAL: OpRow = /* @__PURE__ */ compare('notEqual', (a, b) => apply('notEqual', a, b));
const LESS: OpRow = /* @__PURE__ */ compare('less', (a, b) => apply('less', a, b));
const LESS_EQUAL: OpRow = /* @__PURE__ */ compare('lessEqual', (a, b) => apply('lessEqual', a, b));
const AND: OpRow = /* @__PURE__ */ compare('logicalAnd', (a, b) => apply('and', a, b));
const OR: OpRow = /* @__PURE__ */ compare('logicalOr', (a, b) => apply('or', a, b));
const XOR: OpRow = /* @__PURE__ */ compare('logicalXor', (a, b) => apply('xor', a, b));
const NOT: OpRow = /* @__PURE__ */ unaryRow('logicalNot', (x) => apply('not', x));

const WHERE: OpRow = /* @__PURE__ */ elementwiseRow(
  {
    name: 'where',
    residuals: 'inputs',
    gradient: (g, c) => {
      const condition = first(c);
      return [
        null,
        c.needs(1) ? sumTo(where(condition, g, 0), c.dims[1] ?? []) : null,
        c.needs(2) ? sumTo(where(condition, 0, g), c.dims[2] ?? []) : null,
      ];
    },
  },
  ([condition, a, b]) => select(condition as Expression, a as Expression, b as Expression),
);

const LOG_FOR_POW: OpRow = /* @__PURE__ */ unaryRow(
  'log',
  (x) => apply('log', x),
  (g, c) => [div(g, first(c))],
  'inputs',
);
/** `log` for the gradient of `pow`; the public one is in `functions.ts`, which depends on this file. */
const naturalLog = (x: Tensor): Tensor => recordUnary(LOG_FOR_POW, x);

/** `a + b`; `or` on bool. */
export function add(a: Operand, b: Operand): Tensor {
  return recordBinary(ADD, a, b);
}

/** `a - b`. @throws DTypeError on bool */
export function sub(a: Operand, b: Operand): Tensor {
  return recordBinary(SUB, refuseBool('sub', a), refuseBool('sub', b));
}

/** `a · b`, elementwise; `and` on bool. */
export function mul(a: Operand, b: Operand): Tensor {
  return recordBinary(MUL, a, b);
}

/** `a / b` as floats: integers become float32. */
export function div(a: Operand, b: Operand): Tensor {
  return recordFloatBinary(DIV, a, b);
}

/** The quotient rounded down, as Python's: that of the exact remainder. Integers stay integers, and division by an integer 0 gives 0. */
export function floorDiv(a: Operand, b: Operand): Tensor {
  return recordBinary(FLOOR_DIV, a, b);
}

/** `a - floor(a / b)·b`: the remainder with the divisor's sign. */
export function remainder(a: Operand, b: Operand): Tensor {
  return recordBinary(REMAINDER, a, b);
}

/** `a` to the power `b`, as floats. `pow(x, 0)` is 1 for every x. */
export function pow(a: Operand, b: Operand): Tensor {
  if (b === 2 && !isNumber(a) && isFloat(nodeOf(a, 'pow').dtype)) return square(a);
  return recordFloatBinary(POW, a, b);
}

/** The larger of each pair; NaN when either is. Gradients of ties are shared equally. */
export function maximum(a: Operand, b: Operand): Tensor {
  return recordBinary(MAXIMUM, a, b);
}

/** The smaller of each pair; NaN when either is. Gradients of ties are shared equally. */
export function minimum(a: Operand, b: Operand): Tensor {
  return recordBinary(MINIMUM, a, b);
}

/** `min(max(x, low), high)`; the gradient passes where x lies within, both ends included. @throws ArgumentError */
export function clamp(x: Tensor, range: { readonly min?: number; readonly max?: number }): Tensor {
  requireOptions('clamp', range, '{ min: 0, max: 1 }');
  const { min, max } = range;
  const capped = max === undefined ? x : where(greater(x, max), max, x);
  return min === undefined ? capped : where(less(x, min), min, capped);
}

/** `-x`; unsigned integers wrap. @throws DTypeError on bool */
export function neg(x: Tensor): Tensor {
  return recordUnary(NEG, refuseBool('neg', x));
}

/** `|x|`, with gradient 0 at 0. */
export function abs(x: Tensor): Tensor {
  return nodeOf(x, 'abs').dtype.startsWith('uint') ? x : recordUnary(ABS, refuseBool('abs', x));
}

/** `x · x`. */
export function square(x: Tensor): Tensor {
  return recordUnary(SQUARE, refuseBool('square', x));
}

/** -1, 0 or 1; NaN stays. */
export function sign(x: Tensor): Tensor {
  return recordUnary(SIGN, refuseBool('sign', x));
}

/** Is `a = b`? bool. */
export function equal(a: Operand, b: Operand): Tensor {
  return recordComparison(EQUAL, a, b);
}

/** Is `a ≠ b`? bool; true for NaN. */
export function notEqual(a: Operand, b: Operand): Tensor {
  return recordComparison(NOT_EQUAL, a, b);
}

/** Is `a < b`? bool. */
export function less(a: Operand, b: Operand): Tensor {
  return recordComparison(LESS, a, b);
}

/** Is `a ≤ b`? bool. */
export function lessEqual(a: Operand, b: Operand): Tensor {
  return recordComparison(LESS_EQUAL, a, b);
}

/** Is `a > b`? bool. */
export function greater(a: Operand, b: Operand): Tensor {
  return recordComparison(LESS, b, a);
}

/** Is `a ≥ b`? bool. */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return recordComparison(LESS_EQUAL, b, a);
}

/** Both; anything but 0 counts as true. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return recordComparison(AND, toDType(a, 'bool'), toDType(b, 'bool'));
}

/** At least one. */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  return recordComparison(OR, toDType(a, 'bool'), toDType(b, 'bool'));
}

/** Exactly one. */
export function logicalXor(a: Tensor, b: Tensor): Tensor {
  return recordComparison(XOR, toDType(a, 'bool'), toDType(b, 'bool'));
}

/** Not. */
export function logicalNot(x: Tensor): Tensor {
  return recordUnary(NOT, toDType(x, 'bool'));
}

/** Is it NaN? bool. */
export function isNaN(x: Tensor): Tensor {
  return notEqual(x, x);
}

/** `a` where `condition`, else `b`; all three broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const test = castNode(nodeOf(condition, 'where'), 'bool');
  const [x, y] = isNumber(a) && isNumber(b) ? numbersLike(condition, a, b) : promoted('where', a, b);
  return record(WHERE, [test, x, y], broadcastShapes('where', test.shape, broadcastShapes('where', x.shape, y.shape)), x.dtype);
}

/** Two plain numbers beside a condition: float32, or int32 when both are whole. */
function numbersLike(condition: Tensor, a: number | HostNumber, b: number | HostNumber): ReturnType<typeof promoted> {
  const dtype = Number.isInteger(a) && Number.isInteger(b) ? 'int32' : 'float32';
  const like = toDType(condition, promote('where', dtype, dtype));
  const [, x] = promoted('where', like, a);
  const [, y] = promoted('where', like, b);
  return [x, y];
}

function refuseBool<T extends Operand>(op: string, x: T): T {
  if (!isNumber(x) && nodeOf(x, op).dtype === 'bool') {
    throw new DTypeError({ op, expected: 'numbers', got: 'bool', fix: "cast it with toDType('int32'), or use logicalXor or logicalNot." });
  }
  return x;
}
