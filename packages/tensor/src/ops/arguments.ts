/** Checking arguments of ops: axes, dtypes, operands that may be plain numbers. */

import { isFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { requireDType } from '../dtype-names.ts';
import { ArgumentError, AxisError, DTypeError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { promote, weakDType } from '../graph/promotion.ts';
import { numberNode } from '../graph/record.ts';
import { HostNumber } from '../host.ts';
import { isTensor, nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { castNode } from './convert.ts';

/** A tensor, or a number that takes the other operand's dtype (a fraction, or a number of the host's, lifts integers to float32). */
export type Operand = Tensor | number | HostNumber;

/** A fraction: what a host number, which may become one, counts as. */
const A_FRACTION = 0.5;

/** Is it a number of either kind? */
export function isNumber(x: Operand): x is number | HostNumber {
  return typeof x === 'number' || x instanceof HostNumber;
}

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[];

/** Options of reductions. */
export interface ReduceOptions {
  /** Axes to reduce over; all of them by default. */
  readonly axis?: Axes;
  /** Keep reduced axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

/**
 * Refuses what came in place of an options object: callers without types pass an axis or a size as it is, which would read as no options.
 *
 * @param example what to pass, such as `{ axis: 1 }`
 * @throws ArgumentError
 */
export function requireOptions(op: string, options: object, example: string): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options) && !isTensor(options)) return;
  throw new ArgumentError({ op, expected: 'options', got: showValue(options), fix: `pass an object, such as ${example}.` });
}

/** `axis` as a number in `[0, rank)`. @throws AxisError */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new AxisError({ op, expected: rank === 0 ? 'no axis for a tensor of rank 0' : `an axis from ${-rank} to ${rank - 1}`, got: String(axis) });
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes in ascending order; all of them when none are given. @throws AxisError for one outside the rank or named twice */
export function normalizeAxes(op: string, axes: Axes | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(op, axis, rank));
  if (new Set(list).size !== list.length) throw new AxisError({ op, expected: 'each axis once', got: `[${String(axes)}]` });
  return list.toSorted((a, b) => a - b);
}

/** Two operands in the dtype they promote to. @throws DTypeError, TensorDisposedError */
export function promoted(op: string, a: Operand, b: Operand): readonly [Node, Node] {
  if (isNumber(a) || isNumber(b)) return withNumber(op, a, b);
  const x = nodeOf(a, op);
  const y = nodeOf(b, op);
  if (x.dtype === y.dtype) return [x, y];
  const dtype = promote(op, x.dtype, y.dtype);
  return [castNode(x, dtype), castNode(y, dtype)];
}

function withNumber(op: string, a: Operand, b: Operand): readonly [Node, Node] {
  const t = isNumber(a) ? b : a;
  if (isNumber(t)) throw new DTypeError({ op, expected: 'at least one tensor', got: 'two numbers', fix: 'wrap one in tensor(…).' });
  const node = nodeOf(t, op);
  const lift = (value: number | HostNumber): readonly [Node, Node] => {
    const dtype = promote(op, node.dtype, weakDType(typeof value === 'number' ? value : A_FRACTION, node.dtype));
    return [castNode(node, dtype), numberNode(value, dtype, node.runtime)];
  };
  if (isNumber(b)) return lift(b);
  const [x, s] = lift(a as number | HostNumber);
  return [s, x];
}

/** @throws DTypeError unless the dtype is a float */
export function requireFloat(op: string, dtype: DType): void {
  requireDType(op, dtype);
  if (!isFloat(dtype)) throw new DTypeError({ op, expected: 'a floating-point tensor', got: dtype, fix: "cast it with toDType('float32')." });
}
