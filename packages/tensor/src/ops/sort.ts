/**
 * Sorting along an axis, stable, with NaN as the greatest of all.
 *
 * Only places are sorted; values are gathered by them, so that gradients go back the way that values came. Where the device claims the
 * contract's `sort` kernel that is one launch; elsewhere a bitonic network, ½ log₂² n maps, each of which compares every pair (value, place)
 * with another. Batcher, "Sorting Networks and their Applications", 1968. Pairs are all different, so the network is stable.
 */

import { DTYPES, apply, isFloat, where as select } from '@gradus/backend';
import type { DType, Expression, Kernel } from '@gradus/backend';
import { ArgumentError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { ExpressionContext, KernelPlan, OpRow, OpSite } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { rowMajorStrides, shapeOf } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { copy, detach } from './convert.ts';
import { expand } from './expand.ts';
import { dense, isClaimed, kernelNamed } from './fast-path.ts';
import { takeAlongAxis } from './indexing.ts';
import { pad, slice, transpose } from './movement.ts';
import { ramp } from './positions.ts';
import type { ValuesAndIndices } from './scan.ts';

function sortKernel(descending: boolean, dtype: DType): Kernel {
  return kernelNamed(`sort ${descending} ${dtype}`, () => ({
    kind: 'sort',
    descending,
    operands: [dense(dtype), dense(dtype, 'write'), dense('int32', 'write')],
    scalars: [],
  }));
}

function planOf(site: OpSite): KernelPlan {
  const columns = site.dims.at(-1) ?? 1;
  const rows = site.dims.slice(0, -1).reduce((n, d) => n * d, 1);
  const size = rows * columns;
  return {
    kernel: sortKernel(attributeValue<boolean>(site), site.inputs[0]?.dtype ?? 'float32'),
    sizes: [rows, columns],
    operands: [
      { input: 0, size },
      { output: 0, size },
      { output: 1, size },
    ],
    scalars: [],
  };
}

/** Input x, sorted along its last axis: the places. Attribute: descending? */
const PLACES: OpRow = /* @__PURE__ */ row({ name: 'sort', lowering: { kind: 'kernel', output: 1, plan: planOf } });

/** One step of the network: pairs `distance` apart are ordered, the other way round in every second stretch of `stretch` elements. */
interface Exchange {
  readonly stretch: number;
  readonly distance: number;
  readonly descending: boolean;
}

/** A value and its place. */
type Pair = readonly [value: Expression, place: Expression];

/** Does `a` come before `b`? NaN after everything when ascending, before everything when descending; equals in the order of their places. */
function comesBefore([a, aPlace]: Pair, [b, bPlace]: Pair, descending: boolean): Expression {
  const [x, y] = descending ? [b, a] : [a, b];
  const less = apply('less', x, y);
  const equal = apply('equal', a, b);
  const earlier = apply('less', aPlace, bPlace);
  if (!isFloat(a.dtype)) return select(equal, earlier, less);
  const xIsNaN = apply('notEqual', x, x);
  const yIsNaN = apply('notEqual', y, y);
  const tied = apply('or', equal, apply('and', xIsNaN, yIsNaN));
  return select(tied, earlier, apply('or', less, apply('and', yIsNaN, apply('not', xIsNaN))));
}

/** The pair that belongs here after the step, of which `part` is wanted. */
function exchanged(part: 0 | 1, [, , value, place]: readonly Expression[], context: ExpressionContext): Expression {
  const { stretch, distance, descending } = attributeValue<Exchange>(context);
  const { dims } = context;
  const here = context.position(dims.map((_, axis) => (axis === dims.length - 1 ? 1 : 0)));
  const step = context.size(distance);
  const isUnset = (bit: Expression): Expression => apply('equal', apply('and', here, bit), context.size(0));
  const there = apply('add', context.position(rowMajorStrides(dims)), apply('subtract', apply('xor', here, step), here));
  const mine: Pair = [value as Expression, place as Expression];
  const other: Pair = [context.gather(0, there, 0), context.gather(1, there, 0)];
  const takesFirst = apply('equal', isUnset(step), isUnset(context.size(stretch)));
  return select(apply('equal', comesBefore(mine, other, descending), takesFirst), mine[part], other[part]);
}

/** Inputs: values and places to look up, and both again for the own pair. The two results read the same, so they are one map. */
const exchangeRow = (part: 0 | 1): OpRow =>
  row({
    name: part === 0 ? 'sort values' : 'sort places',
    lowering: { kind: 'elementwise', indexed: [0, 1], express: (args, context) => exchanged(part, args, context) },
  });
const EXCHANGE_VALUES: OpRow = /* @__PURE__ */ exchangeRow(0);
const EXCHANGE_PLACES: OpRow = /* @__PURE__ */ exchangeRow(1);

/** A value that no other comes after; padding has it, with places beyond all others. */
function lastOf(dtype: DType, descending: boolean): number {
  if (isFloat(dtype)) return descending ? -Infinity : NaN;
  return descending ? DTYPES[dtype].min : DTYPES[dtype].max;
}

/** The sorted places along the last axis as a bitonic network over the next power of two. */
function inNetwork(x: Tensor, descending: boolean): Tensor {
  const { dtype, shape, runtime } = nodeOf(x, 'sort');
  const columns = shape.dims.at(-1) ?? 1;
  const width = 2 ** Math.ceil(Math.log2(Math.max(columns, 1)));
  const wide = [...shape.dims.slice(0, -1), width];
  const whole = shape.dims.slice(0, -1);
  const widths = [...whole.map((): [number, number] => [0, 0]), [0, width - columns] as const];
  let values = width === columns ? x : pad(x, widths, { value: lastOf(dtype, descending) });
  let places = expand(ramp(0, 1, width, 'int32', runtime), wide);
  for (let stretch = 2; stretch <= width; stretch *= 2) {
    for (let distance = stretch / 2; distance >= 1; distance /= 2) {
      const attribute = intern(`exchange:${stretch}:${distance}:${descending}`, { stretch, distance, descending } satisfies Exchange);
      const pair = [nodeOf(values, 'sort'), nodeOf(places, 'sort')];
      values = record(EXCHANGE_VALUES, [...pair, ...pair], shapeOf(wide), dtype, attribute);
      places = record(EXCHANGE_PLACES, [...pair, ...pair], shapeOf(wide), 'int32', attribute);
    }
  }
  return slice(places, [...whole.map(() => null), { end: columns }]);
}

/** The places of sorted elements along `axis`, a number in `[0, rank)`. */
function sortedPlaces(x: Tensor, axis: number, descending: boolean): Tensor {
  const last = transpose(detach(x), axis, -1);
  const { dtype, shape } = nodeOf(last, 'sort');
  const claimed = isClaimed(last, sortKernel(descending, dtype));
  const places = claimed
    ? record(PLACES, [nodeOf(last, 'sort')], shape, 'int32', intern(`sort:${descending}`, descending))
    : inNetwork(last, descending);
  return transpose(places, axis, -1);
}

/** Options of sorting. */
export interface SortOptions {
  /** Default the last. */
  readonly axis?: number;
  /** Largest first, default false. Equal elements keep their order either way. */
  readonly descending?: boolean;
}

function axisOf(op: string, x: Tensor, options: { readonly axis?: number }): number {
  requireOptions(op, options, '{ axis: 1 }');
  return normalizeAxis(op, options.axis ?? -1, nodeOf(x, op).shape.rank);
}

/**
 * The elements in order along `axis`, and the places that they come from, as int32. Stable; NaN counts as greater than everything. The
 * gradient goes back to those places. @throws AxisError
 */
export function sort(x: Tensor, options: SortOptions = {}): ValuesAndIndices {
  const axis = axisOf('sort', x, options);
  return compose(() => {
    const indices = sortedPlaces(x, axis, options.descending ?? false);
    return { values: takeAlongAxis(x, indices, { axis }), indices };
  });
}

/** The places that sorting takes elements from, as int32: the indices of {@link sort}. @throws AxisError */
export function argsort(x: Tensor, options: SortOptions = {}): Tensor {
  const axis = axisOf('argsort', x, options);
  return compose(() => sortedPlaces(x, axis, options.descending ?? false));
}

/** Options of {@link topK}. */
export interface TopKOptions {
  /** Default the last. */
  readonly axis?: number;
  /** The largest (default), or the smallest. */
  readonly largest?: boolean;
}

/**
 * The `k` largest elements along `axis`, largest first, and their places, as int32; of equals the first ones. With `largest: false` the
 * smallest, smallest first. NaN counts as greater than everything. The gradient goes back to those places.
 *
 * @throws AxisError; ArgumentError for more elements than there are
 */
export function topK(x: Tensor, k: number, options: TopKOptions = {}): ValuesAndIndices {
  const axis = axisOf('topK', x, options);
  const size = nodeOf(x, 'topK').shape.dims[axis] ?? 0;
  if (!Number.isInteger(k) || k < 0 || k > size)
    throw new ArgumentError({ op: 'topK', expected: `k from 0 to ${size}, the size of axis ${axis}`, got: String(k) });
  return compose(() => {
    const places = sortedPlaces(x, axis, options.largest ?? true);
    // A copy: a view would hold the memory of all places.
    const indices = copy(slice(places, [...Array.from({ length: axis }, () => null), { end: k }]));
    return { values: takeAlongAxis(x, indices, { axis }), indices };
  });
}
