/** Padding: cells around a tensor, all of one value or continued from what is inside. */

import { ArgumentError, ShapeError } from '../errors.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { requireOptions } from './arguments.ts';
import { along } from './arrangement.ts';
import { expand } from './expand.ts';
import { concatenate, flip, pad as padWithValue } from './movement.ts';
import { apartFrom } from './own-handles.ts';

/**
 * What cells outside are: one value; the inside mirrored at its edges, without repeating them (reflect); the nearest cell inside (replicate);
 * or the inside again, from the other end (circular).
 */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** Options of {@link pad}. */
export interface PadOptions {
  /** Default 'constant'. */
  readonly mode?: PadMode;
  /** Value of cells outside, for 'constant' only. Default 0. */
  readonly value?: number;
}

const MODES: readonly string[] = ['constant', 'reflect', 'replicate', 'circular'];

/** Cells before and after. */
type Width = readonly [number, number];

/**
 * `x` with `[before, after]` cells around each axis, listed from the first axis. Negative widths crop, as in PyTorch.
 *
 * @throws ShapeError when there is not a pair for each axis, when more is cropped than there is, or when there are too few cells to continue
 * from: reflect takes fewer than the axis has, circular at most as many, replicate needs one; ArgumentError
 */
export function pad(x: Tensor, widths: readonly Width[], options: PadOptions = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'pad').shape;
  if (!Array.isArray(widths))
    throw new ArgumentError({ op: 'pad', expected: 'pairs in an array', got: showValue(widths), fix: 'call pad(x, [[1, 1], [0, 2]]).' });
  requireOptions('pad', options, "{ mode: 'reflect' }");
  const pairs: readonly Width[] = widths;
  if (pairs.length !== rank) throw new ShapeError({ op: 'pad', expected: `a pair for each of ${rank} axes`, got: `${pairs.length} pairs` });
  if (pairs.some((pair) => !Array.isArray(pair) || pair.length !== 2 || pair.some((n) => !Number.isInteger(n))))
    throw new ArgumentError({ op: 'pad', expected: 'pairs of whole widths', got: JSON.stringify(pairs) });
  const { mode = 'constant', value = 0 } = options;
  if (!MODES.includes(mode)) throw new ArgumentError({ op: 'pad', expected: `a mode: ${MODES.join(', ')}`, got: showValue(mode) });
  pairs.forEach((pair, axis) => requireRoom(mode, dims[axis] ?? 0, pair, axis));
  return compose(() => {
    if (mode !== 'constant')
      return apartFrom(
        x,
        pairs.reduce((t, pair, axis) => continued(mode, t, axis, pair), x),
      );
    const outward = pairs.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
    const inside = pairs.every(([before, after]) => before >= 0 && after >= 0) ? x : pairs.reduce(cropped, x);
    return padWithValue(inside, outward, { value });
  });
}

function requireRoom(mode: PadMode, size: number, [before, after]: Width, axis: number): void {
  const left = size + Math.min(0, before) + Math.min(0, after);
  const most = Math.max(before, after);
  const fits = mode === 'constant' || most <= 0 || (mode === 'reflect' ? most < size : mode === 'circular' ? most <= left : size > 0);
  if (left >= 0 && fits) return;
  throw new ShapeError({
    op: 'pad',
    expected: `widths that size ${size} of axis ${axis} has room for${mode === 'constant' ? '' : ` (mode ${mode})`}`,
    got: `[${before}, ${after}]`,
  });
}

/** Without the cells that negative widths take away. */
function cropped(x: Tensor, [before, after]: Width, axis: number): Tensor {
  if (before >= 0 && after >= 0) return x;
  const size = x.shape[axis] ?? 0;
  return along(x, axis, { start: Math.max(0, -before), end: size + Math.min(0, after) });
}

/** `x` continued along one axis. */
function continued(mode: Exclude<PadMode, 'constant'>, x: Tensor, axis: number, width: Width): Tensor {
  // A ring closes where it was cut; mirrors stand, and the nearest cells lie, at the edges of what there was before.
  const ring = mode === 'circular' ? cropped(x, width, axis) : x;
  const before = Math.max(0, width[0]);
  const after = Math.max(0, width[1]);
  const parts = [...(before > 0 ? [cellsBefore(mode, ring, axis, before)] : []), ring, ...(after > 0 ? [cellsAfter(mode, ring, axis, after)] : [])];
  const whole = parts.length === 1 ? ring : concatenate(parts, { axis });
  return mode === 'circular' ? whole : cropped(whole, width, axis);
}

function cellsBefore(mode: Exclude<PadMode, 'constant'>, x: Tensor, axis: number, count: number): Tensor {
  switch (mode) {
    case 'reflect':
      return flip(along(x, axis, { start: 1, end: count + 1 }), { axis });
    case 'replicate':
      return repeated(along(x, axis, { end: 1 }), axis, count);
    case 'circular':
      return along(x, axis, { start: (x.shape[axis] ?? 0) - count });
    default:
      return mode satisfies never;
  }
}

function cellsAfter(mode: Exclude<PadMode, 'constant'>, x: Tensor, axis: number, count: number): Tensor {
  const size = x.shape[axis] ?? 0;
  switch (mode) {
    case 'reflect':
      return flip(along(x, axis, { start: size - 1 - count, end: size - 1 }), { axis });
    case 'replicate':
      return repeated(along(x, axis, { start: size - 1 }), axis, count);
    case 'circular':
      return along(x, axis, { end: count });
    default:
      return mode satisfies never;
  }
}

/** A slice of size 1 along `axis`, `count` times. */
function repeated(edge: Tensor, axis: number, count: number): Tensor {
  return expand(
    edge,
    edge.shape.map((size, i) => (i === axis ? count : size)),
  );
}
