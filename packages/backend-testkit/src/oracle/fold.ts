/** Folding values one by one: the four folds of a reduce, and the sums of contractions, convolutions and pools. */

import { DTYPES, isFloat } from '@gradus/backend';
import type { DType, FoldKind } from '@gradus/backend';
import { hold } from './number.ts';
import { operate } from './operations.ts';

/** What an empty fold gives. */
export function identity(fold: FoldKind, dtype: DType): number {
  switch (fold) {
    case 'sum':
      return 0;
    case 'prod':
      return 1;
    case 'min':
      return isFloat(dtype) ? Infinity : DTYPES[dtype].max;
    case 'max':
      return isFloat(dtype) ? -Infinity : DTYPES[dtype].min;
    default:
      return fold satisfies never;
  }
}

/** A running fold. Float sums are compensated, so that they are right to the last bit or nearly so however long they are. */
export class Folder {
  readonly #fold: FoldKind;
  readonly #dtype: DType;
  #value: number;
  /** What rounding has lost from the sum so far (Neumaier 1974). */
  #lost = 0;

  constructor(fold: FoldKind, dtype: DType) {
    this.#fold = fold;
    this.#dtype = dtype;
    this.#value = identity(fold, dtype);
  }

  add(x: number): void {
    if (this.#fold === 'min' || this.#fold === 'max') this.#value = operate(this.#fold, this.#dtype, this.#value, x);
    else if (!isFloat(this.#dtype)) this.#value = operate(this.#fold === 'sum' ? 'add' : 'multiply', this.#dtype, this.#value, x);
    else if (this.#fold === 'prod') this.#value *= x;
    else {
      const sum = this.#value + x;
      this.#lost += Math.abs(this.#value) >= Math.abs(x) ? this.#value - sum + x : x - sum + this.#value;
      this.#value = sum;
    }
  }

  /** The fold of all values so far, rounded to its dtype. */
  get result(): number {
    return hold(this.#dtype, this.#lost !== 0 && Number.isFinite(this.#value) ? this.#value + this.#lost : this.#value);
  }
}

/** The sum of some float64 numbers. */
export function sumOf(values: readonly number[]): number {
  const folder = new Folder('sum', 'float64');
  for (const value of values) folder.add(value);
  return folder.result;
}
