/** Places among sorted numbers, and counting by them: binary search, bins, histograms. */

import { isFloat, isInteger } from '@gradus/backend';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { floatOf } from '../graph/promotion.ts';
import { fullLike } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { data } from '../read.ts';
import { Tensor, nodeOf } from '../tensor.ts';
import { showValue } from '../values.ts';
import { add, div, equal, greater, greaterEqual, less, lessEqual, logicalAnd, logicalNot, mul, sub, where } from './arithmetic.ts';
import { normalizeAxis, promoted, requireOptions } from './arguments.ts';
import { along } from './arrangement.ts';
import { copy, detach, toDType } from './convert.ts';
import { refuseTrace } from './dynamic.ts';
import { sum } from './expand.ts';
import { gather, requireIndices, scatterAdd } from './indexing.ts';

import { ramp } from './positions.ts';
import { max, min } from './reduce.ts';
import { reshape, unsqueeze } from './reshape.ts';
import type { ValuesAndIndices } from './scan.ts';
import { valueLike } from './scattering.ts';
import { sort } from './sort.ts';

/** Options of {@link searchSorted} and {@link bucketize}. */
export interface SearchOptions {
  /** Behind equal elements instead of before them. Default false. */
  readonly right?: boolean;
  /** Places that bring `sorted`, which then need not be sorted, in order: those of `argsort`. */
  readonly sorter?: Tensor;
}

/**
 * Where each of `values` belongs in `sorted`, int32: the number of elements that are smaller, or, with `right`, not larger. NaN belongs at the end.
 * A binary search, ⌈log₂(n + 1)⌉ gathers in one map.
 *
 * @param sorted ascending along its last axis; of rank 1, or with the leading axes of `values`
 * @param values any shape where `sorted` has rank 1, else `[..., count]`
 * @throws ShapeError
 */
export function searchSorted(sorted: Tensor, values: Tensor, options: SearchOptions = {}): Tensor {
  return found('searchSorted', sorted, values, options);
}

/** Which of the intervals between ascending `boundaries` each element of `x` lies in: {@link searchSorted} with its arguments the other way round. @throws ShapeError */
export function bucketize(x: Tensor, boundaries: Tensor, options: Pick<SearchOptions, 'right'> = {}): Tensor {
  const { dims } = nodeOf(boundaries, 'bucketize').shape;
  if (dims.length !== 1) throw new ShapeError({ op: 'bucketize', expected: 'boundaries of rank 1', got: showDims(dims) });
  return found('bucketize', boundaries, x, options);
}

function found(op: string, sorted: Tensor, values: Tensor, options: SearchOptions): Tensor {
  requireOptions(op, options, '{ right: true }');
  const rows = nodeOf(sorted, op).shape;
  const { dims } = nodeOf(values, op).shape;
  const flat = rows.rank === 1;
  if (rows.rank === 0 || (!flat && showDims(rows.dims.slice(0, -1)) !== showDims(dims.slice(0, -1))))
    throw new ShapeError({
      op,
      expected: 'sorted of rank 1, or with the leading axes of values',
      got: `${showDims(rows.dims)} and ${showDims(dims)}`,
    });
  if (options.sorter !== undefined && nodeOf(options.sorter, op).shape !== rows)
    throw new ShapeError({ op, expected: `a sorter of shape ${showDims(rows.dims)}`, got: showDims(options.sorter.shape) });
  const size = rows.dims.at(-1) ?? 0;
  return compose(() => {
    const [left, right] = promoted(op, detach(sorted), detach(values));
    const ordered = options.sorter === undefined ? new Tensor(left) : gather(new Tensor(left), options.sorter, { axis: rows.rank - 1 });
    const wanted = flat ? reshape(new Tensor(right), [-1]) : new Tensor(right);
    const node = nodeOf(wanted, op);
    let place = toDType(fullLike(node, 0), 'int32');
    if (size === 0) return reshape(copy(place), dims);
    // The largest number of elements that come before, bit by bit.
    for (let step = 2 ** Math.floor(Math.log2(size)); step >= 1; step /= 2) {
      const next = add(place, step);
      const inside = lessEqual(next, size);
      const element = gather(ordered, where(inside, sub(next, 1), 0), { axis: rows.rank - 1 });
      // Not the comparison the other way round: NaN goes on to the end.
      const before = logicalNot(options.right === true ? greater(element, wanted) : greaterEqual(element, wanted));
      place = where(logicalAnd(inside, before), next, place);
    }
    return reshape(place, dims);
  });
}

/** Options of {@link bincount}. */
export interface BincountOptions {
  /** How many bins. Without it, as many as values need, which have to be read. */
  readonly length?: number;
  /** What each element counts, shaped like x; default 1. Differentiable. */
  readonly weights?: Tensor;
  /** Bins there are at least, without `length`. Default 0. */
  readonly minLength?: number;
}

/**
 * How often each of 0, 1, 2, … occurs in `x`, int32; with weights, their sums, in their dtype (float32 for integers). With `length`, that many
 * bins, and what lies beyond is left out; otherwise values are read, and the result is a promise.
 *
 * @param x integers of at least 0, of rank 1
 * @throws ShapeError, DTypeError, ArgumentError; IndexError for a negative one, where they can be checked at the call; TraceError in a compiled
 * function without `length`
 */
export function bincount(x: Tensor, options: BincountOptions & { readonly length: number }): Tensor;
export function bincount(x: Tensor, options?: BincountOptions): Promise<Tensor>;
export function bincount(x: Tensor, options: BincountOptions = {}): Tensor | Promise<Tensor> {
  requireOptions('bincount', options, '{ length: 10 }');
  const { shape, dtype } = nodeOf(x, 'bincount');
  const { length, weights, minLength = 0 } = options;
  if (!isInteger(dtype)) throw new DTypeError({ op: 'bincount', expected: 'integers', got: dtype, fix: "cast them with toDType('int32')." });
  if (shape.rank !== 1) throw new ShapeError({ op: 'bincount', expected: 'rank 1', got: showDims(shape.dims) });
  if (weights !== undefined && nodeOf(weights, 'bincount').shape !== shape)
    throw new ShapeError({ op: 'bincount', expected: `weights of shape ${showDims(shape.dims)}`, got: showDims(weights.shape) });
  for (const n of [length ?? 0, minLength])
    if (!Number.isInteger(n) || n < 0) throw new ArgumentError({ op: 'bincount', expected: 'a whole number of bins, at least 0', got: showValue(n) });
  requireIndices('bincount', x, { min: 0, max: Infinity });
  if (length !== undefined) return counted(x, weights, length);
  refuseTrace('bincount', 'pass { length }, the number of bins.');
  return (async () => {
    let most = -1;
    for (const value of await data(x)) most = Math.max(most, value);
    return counted(x, weights, Math.max(minLength, most + 1));
  })();
}

function counted(x: Tensor, weights: Tensor | undefined, length: number): Tensor {
  return compose(() => {
    const { runtime, shape } = nodeOf(x, 'bincount');
    const places = toDType(x, 'int32');
    const kept = logicalAnd(greaterEqual(places, 0), less(places, length));
    // What is left out adds nothing, wherever it points.
    const index = where(kept, places, 0);
    const one = fullLike(nodeOf(ramp(0, 1, 1, 'int32', runtime), 'bincount'), 1, shape);
    const values = weights === undefined ? one : toDType(weights, floatOf(nodeOf(weights, 'bincount').dtype));
    const bins = fullLike(nodeOf(values, 'bincount'), 0, shapeOf([length]));
    return length === 0 ? copy(bins) : scatterAdd(bins, index, where(kept, values, 0), { axis: 0 });
  });
}

/** Options of {@link histogram}. */
export interface HistogramOptions {
  /** From where to where, for bins of one width. Default: from the smallest element to the largest. */
  readonly range?: readonly [number, number];
  /** What each element counts, shaped like x; default 1. Differentiable. */
  readonly weights?: Tensor;
  /** Divide by the total and the widths of the bins, so that the histogram integrates to 1. Default false. */
  readonly density?: boolean;
}

/** Counts, and the edges between bins: one more. */
export interface Histogram {
  readonly counts: Tensor;
  readonly edges: Tensor;
}

/**
 * How many elements of `x` lie in each bin, and the edges of bins, in the dtype of x. Bins include their left edge, the last one the right one too;
 * elements outside and NaN are left out. Where all elements are equal and no range is given, bins span that value ± ½.
 *
 * @param bins a number of bins of one width, or their edges, ascending: `[bins + 1]`
 * @throws ShapeError, ArgumentError; DTypeError unless x is a float
 */
export function histogram(x: Tensor, bins: number | Tensor, options: HistogramOptions = {}): Histogram {
  const op = 'histogram';
  requireOptions(op, options, '{ range: [0, 1] }');
  const { dtype, shape, runtime } = nodeOf(x, op);
  if (!isFloat(dtype)) throw new DTypeError({ op, expected: 'a floating-point tensor', got: dtype, fix: "cast it with toDType('float32')." });
  const { range, weights, density = false } = options;
  if (weights !== undefined && nodeOf(weights, op).shape !== shape)
    throw new ShapeError({ op, expected: `weights of shape ${showDims(shape.dims)}`, got: showDims(weights.shape) });
  if (typeof bins === 'number' && (!Number.isInteger(bins) || bins < 1))
    throw new ArgumentError({ op, expected: 'at least one bin', got: showValue(bins) });
  if (typeof bins !== 'number' && (nodeOf(bins, op).shape.rank !== 1 || nodeOf(bins, op).shape.size < 2))
    throw new ShapeError({ op, expected: 'at least two edges, of rank 1', got: showDims(bins.shape) });
  if (range !== undefined && !(Number.isFinite(range[0]) && Number.isFinite(range[1]) && range[0] <= range[1]))
    throw new ArgumentError({ op, expected: 'a finite range, from low to high', got: showValue(range) });
  return compose(() => {
    const line = reshape(detach(x), [-1]);
    const edges = typeof bins === 'number' ? evenEdges(line, bins, range) : copy(toDType(bins, dtype));
    const count = edges.shape[0] === undefined ? 0 : edges.shape[0] - 1;
    const last = along(edges, 0, count);
    const behind = found(op, edges, line, { right: true });
    const bin = where(equal(line, last), count - 1, sub(behind, 1));
    const inside = logicalAnd(greaterEqual(bin, 0), less(bin, count));
    const one = fullLike(nodeOf(line, op), 1);
    const values = weights === undefined ? one : toDType(reshape(weights, [-1]), dtype);
    const empty = fullLike(nodeOf(line, op), 0, shapeOf([count]));
    const total = scatterAdd(empty, where(inside, bin, 0), where(inside, values, 0), { axis: 0 });
    if (!density) return { counts: total, edges };
    const widths = sub(along(edges, 0, { start: 1 }), along(edges, 0, { end: count }));
    return { counts: div(div(total, sum(total)), widths), edges };
  });

  /** One more than `count` numbers from the lower end to the upper one, both exact. */
  function evenEdges(line: Tensor, count: number, given: readonly [number, number] | undefined): Tensor {
    const few = shape.size === 0;
    const low = given === undefined ? (few ? valueLike(line, 0) : min(line)) : valueLike(line, given[0]);
    const high = given === undefined ? (few ? valueLike(line, 0) : max(line)) : valueLike(line, given[1]);
    const flat = equal(low, high);
    const from = where(flat, sub(low, 0.5), low);
    const to = where(flat, add(high, 0.5), high);
    const width = div(sub(to, from), count);
    const places = ramp(0, 1, count + 1, dtype, runtime);
    // From the nearer end, so that both ends are what they should be.
    const half = (count + 1) / 2;
    const up = add(from, mul(places, width));
    const down = sub(to, mul(sub(count, places), width));
    return where(less(places, half), up, down);
  }
}

/**
 * The `k`-th smallest element along `axis` (default the last), counted from 1, and its place, as int32: of equals, the k-th in order. NaN counts as
 * greater than everything. The gradient goes back to that place.
 *
 * @throws AxisError; ArgumentError unless k is from 1 to the size of the axis
 */
export function kthValue(x: Tensor, k: number, options: { readonly axis?: number; readonly keepDims?: boolean } = {}): ValuesAndIndices {
  requireOptions('kthValue', options, '{ axis: 1 }');
  const { dims, rank } = nodeOf(x, 'kthValue').shape;
  const axis = normalizeAxis('kthValue', options.axis ?? -1, rank);
  const size = dims[axis] ?? 0;
  if (!Number.isInteger(k) || k < 1 || k > size)
    throw new ArgumentError({ op: 'kthValue', expected: `k from 1 to ${size}, the size of axis ${axis}`, got: showValue(k) });
  return compose(() => {
    const { values, indices } = sort(x, { axis });
    const pick = (t: Tensor): Tensor => {
      const one = copy(along(t, axis, k - 1));
      return options.keepDims === true ? unsqueeze(one, axis) : one;
    };
    return { values: pick(values), indices: pick(indices) };
  });
}
