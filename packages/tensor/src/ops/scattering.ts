/**
 * Writing to computed places: setting, and combining with what is there. The contract's scatter sets, adds and takes the larger; products,
 * which it has no mode for, are made of sorted indices and a segmented running product: Blelloch, "Prefix Sums and Their Applications", 1990.
 */

import { DTYPES, isFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { fullLike, record, scalarNode } from '../graph/record.ts';
import { SCALAR_SHAPE, shapeOf, showDims } from '../graph/shape.ts';
import { roundTo } from '../memory/elements.ts';
import { compose } from '../memory/scope.ts';
import { Tensor, nodeOf } from '../tensor.ts';
import { showValue } from '../values.ts';
import { add, div, equal, floorDiv, less, mul, neg, sub, where } from './arithmetic.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { along } from './arrangement.ts';
import { toDType } from './convert.ts';
import { expand } from './expand.ts';
import { gather, positionAt, requireWithin, scatterAdd, scatterNodes } from './indexing.ts';
import { pad } from './movement.ts';
import { ramp } from './positions.ts';
import { reshape } from './reshape.ts';
import { cumsum } from './scan.ts';
import { argsort } from './sort.ts';

/** Inputs: the target, int32 indices, the source shaped like them. Attribute: the axis. The last of several writers to a place stays. */
const SCATTER_SET: OpRow = /* @__PURE__ */ row({
  name: 'scatter',
  residuals: 'inputs',
  lowering: {
    kind: 'scatter',
    mode: 'set',
    position: (index, context) => positionAt(context.inputs[0]?.dims ?? [], attributeValue<number>(context), index, context),
  },
  gradient: (g, { inputs: [target, index], attribute, needs }) => {
    if (target === undefined || index === undefined) return [null];
    const axis = attribute as number;
    return [needs(0) ? set(g, index, valueLike(g, 0), axis) : null, null, needs(2) ? ofLastWriters(g, index, axis) : null];
  },
});

/** The gradient of the source: `g` at its place, for those writers that nobody wrote over. */
function ofLastWriters(g: Tensor, index: Tensor, axis: number): Tensor {
  const { shape, runtime } = nodeOf(index, 'scatter');
  const own = reshape(ramp(0, 1, shape.size, 'int32', runtime), shape.dims);
  const nobody = fullLike(nodeOf(own, 'scatter'), -1, nodeOf(g, 'scatter').shape);
  const last = gather(set(nobody, index, own, axis), index, { axis });
  return where(equal(last, own), gather(g, index, { axis }), valueLike(g, 0));
}

/** The same with the larger of both values. Ties share the gradient equally. */
const SCATTER_MAX: OpRow = /* @__PURE__ */ row({
  name: 'scatterMax',
  residuals: 'both',
  lowering: {
    kind: 'scatter',
    mode: 'max',
    position: (index, context) => positionAt(context.inputs[0]?.dims ?? [], attributeValue<number>(context), index, context),
  },
  gradient: (g, { inputs: [target, index, source], output, attribute }) => {
    if (target === undefined || index === undefined || source === undefined) return [null];
    const axis = attribute as number;
    const stayed = toDType(equal(target, output), target.dtype);
    const won = toDType(equal(source, gather(output, index, { axis })), target.dtype);
    const share = div(g, scatterAdd(stayed, index, won, { axis }));
    return [mul(stayed, share), null, mul(won, gather(share, index, { axis }))];
  },
});

function written(op: OpRow, target: Tensor, index: Tensor, source: Tensor, axis: number): Tensor {
  const nodes = scatterNodes(op.name, target, index, source, axis);
  return record(op, nodes, nodes[0].shape, nodes[0].dtype, intern(`axis:${axis}`, axis));
}

const set = (target: Tensor, index: Tensor, source: Tensor, axis: number): Tensor => written(SCATTER_SET, target, index, source, axis);

/** A number of rank 0 in the dtype of `like`. */
export function valueLike(like: Tensor, value: number): Tensor {
  const { dtype, runtime } = nodeOf(like, 'value');
  return new Tensor(scalarNode(roundTo(value, dtype), dtype, runtime));
}

/** A number to write into a tensor of `dtype`. @throws DTypeError for a fraction among integers */
function requireHeld(op: string, value: number, dtype: DType): void {
  if (typeof value !== 'number') throw new ArgumentError({ op, expected: 'a tensor or a number', got: showValue(value) });
  if (!isFloat(dtype) && !Number.isInteger(value))
    throw new DTypeError({ op, expected: `a value that ${dtype} holds`, got: String(value), fix: "cast the tensor with toDType('float32')." });
}

function sourceOf(op: string, source: Tensor | number, target: Tensor): Tensor {
  if (source instanceof Tensor) return source;
  requireHeld(op, source, nodeOf(target, op).dtype);
  return valueLike(target, source);
}

/**
 * `target` with `source[...]` written to `index[...]` along `axis`, for each place of `index`. Of several for one place the last stays, in
 * row-major order, and it alone gets a gradient.
 *
 * @param index integers; as many axes as target, sizes at most its except along `axis`; negative ones count from the end
 * @param source a number, or a tensor that is broadcast to the indices (larger ones count as far as there are indices), cast to the target's dtype
 * @throws ShapeError, AxisError, DTypeError, IndexError where indices can be checked at the call; elsewhere one out of range writes nothing
 */
export function scatter(target: Tensor, index: Tensor, source: Tensor | number, options: { readonly axis: number }): Tensor {
  const { rank } = nodeOf(target, 'scatter').shape;
  requireOptions('scatter', options, '{ axis: 1 }');
  const axis = normalizeAxis('scatter', options.axis, rank);
  return compose(() => set(target, index, sourceOf('scatter', source, target), axis));
}

/** How {@link scatterReduce} combines. */
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

/** Options of {@link scatterReduce}. */
export interface ScatterReduceOptions {
  readonly axis: number;
  readonly reduce: ScatterReduction;
  /** Is the target's own value one of those combined, where something is written? Default true. */
  readonly includeSelf?: boolean;
}

/**
 * `target` with all of `source[...]` for one place combined there: sum, product, mean (of integers, rounded down), largest or smallest. Ties of
 * extremes share the gradient equally. Arguments as {@link scatter}.
 *
 * @throws ShapeError, AxisError, IndexError as scatter; ArgumentError for another reduction; DTypeError for bool, except amax and amin
 */
export function scatterReduce(target: Tensor, index: Tensor, source: Tensor, options: ScatterReduceOptions): Tensor {
  const op = 'scatterReduce';
  requireOptions(op, options, "{ axis: 1, reduce: 'sum' }");
  const { shape, dtype } = nodeOf(target, op);
  const axis = normalizeAxis(op, options.axis, shape.rank);
  const { reduce, includeSelf = true } = options;
  if (!['sum', 'prod', 'mean', 'amax', 'amin'].includes(reduce))
    throw new ArgumentError({ op, expected: "reduce 'sum', 'prod', 'mean', 'amax' or 'amin'", got: showValue(reduce) });
  if (dtype === 'bool' && reduce !== 'amax' && reduce !== 'amin')
    throw new DTypeError({ op, expected: `numbers for reduce '${reduce}'`, got: 'bool', fix: "cast with toDType('int32')." });
  return compose(() => {
    const values = toDType(source, dtype);
    if (dtype === 'bool') {
      const bits = [target, values].map((t) => toDType(t, 'uint8')) as [Tensor, Tensor];
      return toDType(combined(bits[0], index, bits[1], axis, reduce, includeSelf), 'bool');
    }
    return combined(target, index, values, axis, reduce, includeSelf);
  });
}

function combined(target: Tensor, index: Tensor, source: Tensor, axis: number, reduce: ScatterReduction, includeSelf: boolean): Tensor {
  const { dtype } = nodeOf(target, 'scatterReduce');
  /** The target, with `start` where something is written and its own value does not count. */
  const from = (start: number): Tensor => (includeSelf ? target : set(target, index, valueLike(target, start), axis));
  switch (reduce) {
    case 'sum':
      return scatterAdd(from(0), index, source, { axis });
    case 'mean': {
      const total = scatterAdd(from(0), index, source, { axis });
      const ones = fullLike(nodeOf(target, 'scatterReduce'), 1);
      const one = valueLike(target, 1);
      const count = scatterAdd(includeSelf ? ones : set(ones, index, valueLike(target, 0), axis), index, one, { axis });
      return isFloat(dtype) ? div(total, count) : floorDiv(total, count);
    }
    case 'prod':
      return mul(from(1), productsAt(target, index, source, axis));
    case 'amax':
      return written(SCATTER_MAX, from(isFloat(dtype) ? -Infinity : DTYPES[dtype].min), index, source, axis);
    case 'amin': {
      const start = from(isFloat(dtype) ? Infinity : DTYPES[dtype].max);
      return mirrored(written(SCATTER_MAX, mirrored(start), index, mirrored(source), axis));
    }
    default:
      return reduce satisfies never;
  }
}

/** What reverses the order of numbers, and itself: negation; of integers, the distance to the other end of their range. */
function mirrored(x: Tensor): Tensor {
  const { dtype } = nodeOf(x, 'scatterReduce');
  if (isFloat(dtype)) return neg(x);
  return sub(valueLike(x, DTYPES[dtype].min === 0 ? DTYPES[dtype].max : -1), x);
}

/** For each place of the target, the product of what `source` has for it; 1 for nothing. Only multiplies, so it is right where elements are 0. */
function productsAt(target: Tensor, index: Tensor, source: Tensor, axis: number): Tensor {
  const op = 'scatterReduce';
  const [base, places, values] = scatterNodes(op, target, index, source, axis);
  const size = base.shape.dims[axis] ?? 0;
  const raw = new Tensor(places);
  const wrapped = where(less(raw, 0), add(raw, size), raw);
  const order = argsort(wrapped, { axis });
  const segment = gather(wrapped, order, { axis });
  let product = gather(new Tensor(values), order, { axis });
  const count = places.shape.dims[axis] ?? 0;
  // Sorted: where the segment is the same `by` places before, it is the same in between.
  for (let by = 1; by < count; by *= 2) {
    const same = equal(segment, behind(segment, axis, by, -1));
    product = where(same, mul(product, behind(product, axis, by, 1)), product);
  }
  // The last of a segment, whose product is of all, is the one that stays.
  return set(fullLike(base, 1), segment, product, axis);
}

/** Every element `by` places further on, with `fill` before the first. */
function behind(x: Tensor, axis: number, by: number, fill: number): Tensor {
  const size = x.shape[axis] ?? 0;
  const widths = x.shape.map((_, i): [number, number] => (i === axis ? [by, 0] : [0, 0]));
  return along(pad(x, widths, { value: fill }), axis, { end: size });
}

/** An index for whole slices along `axis`, spread over the slices. @throws ShapeError, AxisError */
function sliceIndex(op: string, x: Tensor, index: Tensor, axis: number): Tensor {
  const { dims } = nodeOf(x, op).shape;
  const { size, rank } = nodeOf(index, op).shape;
  if (rank > 1) throw new ShapeError({ op, expected: 'indices of rank 1', got: showDims(index.shape) });
  requireWithin(op, index, dims[axis] ?? 0);
  const column = reshape(
    index,
    dims.map((_, i) => (i === axis ? size : 1)),
  );
  return expand(column, dims.with(axis, size));
}

function axisOption(op: string, x: Tensor, options: { readonly axis?: number }): number {
  requireOptions(op, options, '{ axis: 1 }');
  return normalizeAxis(op, options.axis ?? 0, nodeOf(x, op).shape.rank);
}

function requireSlices(op: string, x: Tensor, index: Tensor, source: Tensor, axis: number): void {
  const { dims } = nodeOf(x, op).shape;
  const wanted = dims.with(axis, nodeOf(index, op).shape.size);
  if (shapeOf(wanted) === nodeOf(source, op).shape) return;
  throw new ShapeError({ op, expected: `a source of shape ${showDims(wanted)}`, got: showDims(source.shape) });
}

/**
 * `x` with `alpha` (default 1) times the slices of `source` added to its slices `index` along `axis` (default 0). Duplicates add up.
 *
 * @param index integers of rank 1 @param source shaped like x, but for one slice an index along `axis`
 * @throws ShapeError, AxisError, DTypeError, IndexError as {@link scatter}
 */
export function indexAdd(x: Tensor, index: Tensor, source: Tensor, options: { readonly axis?: number; readonly alpha?: number } = {}): Tensor {
  const axis = axisOption('indexAdd', x, options);
  requireSlices('indexAdd', x, index, source, axis);
  const { alpha = 1 } = options;
  return compose(() => scatterAdd(x, sliceIndex('indexAdd', x, index, axis), alpha === 1 ? source : mul(source, alpha), { axis }));
}

/** `x` with the slices of `source` in place of its slices `index` along `axis` (default 0); of several for one place the last. @throws as {@link indexAdd} */
export function indexCopy(x: Tensor, index: Tensor, source: Tensor, options: { readonly axis?: number } = {}): Tensor {
  const axis = axisOption('indexCopy', x, options);
  requireSlices('indexCopy', x, index, source, axis);
  return compose(() => set(x, sliceIndex('indexCopy', x, index, axis), source, axis));
}

/** `x` with `value`, a number or a tensor of rank 0, in its slices `index` along `axis` (default 0). @throws as {@link indexAdd} */
export function indexFill(x: Tensor, index: Tensor, value: Tensor | number, options: { readonly axis?: number } = {}): Tensor {
  const axis = axisOption('indexFill', x, options);
  requireSingle('indexFill', value);
  return compose(() => set(x, sliceIndex('indexFill', x, index, axis), sourceOf('indexFill', value, x), axis));
}

function requireSingle(op: string, value: Tensor | number): void {
  if (value instanceof Tensor && nodeOf(value, op).shape !== SCALAR_SHAPE)
    throw new ShapeError({ op, expected: 'a value of rank 0', got: showDims(value.shape) });
}

/** `x` with `value`, a number or a tensor of rank 0, where `mask` is true; they broadcast. In the dtype of x. @throws ShapeError, DTypeError */
export function maskedFill(x: Tensor, mask: Tensor, value: Tensor | number): Tensor {
  requireSingle('maskedFill', value);
  requireMask('maskedFill', mask);
  return compose(() => where(mask, toDType(sourceOf('maskedFill', value, x), nodeOf(x, 'maskedFill').dtype), x));
}

function requireMask(op: string, mask: Tensor): void {
  const { dtype } = nodeOf(mask, op);
  if (dtype !== 'bool') throw new DTypeError({ op, expected: 'a mask of bool', got: dtype, fix: "cast with toDType('bool')." });
}

/**
 * `x` with the elements of `source`, one after the other in row-major order, where `mask` is true.
 *
 * @param mask bool, broadcast to x
 * @param source at least as many elements as there are places; where there are fewer, NaN (0 for integers). Cast to the dtype of x
 * @throws ShapeError, DTypeError
 */
export function maskedScatter(x: Tensor, mask: Tensor, source: Tensor): Tensor {
  requireMask('maskedScatter', mask);
  const { shape, dtype } = nodeOf(x, 'maskedScatter');
  const { size } = nodeOf(source, 'maskedScatter').shape;
  return compose(() => {
    const wide = expand(mask, shape.dims);
    const taken = sub(cumsum(reshape(wide, [shape.size]), { axis: 0 }), 1);
    // Before the first place nothing is taken: any index will do.
    const place = where(less(taken, 0), 0, taken);
    const values =
      size === 0
        ? fullLike(nodeOf(x, 'maskedScatter'), isFloat(dtype) ? NaN : 0)
        : reshape(gather(reshape(source, [-1]), place, { axis: 0 }), shape.dims);
    return where(wide, toDType(values, dtype), x);
  });
}
