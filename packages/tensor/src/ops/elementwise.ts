/** What elementwise ops share: rows from expressions, functions from rows. */

import { constant } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import type { ExpressionContext, GradientRule, OpDefinition, OpRow, Residuals } from '../graph/op.ts';
import { row } from '../graph/op.ts';
import { floatOf } from '../graph/promotion.ts';
import { record } from '../graph/record.ts';
import { broadcastShapes } from '../graph/shape.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { promoted } from './arguments.ts';
import type { Operand } from './arguments.ts';
import { castNode } from './convert.ts';

/** A row whose value at a point is an expression of its inputs there. */
export function unaryRow(
  name: string,
  express: (x: Expression, context: ExpressionContext) => Expression,
  gradient?: GradientRule,
  residuals: Residuals = 'none',
): OpRow {
  return elementwiseRow({ name, ...(gradient && { gradient }), residuals }, ([x], context) => express(x as Expression, context));
}

/** The same for two inputs. */
export function binaryRow(
  name: string,
  express: (a: Expression, b: Expression) => Expression,
  gradient?: GradientRule,
  residuals: Residuals = 'none',
): OpRow {
  return elementwiseRow({ name, ...(gradient && { gradient }), residuals }, ([a, b]) => express(a as Expression, b as Expression));
}

/** The same for any number of inputs. */
export function elementwiseRow(
  definition: Omit<OpDefinition, 'lowering'>,
  express: (args: readonly Expression[], context: ExpressionContext) => Expression,
): OpRow {
  return row({ ...definition, lowering: { kind: 'elementwise', express } });
}

/** A constant of the dtype that `like` is calculated in. */
export function number(like: Expression, value: number): Expression {
  return constant(like.dtype, value);
}

/** `op` on one tensor, dtype unchanged. */
export function recordUnary(op: OpRow, x: Tensor): Tensor {
  const node = nodeOf(x, op.name);
  return record(op, [node], node.shape, node.dtype);
}

/** `op` on one tensor, as a float: integers and bool become float32. */
export function recordFloat(op: OpRow, x: Tensor): Tensor {
  const node = nodeOf(x, op.name);
  const dtype = floatOf(node.dtype);
  return record(op, [castNode(node, dtype)], node.shape, dtype);
}

/** `op` on two operands, promoted and broadcast. @throws ShapeError, DTypeError */
export function recordBinary(op: OpRow, a: Operand, b: Operand): Tensor {
  const [x, y] = promoted(op.name, a, b);
  return record(op, [x, y], broadcastShapes(op.name, x.shape, y.shape), x.dtype);
}

/** The same in the float dtype they promote to. */
export function recordFloatBinary(op: OpRow, a: Operand, b: Operand): Tensor {
  const [x, y] = promoted(op.name, a, b);
  const dtype = floatOf(x.dtype);
  return record(op, [castNode(x, dtype), castNode(y, dtype)], broadcastShapes(op.name, x.shape, y.shape), dtype);
}

/** A comparison: bool result. */
export function recordComparison(op: OpRow, a: Operand, b: Operand): Tensor {
  const [x, y] = promoted(op.name, a, b);
  return record(op, [x, y], broadcastShapes(op.name, x.shape, y.shape), 'bool');
}
