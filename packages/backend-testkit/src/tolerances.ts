/**
 * How far a backend's floats may be from the exact result: the one table.
 *
 * What is not listed is exact: `+ - * /`, `sqrt`, `min`, `max`, rounding, comparisons, conversions and everything on integers give the same
 * bits everywhere, and a NaN equals a NaN. The functions below have no such rule; each bound is what a careful polynomial in the dtype's own
 * arithmetic reaches, and far less than any mistake in a formula makes.
 */

import { DTYPES, wideFloat } from '@gradus/backend';
import type { DType, Opcode } from '@gradus/backend';
import { ulp } from './oracle/number.ts';

/** A bound on an error: `ulps` units in the last place of the exact result, or `absolute`, whichever is larger. */
export interface Tolerance {
  readonly ulps: number;
  /** Matters near zeros of a function, where units in the last place vanish. Default 0. */
  readonly absolute?: number;
  /** Arguments of larger magnitude may give the result of a neighbouring argument: reducing them exactly takes hundreds of bits of π. */
  readonly range?: number;
}

/** Dtypes that have tolerances. */
export type FloatDType = 'float64' | 'float32' | 'float16' | 'bfloat16';

/** Tolerances by opcode and dtype. */
export type Tolerances = { readonly [O in Opcode]?: { readonly [D in FloatDType]?: Tolerance } };

/** 16-bit floats are usually computed in float32 and rounded: off by one where the exact result is near a tie; hardware units say two. */
const HALF: Tolerance = { ulps: 2 };
const HALVES = { float16: HALF, bfloat16: HALF } as const;

/** A polynomial with a relative error of 2e-7 (3.4 units at worst), as SIMD libraries have it. */
const FLOAT32: Tolerance = { ulps: 4 };
const FLOAT64: Tolerance = { ulps: 4 };

export const TOLERANCES: Tolerances = {
  exp: { ...HALVES, float32: FLOAT32, float64: FLOAT64 },
  log: { ...HALVES, float32: FLOAT32, float64: FLOAT64 },
  tanh: { ...HALVES, float32: FLOAT32, float64: FLOAT64 },
  atan: { ...HALVES, float32: FLOAT32, float64: FLOAT64 },
  // Two polynomials and an exp.
  erf: { ...HALVES, float32: { ulps: 8 }, float64: { ulps: 8 } },
  // Reduced by π/2 in three parts, as in Cephes, whose stated range this is; near its zeros a sine keeps only absolute accuracy.
  sin: trigonometric(),
  cos: trigonometric(),
  // exp2(y · log2 x): for results near the end of the range, y · log2 x is 127 with an error of half a unit, which is 2^-17 after exp2.
  pow: { ...HALVES, float32: { ulps: 64 }, float64: { ulps: 64 } },
};

function trigonometric(): NonNullable<Tolerances[Opcode]> {
  return {
    float16: { ulps: 2, absolute: 2 ** -11, range: 8192 },
    bfloat16: { ulps: 2, absolute: 2 ** -8, range: 8192 },
    float32: { ulps: 4, absolute: 2 ** -23, range: 8192 },
    float64: { ulps: 4, absolute: 2 ** -52, range: 2 ** 20 },
  };
}

/** Exact: what every operation that the table does not name has. */
export const EXACT: Tolerance = { ulps: 0 };

/** The tolerance of an opcode, with a plug-in author's own bounds before the table's. */
export function toleranceOf(op: Opcode, dtype: DType, overrides: Tolerances = {}): Tolerance {
  if (dtype === 'float64' || dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16')
    return overrides[op]?.[dtype] ?? TOLERANCES[op]?.[dtype] ?? EXACT;
  return EXACT;
}

/** How far beyond its tolerance the result for argument `x` may be, because it may be that of a neighbour of `x`. */
export function neighbourBound(tolerance: Tolerance, dtype: DType, x: number): number {
  const beyond = tolerance.range !== undefined && Math.abs(x) > tolerance.range && Number.isFinite(x);
  // Sines and cosines differ by 2 at most.
  return beyond ? Math.min(2, ulp(dtype, x)) : 0;
}

/** Floats of this dtype are accumulated in runs of this many values at least as well as one after the other (`kernel.ts`, ReduceKernel). */
const ACCUMULATION_BLOCK = 4096;

/**
 * A bound on the relative error, to the sum of magnitudes, of a sum or product of `count` values: the classical bound `n · u` on sequential
 * accumulation (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2) within a block, then over the blocks' results,
 * and one more rounding for the result itself.
 */
export function accumulationError(dtype: DType, count: number): number {
  const unit = DTYPES[dtype].epsilon / 2;
  const roundings = Math.min(count, ACCUMULATION_BLOCK) + Math.ceil(count / ACCUMULATION_BLOCK) + 1;
  return unit * roundings;
}

/**
 * The tolerance of a fast path that calculates floats in float32 at least (float64 for float64) and rounds once to `dtype`, on operands of
 * magnitude 1 or so: `units` roundings, relative to the result or to 1. 16-bit floats may be off by one more where the exact result is near a tie.
 */
export function fastPathTolerance(dtype: DType, units: number): Tolerance & { readonly absolute: number } {
  const narrow = dtype === 'float16' || dtype === 'bfloat16';
  return { ulps: narrow ? HALF.ulps : units, absolute: units * DTYPES[wideFloat(dtype)].epsilon };
}
