/** Numbers that have to lie in a range. */

import { AugmentError } from './errors.ts';

/** The value, checked. @throws AugmentError when it is no finite number from `low` to `high` */
export function requireWithin(op: string, name: string, value: number, low: number, high: number): number {
  if (Number.isFinite(value) && value >= low && value <= high) return value;
  const lowest = low === Number.MIN_VALUE ? 'above 0' : `of at least ${low}`;
  const range = high === Infinity ? lowest : `from ${low} to ${high}`;
  throw new AugmentError({ op, expected: `a finite ${name} ${range}`, got: String(value) });
}
