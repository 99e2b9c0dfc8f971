/** What the functions of rows share. */

import type { TypedArray } from '@gradus/backend';

/** Calculates all rows. Operands are in the order of the kernel's, the result last; `kept` has room for one row of float64. */
export type RowFunction = (rows: number, columns: number, operands: readonly TypedArray[], eps: number, kept: Float64Array) => void;

/** Stands for an operand that is not there. */
export const NONE: TypedArray = new Float64Array(0);

/** The largest of a row; NaN if there is one, -Infinity for none. */
export function largest(x: TypedArray, from: number, to: number): number {
  let best = -Infinity;
  for (let i = from; i < to; i++) {
    const value = x[i] as number;
    if (!(value <= best)) best = value;
    if (best !== best) return NaN;
  }
  return best;
}

/** `exp(x - shift)` of a row into `kept`, and the sum of it. */
export function powers(x: TypedArray, from: number, to: number, shift: number, kept: Float64Array): number {
  let sum = 0;
  for (let i = from; i < to; i++) {
    const power = Math.exp((x[i] as number) - shift);
    kept[i - from] = power;
    sum += power;
  }
  return sum;
}

/** `x - mean` of a row into `kept`, and 1 over its standard deviation. */
export function centred(x: TypedArray, from: number, to: number, eps: number, kept: Float64Array): number {
  const columns = to - from;
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i] as number;
  const mean = sum / columns;
  let squares = 0;
  for (let i = from; i < to; i++) {
    const value = (x[i] as number) - mean;
    kept[i - from] = value;
    squares += value * value;
  }
  return 1 / Math.sqrt(squares / columns + eps);
}

/** 1 over the root of a row's mean square. */
export function inverseRoot(x: TypedArray, from: number, to: number, eps: number): number {
  let squares = 0;
  for (let i = from; i < to; i++) squares += (x[i] as number) * (x[i] as number);
  return 1 / Math.sqrt(squares / (to - from) + eps);
}
