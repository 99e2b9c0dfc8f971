/** What losses ask of their arguments: tensors, of one shape, and numbers in a range. */

import { ArgumentError, ShapeError, isTensor, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** `[2, 3]` */
export const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Do they have the same sizes? */
export const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

/** @throws ArgumentError unless all are tensors */
export function requireTensors(op: string, ...given: readonly Tensor[]): void {
  const wrong = given.findIndex((x) => !isTensor(x));
  if (wrong < 0) return;
  throw new ArgumentError({
    op,
    expected: given.length === 2 ? 'two tensors' : 'tensors',
    got: showValue(given[wrong]),
    fix: "make one with tensor(…); of class indices with tensor(…, { dtype: 'int32' }).",
  });
}

/** Refuses the silent broadcast of a prediction against its target. @throws ShapeError with the reshape to use */
export function requireSameShape(op: string, prediction: Tensor, target: Tensor, names = 'prediction and target', fixable = 'target'): void {
  requireTensors(op, prediction, target);
  const a = prediction.shape;
  const b = target.shape;
  if (sameShape(a, b)) return;
  const fits = prediction.size === target.size;
  throw new ShapeError({
    op,
    expected: `${names} of one shape`,
    got: `${showShape(a)} and ${showShape(b)}`,
    fix: fits ? `${fixable}.reshape(${showShape(a)})` : 'broadcast one of them with expand(…) if that is meant.',
  });
}

/** @throws ShapeError unless x has this shape */
export function requireShape(op: string, name: string, x: Tensor, shape: readonly number[]): void {
  requireTensors(op, x);
  if (sameShape(x.shape, shape)) return;
  const fits = x.size === shape.reduce((n, size) => n * size, 1);
  throw new ShapeError({
    op,
    expected: `${name} of shape ${showShape(shape)}`,
    got: showShape(x.shape),
    ...(fits && { fix: `${name}.reshape(${showShape(shape)})` }),
  });
}

/** @throws ShapeError unless x has as many axes, of which `form` tells */
export function requireRank(op: string, name: string, x: Tensor, rank: number, form: string): void {
  requireTensors(op, x);
  if (x.rank !== rank) throw new ShapeError({ op, expected: `${name} ${form}`, got: showShape(x.shape) });
}

/** Bounds of a number; `above` excludes its bound. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
}

/** @throws ArgumentError unless it is a number within the bounds, which may be infinite only where that is said */
export function requireNumber(op: string, name: string, value: number, { min = -Infinity, max = Infinity, above }: Bounds = {}): void {
  if (typeof value === 'number' && value >= min && value <= max && Number.isFinite(value) && (above === undefined || value > above)) return;
  const low = above === undefined ? (min === -Infinity ? '' : ` of at least ${min}`) : ` above ${above}`;
  const range = min !== -Infinity && max !== Infinity ? ` from ${min} to ${max}` : `${low}${max === Infinity ? '' : ` of at most ${max}`}`;
  throw new ArgumentError({ op, expected: range === '' ? `a finite number for ${name}` : `${name}${range}`, got: showValue(value) });
}
