/** Bits of integers and bool, elementwise with broadcasting. Dtypes promote as in arithmetic; floats are refused. */

import { apply, cast, where as select } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { isFloat } from '@gradus/backend';
import { DTypeError } from '../errors.ts';
import type { OpRow } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { broadcastShapes } from '../graph/shape.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { promoted } from './arguments.ts';
import type { Operand } from './arguments.ts';
import { binaryRow, number, recordUnary, unaryRow } from './elementwise.ts';

const AND: OpRow = /* @__PURE__ */ binaryRow('bitwiseAnd', (a, b) => apply('and', a, b));
const OR: OpRow = /* @__PURE__ */ binaryRow('bitwiseOr', (a, b) => apply('or', a, b));
const XOR: OpRow = /* @__PURE__ */ binaryRow('bitwiseXor', (a, b) => apply('xor', a, b));
const NOT: OpRow = /* @__PURE__ */ unaryRow('bitwiseNot', (x) => apply('not', x));

const BITS: { readonly [D in DType]?: number } = { int8: 8, uint8: 8, int32: 32, uint32: 32 };

/** A shift, in 32 bits, with `beyond` where the distance is negative or not below the width. */
const shiftBy =
  (op: 'shiftLeft' | 'shiftRight', beyond: (a: Expression) => Expression) =>
  (a: Expression, b: Expression): Expression => {
    const width = BITS[a.dtype] ?? 0;
    const word = a.dtype === 'uint32' || a.dtype === 'uint8' ? 'uint32' : 'int32';
    const outside = apply('or', apply('less', b, number(b, 0)), apply('lessEqual', number(b, width), b));
    const shifted = cast(apply(op, cast(a, word), cast(b, word)), a.dtype);
    return select(outside, beyond(a), shifted);
  };

const LEFT: OpRow = /* @__PURE__ */ binaryRow(
  'leftShift',
  /* @__PURE__ */ shiftBy('shiftLeft', (a) => number(a, 0)),
);
const RIGHT: OpRow = /* @__PURE__ */ binaryRow(
  'rightShift',
  // The sign is what is left of a negative number.
  /* @__PURE__ */ shiftBy('shiftRight', (a) =>
    a.dtype.startsWith('uint') ? number(a, 0) : select(apply('less', a, number(a, 0)), number(a, -1), number(a, 0)),
  ),
);

function recordBits(op: OpRow, a: Operand, b: Operand, takesBool = true): Tensor {
  const [x, y] = promoted(op.name, a, b);
  requireBits(op.name, x.dtype, takesBool);
  return record(op, [x, y], broadcastShapes(op.name, x.shape, y.shape), x.dtype);
}

function requireBits(op: string, dtype: DType, takesBool: boolean): void {
  if (!isFloat(dtype) && (takesBool || dtype !== 'bool')) return;
  throw new DTypeError({ op, expected: takesBool ? 'integers or bool' : 'integers', got: dtype, fix: "cast it with toDType('int32')." });
}

/** The bits set in both; on bool, both. @throws DTypeError on floats; ShapeError */
export function bitwiseAnd(a: Operand, b: Operand): Tensor {
  return recordBits(AND, a, b);
}

/** The bits set in at least one; on bool, at least one. @throws DTypeError on floats; ShapeError */
export function bitwiseOr(a: Operand, b: Operand): Tensor {
  return recordBits(OR, a, b);
}

/** The bits set in exactly one; on bool, exactly one. @throws DTypeError on floats; ShapeError */
export function bitwiseXor(a: Operand, b: Operand): Tensor {
  return recordBits(XOR, a, b);
}

/** Every bit turned over; on bool, not. @throws DTypeError on floats */
export function bitwiseNot(x: Tensor): Tensor {
  requireBits('bitwiseNot', nodeOf(x, 'bitwiseNot').dtype, true);
  return recordUnary(NOT, x);
}

/** `a · 2ᵇ` in the dtype's width; 0 for distances below 0 or of the width and more. @throws DTypeError on floats and bool; ShapeError */
export function leftShift(a: Operand, b: Operand): Tensor {
  return recordBits(LEFT, a, b, false);
}

/**
 * `a / 2ᵇ` rounded down; for distances below 0 or of the width and more, what is left of the sign: -1 or 0.
 * @throws DTypeError on floats and bool; ShapeError
 */
export function rightShift(a: Operand, b: Operand): Tensor {
  return recordBits(RIGHT, a, b, false);
}
