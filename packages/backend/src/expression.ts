/**
 * Scalar expressions: what a kernel computes at one point of its index space.
 *
 * An expression is an immutable directed acyclic graph: a shared sub-expression is one object and is computed once.
 * Build it with the constructors here, which check dtypes; walk it with `walk.ts`.
 */

import { DTYPES, holds } from './dtype.ts';
import type { DType } from './dtype.ts';
import { KernelError } from './errors.ts';
import { roundToFloat } from './float16.ts';
import { opcodeAccepts, opcodeRule } from './opcodes.ts';
import type { Opcode } from './opcodes.ts';

/** A scalar expression. `dtype` is the type of its value. */
export type Expression = Constant | ScalarArgument | AxisIndex | Load | Gather | Accumulator | Conversion | Where | Operation;

/** A number known when the kernel is built. */
export interface Constant {
  readonly op: 'constant';
  readonly dtype: DType;
  readonly value: number;
}

/** The kernel's scalar argument number `index`: a value that changes from run to run without making a new kernel. */
export interface ScalarArgument {
  readonly op: 'scalar';
  readonly dtype: DType;
  readonly index: number;
}

/** The coordinate of the current point along `axis` of the index space, an int32. */
export interface AxisIndex {
  readonly op: 'axis';
  readonly dtype: 'int32';
  readonly axis: number;
}

/** The element of a strided operand that belongs to the current point. */
export interface Load {
  readonly op: 'load';
  readonly dtype: DType;
  readonly operand: number;
}

/** The element of an `indexed` operand at a computed int32 `position`; `fill` where the position is outside `[0, length)`. */
export interface Gather {
  readonly op: 'gather';
  readonly dtype: DType;
  readonly operand: number;
  readonly position: Expression;
  readonly fill: number;
}

/** The result of fold number `index` of a reduce (0 for a contraction or convolution); only in epilogues. */
export interface Accumulator {
  readonly op: 'accumulator';
  readonly dtype: DType;
  readonly index: number;
}

/**
 * `cast` converts a value, `bitcast` keeps the bits (between 32-bit types only).
 *
 * cast to float rounds to nearest even; float to integer truncates toward zero and saturates, NaN gives 0;
 * integer to integer wraps; anything to bool is `x != 0`; bool gives 0 or 1.
 * Which NaN a NaN is, is not kept: its bits, seen through a bitcast, may be those of any other.
 */
export interface Conversion {
  readonly op: 'cast' | 'bitcast';
  readonly dtype: DType;
  readonly value: Expression;
}

/** `condition ? then : otherwise`; both sides may be evaluated. */
export interface Where {
  readonly op: 'where';
  readonly dtype: DType;
  readonly condition: Expression;
  readonly then: Expression;
  readonly otherwise: Expression;
}

/** One of the table of opcodes, applied to one or two arguments of one dtype. */
export interface Operation {
  readonly op: Opcode;
  readonly dtype: DType;
  readonly args: readonly [Expression] | readonly [Expression, Expression];
}

const NO_ARGUMENTS: readonly Expression[] = [];

/** The direct sub-expressions, in evaluation order. */
export function argumentsOf(e: Expression): readonly Expression[] {
  switch (e.op) {
    case 'constant':
    case 'scalar':
    case 'axis':
    case 'load':
    case 'accumulator':
      return NO_ARGUMENTS;
    case 'gather':
      return [e.position];
    case 'cast':
    case 'bitcast':
      return [e.value];
    case 'where':
      return [e.condition, e.then, e.otherwise];
    default:
      return e.args;
  }
}

/** `value` as `dtype` holds it: rounded for floats, checked for integers and bool. */
function representable(op: string, dtype: DType, value: number): number {
  if (!holds(dtype, value)) {
    const { min, max } = DTYPES[dtype];
    throw new KernelError({ op, expected: `an integer between ${min} and ${max} for ${dtype}`, got: String(value) });
  }
  return roundToFloat(dtype, value);
}

/** A constant: rounded to nearest in a float dtype; integers must be within their dtype. */
export function constant(dtype: DType, value: number): Constant {
  return { op: 'constant', dtype, value: representable('constant', dtype, value) };
}

/** Scalar argument number `index` of the kernel. */
export function scalar(dtype: DType, index: number): ScalarArgument {
  return { op: 'scalar', dtype, index };
}

/** The current coordinate along `axis`. */
export function axisIndex(axis: number): AxisIndex {
  return { op: 'axis', dtype: 'int32', axis };
}

/** The current element of operand number `operand`. */
export function load(dtype: DType, operand: number): Load {
  return { op: 'load', dtype, operand };
}

/** The element of an indexed operand at `position`, or `fill` (as for {@link constant}) outside it. */
export function gather(dtype: DType, operand: number, position: Expression, fill = 0): Gather {
  if (position.dtype !== 'int32') throw new KernelError({ op: 'gather', expected: 'an int32 position', got: position.dtype });
  return { op: 'gather', dtype, operand, position, fill: representable('gather', dtype, fill) };
}

/** The result of fold number `index`, in an epilogue. */
export function accumulator(dtype: DType, index = 0): Accumulator {
  return { op: 'accumulator', dtype, index };
}

/** `value` converted to `dtype`; `value` itself when it already has it. */
export function cast(value: Expression, dtype: DType): Expression {
  return value.dtype === dtype ? value : { op: 'cast', dtype, value };
}

/** The bits of `value` read as `dtype`, between float32, int32 and uint32. */
export function bitcast(value: Expression, dtype: DType): Expression {
  const words: readonly DType[] = ['float32', 'int32', 'uint32'];
  if (!words.includes(value.dtype) || !words.includes(dtype))
    throw new KernelError({ op: 'bitcast', expected: 'float32, int32 or uint32 on both sides', got: `${value.dtype} to ${dtype}` });
  return value.dtype === dtype ? value : { op: 'bitcast', dtype, value };
}

/** `condition ? then : otherwise`. */
export function where(condition: Expression, then: Expression, otherwise: Expression): Where {
  if (condition.dtype !== 'bool') throw new KernelError({ op: 'where', expected: 'a bool condition', got: condition.dtype });
  if (then.dtype !== otherwise.dtype)
    throw new KernelError({ op: 'where', expected: 'two values of one dtype', got: `${then.dtype} and ${otherwise.dtype}` });
  return { op: 'where', dtype: then.dtype, condition, then, otherwise };
}

/** `op` applied to `a` (and `b`), with dtypes checked against the opcode's rule. */
export function apply(op: Opcode, a: Expression, b?: Expression): Operation {
  const rule = opcodeRule(op);
  if ((b === undefined ? 1 : 2) !== rule.arity)
    throw new KernelError({ op, expected: `${rule.arity} argument(s)`, got: b === undefined ? '1' : '2' });
  if (!opcodeAccepts(op, a.dtype, DTYPES[a.dtype].kind))
    throw new KernelError({ op, expected: `an argument of kind ${rule.accepts.join(', ')}`, got: a.dtype });
  if (b !== undefined && b.dtype !== a.dtype) throw new KernelError({ op, expected: 'two arguments of one dtype', got: `${a.dtype} and ${b.dtype}` });
  const dtype = rule.gives === 'bool' ? 'bool' : a.dtype;
  return b === undefined ? { op, dtype, args: [a] } : { op, dtype, args: [a, b] };
}
