/**
 * Lanes: arithmetic on one element, or on four at once, written once for both.
 *
 * Kernels and mathematical functions are written in this language. `vectorLanes` makes SIMD code of it, `scalarLanes` makes plain code, with
 * equal bits: so tails, and engines without SIMD, compute what the vectors do.
 *
 * Words used here:
 * - **float**: what holds float32 values (and 16-bit floats, widened): `f32` or `v128`.
 * - **int**: what holds int32, uint32, int8 and uint8 values (the narrow ones extended): `i32` or `v128`.
 * - **mask**: what holds a bool: an int that is 0 or 1 in plain code, and 0 or all ones in each lane of a vector.
 */

import type { Code } from '../assembler/code.ts';
import type { F32, I32, Type, Value } from '../assembler/value.ts';

type Unary<T extends Type> = (a: Value<T>) => Value<T>;
type Binary<T extends Type> = (a: Value<T>, b: Value<T>) => Value<T>;
type Comparison<T extends Type, M extends Type> = (a: Value<T>, b: Value<T>) => Value<M>;

/** Operations on floats. They are those of IEEE 754, as WebAssembly has them: `min` and `max` give NaN when either argument is NaN. */
interface FloatLanes<F extends Type, I extends Type> {
  readonly add: Binary<F>;
  readonly sub: Binary<F>;
  readonly mul: Binary<F>;
  readonly div: Binary<F>;
  readonly min: Binary<F>;
  readonly max: Binary<F>;
  /** `b < a ? b : a`, fast: a where a is NaN. */
  readonly pmin: Binary<F>;
  /** `a < b ? b : a`, fast: a where a is NaN. */
  readonly pmax: Binary<F>;
  readonly abs: Unary<F>;
  readonly neg: Unary<F>;
  readonly sqrt: Unary<F>;
  readonly floor: Unary<F>;
  readonly ceil: Unary<F>;
  readonly trunc: Unary<F>;
  readonly nearest: Unary<F>;
  readonly eq: Comparison<F, I>;
  readonly ne: Comparison<F, I>;
  readonly lt: Comparison<F, I>;
  readonly le: Comparison<F, I>;
  readonly gt: Comparison<F, I>;
}

/** Operations on ints; comparisons of signed (`S`) or unsigned (`U`) numbers. Shifts are by one number for all lanes. */
interface IntLanes<I extends Type> {
  readonly add: Binary<I>;
  readonly sub: Binary<I>;
  readonly mul: Binary<I>;
  readonly and: Binary<I>;
  readonly or: Binary<I>;
  readonly xor: Binary<I>;
  readonly minS: Binary<I>;
  readonly minU: Binary<I>;
  readonly maxS: Binary<I>;
  readonly maxU: Binary<I>;
  readonly eq: Comparison<I, I>;
  readonly ne: Comparison<I, I>;
  readonly ltS: Comparison<I, I>;
  readonly ltU: Comparison<I, I>;
  readonly leS: Comparison<I, I>;
  readonly leU: Comparison<I, I>;
  readonly shl: (a: Value<I>, by: number) => Value<I>;
  readonly shrS: (a: Value<I>, by: number) => Value<I>;
  readonly shrU: (a: Value<I>, by: number) => Value<I>;
}

/** A width of element arithmetic, at one place in the code of a function. */
export interface Lanes<F extends Type = Type, I extends Type = Type> {
  /** Elements at once. */
  readonly width: 1 | 4;
  readonly code: Code;
  readonly f: FloatLanes<F, I>;
  readonly i: IntLanes<I>;

  readonly float: (value: number) => Value<F>;
  readonly int: (value: number) => Value<I>;
  /** One number in every lane. */
  readonly splatFloat: (value: F32) => Value<F>;
  readonly splatInt: (value: I32) => Value<I>;

  /** `mask ? a : b` */
  readonly selectFloat: (mask: Value<I>, a: Value<F>, b: Value<F>) => Value<F>;
  readonly selectInt: (mask: Value<I>, a: Value<I>, b: Value<I>) => Value<I>;
  readonly not: (mask: Value<I>) => Value<I>;
  /** 0 or 1 of a mask. */
  readonly maskToInt: (mask: Value<I>) => Value<I>;
  /** Is it different from 0? */
  readonly intToMask: (value: Value<I>) => Value<I>;

  readonly bits: (value: Value<F>) => Value<I>;
  readonly fromBits: (value: Value<I>) => Value<F>;
  /** Truncates toward zero and saturates; NaN gives 0. */
  readonly toInt: (value: Value<F>) => Value<I>;
  readonly toUint: (value: Value<F>) => Value<I>;
  readonly fromInt: (value: Value<I>) => Value<F>;
  readonly fromUint: (value: Value<I>) => Value<F>;

  /** Keeps a value that is used more than once. */
  readonly keepFloat: (value: Value<F>) => Value<F>;
  readonly keepInt: (value: Value<I>) => Value<I>;

  /** Applies a function of single elements to each lane: for what has no vector instruction. */
  readonly eachFloat: (args: readonly Value<F>[], apply: (one: ScalarLanes, args: readonly F32[]) => F32) => Value<F>;
  readonly eachInt: (args: readonly Value<I>[], apply: (one: ScalarLanes, args: readonly I32[]) => I32) => Value<I>;

  /** `start`, `start + step`, …: one for each lane. */
  readonly progression: (start: I32, step: I32) => Value<I>;
}

/** Four elements in vectors. */
export type VectorLanes = Lanes<'v128', 'v128'>;
/** One element. */
export type ScalarLanes = Lanes<'f32', 'i32'>;
