/**
 * Accumulators of a fold: a partial result in single precision, which now and then goes into a total.
 *
 * Float sums total in float64, so their error is that of one run of at most {@link RUN_LENGTH} single-precision additions, and 2⁻⁵³ of the rest.
 * Float products are taken in float64 all the way, one element at a time. Everything else is exact in any order.
 */

import { DTYPES } from '@gradus/backend';
import type { DType, Fold, FoldKind } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { f32, f32x4, f64, f64x2, i32, i32x4, i8x16 } from '../assembler/instructions.ts';
import type { F32, I32, Type, V128, Value } from '../assembler/value.ts';
import type { Evaluator } from '../lanes/expressions.ts';
import type { Lanes, ScalarLanes, VectorLanes } from '../lanes/lanes.ts';
import { inFloats } from './point.ts';

/** Most values of a partial result. */
export const RUN_LENGTH = 1024;

/** The identity of a fold. */
export function identityOf(fold: FoldKind, dtype: DType): number {
  if (fold === 'sum') return 0;
  if (fold === 'prod') return 1;
  const { kind, min, max } = DTYPES[dtype];
  if (kind === 'float') return fold === 'min' ? Infinity : -Infinity;
  return fold === 'min' ? max : min;
}

/** Do partial results in single precision serve? */
export function isVectorisable({ fold, value }: Fold): boolean {
  return !(fold === 'prod' && inFloats(value.dtype));
}

function combineFloats<F extends Type, I extends Type>({ f }: Lanes<F, I>, fold: FoldKind, a: Value<F>, b: Value<F>): Value<F> {
  switch (fold) {
    case 'sum':
      return f.add(a, b);
    case 'prod':
      return f.mul(a, b);
    case 'min':
      return f.min(a, b);
    case 'max':
      return f.max(a, b);
    default:
      return fold satisfies never;
  }
}

function combineInts<F extends Type, I extends Type>({ i }: Lanes<F, I>, fold: FoldKind, dtype: DType, a: Value<I>, b: Value<I>): Value<I> {
  const unsigned = dtype === 'uint32';
  switch (fold) {
    case 'sum':
      return i.add(a, b);
    case 'prod':
      return i.mul(a, b);
    case 'min':
      return unsigned ? i.minU(a, b) : i.minS(a, b);
    case 'max':
      return unsigned ? i.maxU(a, b) : i.maxS(a, b);
    default:
      return fold satisfies never;
  }
}

/** A narrow integer as its dtype holds it. */
function wrapped(dtype: DType, value: I32): I32 {
  if (dtype === 'int8') return i32.extend8S(value);
  return dtype === 'uint8' ? i32.and(value, i32.const(0xff)) : value;
}

function wrappedFour(dtype: DType, value: V128): V128 {
  const by = i32.const(24);
  if (dtype === 'int8') return i32x4.shrS(i32x4.shl(value, by), by);
  return dtype === 'uint8' ? i32x4.shrU(i32x4.shl(value, by), by) : value;
}

const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** The accumulator of one fold for one result. */
export class OneAccumulator {
  readonly #lanes: ScalarLanes;
  readonly #fold: FoldKind;
  readonly #dtype: DType;
  readonly #value: Fold['value'];
  readonly #floatPartial: Local<'f32'> | null;
  readonly #intPartial: Local<'i32'> | null;
  /** Of float sums and products. */
  readonly #total: Local<'f64'> | null;

  constructor(lanes: ScalarLanes, { fold, value }: Fold) {
    const { code } = lanes;
    this.#lanes = lanes;
    this.#fold = fold;
    this.#value = value;
    this.#dtype = value.dtype;
    const floats = inFloats(value.dtype);
    const wide = floats && (fold === 'sum' || fold === 'prod');
    this.#floatPartial = floats ? code.local('f32') : null;
    this.#intPartial = floats ? null : code.local('i32');
    this.#total = wide ? code.local('f64') : null;
  }

  get #code(): Code {
    return this.#lanes.code;
  }

  begin(): void {
    const identity = identityOf(this.#fold, this.#dtype);
    if (this.#total !== null) this.#code.set(this.#total, f64.const(identity));
    if (this.#floatPartial !== null) this.#code.set(this.#floatPartial, f32.const(identity));
    if (this.#intPartial !== null) this.#code.set(this.#intPartial, i32.const(identity));
  }

  /** Takes in the fold's value as `evaluator` has it. */
  step(evaluator: Evaluator<'f32', 'i32'>): void {
    if (this.#intPartial !== null) this.addInt(evaluator.int(this.#value));
    else if (this.#fold === 'prod') this.addFloat(evaluator.float(this.#value));
    else if (this.#floatPartial !== null)
      this.#code.set(this.#floatPartial, combineFloats(this.#lanes, this.#fold, this.#floatPartial, evaluator.float(this.#value)));
  }

  /** Takes in a partial result. */
  addFloat(value: F32): void {
    const total = this.#total;
    if (total !== null) {
      const wide = f64.promoteF32(value);
      this.#code.set(total, this.#fold === 'sum' ? f64.add(total, wide) : f64.mul(total, wide));
    } else if (this.#floatPartial !== null) this.#code.set(this.#floatPartial, combineFloats(this.#lanes, this.#fold, this.#floatPartial, value));
  }

  addInt(value: I32): void {
    if (this.#intPartial !== null) this.#code.set(this.#intPartial, combineInts(this.#lanes, this.#fold, this.#dtype, this.#intPartial, value));
  }

  /** Moves the partial result of a sum into the total. */
  flush(): void {
    if (this.#total === null || this.#floatPartial === null || this.#fold !== 'sum') return;
    this.addFloat(this.#floatPartial);
    this.#code.set(this.#floatPartial, f32.const(0));
  }

  get float(): F32 {
    if (this.#total !== null) return f32.demoteF64(this.#total);
    return this.#floatPartial ?? f32.const(0);
  }

  get int(): I32 {
    return wrapped(this.#dtype, this.#intPartial ?? i32.const(0));
  }
}

/** The accumulators of one fold for four neighbouring results. Not for float products. */
export class FourAccumulators {
  readonly #lanes: VectorLanes;
  readonly #fold: FoldKind;
  readonly #value: Fold['value'];
  readonly #partial: Local<'v128'>;
  readonly #totals: readonly [Local<'v128'>, Local<'v128'>] | null;

  constructor(lanes: VectorLanes, { fold, value }: Fold) {
    const { code } = lanes;
    this.#lanes = lanes;
    this.#fold = fold;
    this.#value = value;
    this.#partial = code.local('v128');
    this.#totals = fold === 'sum' && inFloats(value.dtype) ? [code.local('v128'), code.local('v128')] : null;
  }

  begin(): void {
    const { code } = this.#lanes;
    for (const total of this.#totals ?? []) code.set(total, this.#lanes.int(0));
    code.set(this.#partial, identityFour(this.#lanes, this.#fold, this.#value.dtype));
  }

  step(evaluator: Evaluator<'v128', 'v128'>): void {
    this.#lanes.code.set(this.#partial, stepFour(this.#lanes, this.#fold, this.#value, this.#partial, evaluator));
  }

  flush(): void {
    if (this.#totals === null) return;
    const { code } = this.#lanes;
    const [low, high] = this.#totals;
    code.set(low, f64x2.add(low, f64x2.promoteLowF32x4(this.#partial)));
    code.set(high, f64x2.add(high, f64x2.promoteLowF32x4(i8x16.shuffle(this.#partial, this.#partial, UPPER_HALF))));
    code.set(this.#partial, this.#lanes.int(0));
  }

  get float(): V128 {
    if (this.#totals === null) return this.#partial;
    const [low, high] = this.#totals;
    return i8x16.shuffle(f32x4.demoteF64x2Zero(low), f32x4.demoteF64x2Zero(high), [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  }

  get int(): V128 {
    return wrappedFour(this.#value.dtype, this.#partial);
  }
}

function identityFour(lanes: VectorLanes, fold: FoldKind, dtype: DType): V128 {
  const identity = identityOf(fold, dtype);
  return inFloats(dtype) ? lanes.float(identity) : lanes.int(identity);
}

function stepFour(lanes: VectorLanes, fold: FoldKind, value: Fold['value'], partial: V128, evaluator: Evaluator<'v128', 'v128'>): V128 {
  if (inFloats(value.dtype)) return combineFloats(lanes, fold, partial, evaluator.float(value));
  return combineInts(lanes, fold, value.dtype, partial, evaluator.int(value));
}

/** Partial results of four interleaved runs along a fold, which go into one accumulator in the end. */
export class RunAccumulators {
  readonly #lanes: VectorLanes;
  readonly #fold: Fold;
  readonly #chains: readonly Local<'v128'>[];

  /** `chains`: vectors that accumulate side by side, so that none waits for its own last addition. */
  constructor(lanes: VectorLanes, fold: Fold, chains: number) {
    this.#lanes = lanes;
    this.#fold = fold;
    this.#chains = Array.from({ length: chains }, () => lanes.code.local('v128'));
  }

  begin(): void {
    for (const chain of this.#chains) this.#lanes.code.set(chain, identityFour(this.#lanes, this.#fold.fold, this.#fold.value.dtype));
  }

  step(chain: number, evaluator: Evaluator<'v128', 'v128'>): void {
    const partial = this.#chains[chain];
    if (partial !== undefined) this.#lanes.code.set(partial, stepFour(this.#lanes, this.#fold.fold, this.#fold.value, partial, evaluator));
  }

  /** Adds everything to `one`. */
  finish(one: OneAccumulator): void {
    const { code } = this.#lanes;
    const floats = inFloats(this.#fold.value.dtype);
    const { fold } = this.#fold;
    const joined = this.#chains.reduce<V128 | null>((a, b) => {
      if (a === null) return b;
      return code.let(floats ? combineFloats(this.#lanes, fold, a, b) : combineInts(this.#lanes, fold, this.#fold.value.dtype, a, b));
    }, null);
    if (joined === null) return;
    for (const lane of [0, 1, 2, 3]) {
      if (floats) one.addFloat(f32x4.extractLane(joined, lane));
      else one.addInt(i32x4.extractLane(joined, lane));
    }
  }
}
