/** Arranging the elements there are: moved axes, parts, repetitions, turns. All are made of views and concatenations. */

import { ArgumentError, AxisError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { normalizeAxes, normalizeAxis, requireOptions } from './arguments.ts';
import type { Axes } from './arguments.ts';
import { copy } from './convert.ts';
import { expand } from './expand.ts';
import { concatenate, flip, permute, slice, split, transpose } from './movement.ts';
import type { Range } from './movement.ts';
import { apartFrom } from './own-handles.ts';
import { flatten, reshape } from './reshape.ts';

/** `range` along `axis`, everything along the others. */
export function along(x: Tensor, axis: number, range: Range): Tensor {
  return slice(x, [...Array.from({ length: axis }, () => null), range]);
}

const listOf = (axes: Axes): readonly number[] => (typeof axes === 'number' ? [axes] : axes);

/** Moves the axes `from` to the places `to`; the others keep their order. A view. @throws AxisError */
export function movedim(x: Tensor, from: Axes, to: Axes): Tensor {
  const { rank } = nodeOf(x, 'movedim').shape;
  const sources = listOf(from).map((axis) => normalizeAxis('movedim', axis, rank));
  const targets = listOf(to).map((axis) => normalizeAxis('movedim', axis, rank));
  if (sources.length !== targets.length || new Set(sources).size !== sources.length || new Set(targets).size !== targets.length)
    throw new AxisError({ op: 'movedim', expected: 'as many targets as sources, each axis once', got: `[${String(from)}] to [${String(to)}]` });
  const rest = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !sources.includes(axis));
  let next = 0;
  const order = Array.from({ length: rank }, (_, axis) => {
    const at = targets.indexOf(axis);
    return at >= 0 ? (sources[at] ?? 0) : (rest[next++] ?? 0);
  });
  return permute(x, order);
}

/**
 * `x` in at most `count` parts of one size along `axis` (default 0), views; the last may be smaller, and there may be fewer, as in PyTorch.
 * @throws ArgumentError, AxisError
 */
export function chunk(x: Tensor, count: number, options: { readonly axis?: number } = {}): Tensor[] {
  const { dims, rank } = nodeOf(x, 'chunk').shape;
  requireOptions('chunk', options, '{ axis: 1 }');
  const axis = normalizeAxis('chunk', options.axis ?? 0, rank);
  if (!Number.isInteger(count) || count < 1)
    throw new ArgumentError({ op: 'chunk', expected: 'a whole number of parts, at least 1', got: showValue(count) });
  const size = Math.ceil((dims[axis] ?? 0) / count);
  return size === 0
    ? split(
        x,
        Array.from({ length: count }, () => 0),
        { axis },
      )
    : split(x, size, { axis });
}

/** Element after element along `axis` (default 0), without that axis; views. @throws AxisError */
export function unbind(x: Tensor, options: { readonly axis?: number } = {}): Tensor[] {
  const { dims, rank } = nodeOf(x, 'unbind').shape;
  requireOptions('unbind', options, '{ axis: 1 }');
  const axis = normalizeAxis('unbind', options.axis ?? 0, rank);
  return Array.from({ length: dims[axis] ?? 0 }, (_, i) => along(x, axis, i));
}

/**
 * `length` elements along `axis` from `start`, which may count from the end; a view.
 * @throws AxisError; ShapeError when they reach beyond the axis
 */
export function narrow(x: Tensor, axis: number, start: number, length: number): Tensor {
  const { dims, rank } = nodeOf(x, 'narrow').shape;
  const at = normalizeAxis('narrow', axis, rank);
  const size = dims[at] ?? 0;
  const from = start < 0 ? start + size : start;
  if (!Number.isInteger(from) || !Number.isInteger(length) || from < 0 || length < 0 || from + length > size)
    throw new ShapeError({
      op: 'narrow',
      expected: `a range within size ${size} of axis ${at}`,
      got: `start ${showValue(start)}, length ${showValue(length)}`,
    });
  return along(x, at, { start: from, end: from + length });
}

function requireRepeats(op: string, repeats: Dims): void {
  if (!Array.isArray(repeats) || repeats.some((n) => !Number.isInteger(n) || n < 0))
    throw new ArgumentError({ op, expected: 'whole numbers of at least 0 in an array, such as [2, 3]', got: showValue(repeats) });
}

/**
 * `x` laid out `repeats[i]` times along axis i, counted from the last; missing axes and missing repeats are 1. NumPy's `tile`; PyTorch's `repeat`
 * is this with a number for every axis.
 * @throws ArgumentError
 */
export function tile(x: Tensor, repeats: Dims): Tensor {
  const { dims } = nodeOf(x, 'tile').shape;
  requireRepeats('tile', repeats);
  const rank = Math.max(dims.length, repeats.length);
  const sizes = [...Array.from({ length: rank - dims.length }, () => 1), ...dims];
  const times = [...Array.from({ length: rank - repeats.length }, () => 1), ...repeats];
  // Axes in pairs (which copy, which element): broadcasting fills the first of each.
  return compose(() => {
    const apart = reshape(
      x,
      sizes.flatMap((size) => [1, size]),
    );
    const wide = expand(
      apart,
      sizes.flatMap((size, axis) => [times[axis] ?? 1, size]),
    );
    return reshape(
      wide,
      sizes.map((size, axis) => size * (times[axis] ?? 1)),
    );
  });
}

/**
 * `x` laid out `repeats[i]` times along axis i, one number for each axis or more: the additional ones are new leading axes. PyTorch's `Tensor.repeat`.
 * @throws ArgumentError
 */
export function repeat(x: Tensor, repeats: Dims): Tensor {
  const { rank } = nodeOf(x, 'repeat').shape;
  requireRepeats('repeat', repeats);
  if (repeats.length < rank)
    throw new ArgumentError({ op: 'repeat', expected: `a number for each of ${rank} axes`, got: showDims(repeats), fix: 'use tile.' });
  return tile(x, repeats);
}

/** Each element `count` times in a row along `axis`; without an axis, along the flattened tensor. @throws ArgumentError, AxisError */
export function repeatInterleave(x: Tensor, count: number, options: { readonly axis?: number } = {}): Tensor {
  requireOptions('repeatInterleave', options, '{ axis: 1 }');
  const { shape } = nodeOf(x, 'repeatInterleave');
  const axis = options.axis === undefined ? null : normalizeAxis('repeatInterleave', options.axis, shape.rank);
  if (!Number.isInteger(count) || count < 0)
    throw new ArgumentError({ op: 'repeatInterleave', expected: 'a whole number of at least 0', got: showValue(count) });
  return compose(() => {
    const dims = axis === null ? [shape.size] : shape.dims;
    const at = axis ?? 0;
    const apart = reshape(x, [...dims.slice(0, at + 1), 1, ...dims.slice(at + 1)]);
    const wide = expand(apart, [...dims.slice(0, at + 1), count, ...dims.slice(at + 1)]);
    return reshape(wide, [...dims.slice(0, at), (dims[at] ?? 1) * count, ...dims.slice(at + 1)]);
  });
}

/**
 * Elements moved by `shifts` places along `axis`; what leaves at the end comes in at the beginning. Without an axis, along the flattened tensor.
 * @throws AxisError; ArgumentError unless there is one shift for each axis
 */
export function roll(x: Tensor, shifts: number | readonly number[], options: { readonly axis?: Axes } = {}): Tensor {
  requireOptions('roll', options, '{ axis: 1 }');
  const { dims, rank } = nodeOf(x, 'roll').shape;
  const by = listOf(shifts);
  const axes = options.axis === undefined ? null : listOf(options.axis).map((axis) => normalizeAxis('roll', axis, rank));
  if (by.some((n) => !Number.isInteger(n)) || by.length !== (axes?.length ?? 1))
    throw new ArgumentError({
      op: 'roll',
      expected: axes === null ? 'one whole shift' : `a whole shift for each of ${axes.length} axes`,
      got: showValue(shifts),
    });
  return compose(() => {
    if (axes === null) return apartFrom(x, reshape(rolled(flatten(x), 0, by[0] ?? 0), dims));
    return apartFrom(
      x,
      axes.reduce((t, axis, i) => rolled(t, axis, by[i] ?? 0), x),
    );
  });
}

function rolled(x: Tensor, axis: number, by: number): Tensor {
  const size = x.shape[axis] ?? 0;
  const shift = size === 0 ? 0 : ((by % size) + size) % size;
  if (shift === 0) return x;
  return concatenate([along(x, axis, { start: size - shift }), along(x, axis, { end: size - shift })], { axis });
}

/** `x` turned by `turns` quarter turns in the plane of two axes (default the first two), from the first towards the second. A view. @throws AxisError, ArgumentError */
export function rot90(x: Tensor, turns = 1, options: { readonly axis?: readonly [number, number] } = {}): Tensor {
  requireOptions('rot90', options, '{ axis: [0, 1] }');
  const { rank } = nodeOf(x, 'rot90').shape;
  const [a, b] = options.axis ?? [0, 1];
  const first = normalizeAxis('rot90', a, rank);
  const second = normalizeAxis('rot90', b, rank);
  normalizeAxes('rot90', [first, second], rank);
  if (!Number.isInteger(turns)) throw new ArgumentError({ op: 'rot90', expected: 'a whole number of turns', got: showValue(turns) });
  return compose(() => {
    switch (((turns % 4) + 4) % 4) {
      case 1:
        return flip(transpose(x, first, second), { axis: first });
      case 2:
        return flip(x, { axis: [first, second] });
      case 3:
        return flip(transpose(x, first, second), { axis: second });
      default:
        return copy(x);
    }
  });
}

/** What coordinates of a grid {@link meshgrid} varies along which axis. */
export interface MeshgridOptions {
  /** 'ij' (default): input i varies along axis i. 'xy': the first two the other way round, as in plots. */
  readonly indexing?: 'ij' | 'xy';
}

/** The coordinates of the points of a grid, from those of its axes, each of rank 1 or 0: one tensor for each axis, shaped like the grid. @throws ShapeError, ArgumentError */
export function meshgrid(tensors: readonly Tensor[], options: MeshgridOptions = {}): Tensor[] {
  requireOptions('meshgrid', options, "{ indexing: 'xy' }");
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError({ op: 'meshgrid', expected: 'at least one tensor, in an array', got: showValue(tensors) });
  const { indexing = 'ij' } = options;
  if (indexing !== 'ij' && indexing !== 'xy')
    throw new ArgumentError({ op: 'meshgrid', expected: "indexing 'ij' or 'xy'", got: showValue(indexing) });
  const sizes = (tensors as readonly Tensor[]).map((t) => {
    const { dims, size } = nodeOf(t, 'meshgrid').shape;
    if (dims.length > 1) throw new ShapeError({ op: 'meshgrid', expected: 'tensors of rank 1', got: showDims(dims) });
    return size;
  });
  const swapped = indexing === 'xy' && sizes.length > 1;
  const placeOf = (i: number): number => (swapped && i < 2 ? 1 - i : i);
  const dims = sizes.map((_, axis) => sizes[placeOf(axis)] ?? 1);
  return compose(() =>
    (tensors as readonly Tensor[]).map((t, i) => {
      const line = reshape(
        t,
        dims.map((size, axis) => (axis === placeOf(i) ? size : 1)),
      );
      return expand(line, dims);
    }),
  );
}
