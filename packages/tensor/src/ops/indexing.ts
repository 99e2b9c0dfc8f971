/** Elements at computed places: gathering, and its counterpart, adding. See `scattering.ts` for other ways of writing to places. */

import { apply, bytesPerElement, isFloat, isInteger } from '@gradus/backend';
import type { Block, Expression } from '@gradus/backend';
import { DTypeError, IndexError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { ExpressionContext, OpRow } from '../graph/op.ts';
import { fullLike, record } from '../graph/record.ts';
import { rowMajorStrides, shapeOf, showDims } from '../graph/shape.ts';
import { tracing } from '../graph/tracing.ts';
import { compose } from '../memory/scope.ts';
import { decode } from '../memory/elements.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { castNode } from './convert.ts';
import { expand } from './expand.ts';
import { slice } from './movement.ts';
import { reshape } from './reshape.ts';

/** The position, in a dense tensor of `dims`, of this coordinate with `index` in place of the one along `axis`; -1 where that is out of range. */
export function positionAt(dims: Dims, axis: number, index: Expression, context: Omit<ExpressionContext, 'gather'>): Expression {
  const strides = rowMajorStrides(dims);
  const rest = context.position(strides.map((stride, i) => (i === axis ? 0 : stride)));
  const size = context.size(dims[axis] ?? 0);
  const zero = context.size(0);
  const wrapped = {
    op: 'where' as const,
    dtype: 'int32' as const,
    condition: apply('less', index, zero),
    then: apply('add', index, size),
    otherwise: index,
  };
  const inside = apply('and', apply('lessEqual', zero, wrapped), apply('less', wrapped, size));
  const position = apply('add', rest, apply('multiply', wrapped, context.size(strides[axis] ?? 1)));
  return { op: 'where', dtype: 'int32', condition: inside, then: position, otherwise: context.size(-1) };
}

/** Inputs: the source, int32 indices shaped like the result. Attribute: the axis. */
const GATHER: OpRow = /* @__PURE__ */ row({
  name: 'takeAlongAxis',
  lowering: {
    kind: 'elementwise',
    indexed: [0],
    express: ([, index], context) => {
      const source = context.inputs[0] ?? { dims: [], dtype: 'float32' };
      const position = positionAt(source.dims, attributeValue<number>(context), index as Expression, context);
      return context.gather(0, position, isFloat(source.dtype) ? NaN : 0);
    },
  },
  gradient: (g, { inputs: [x, index], attribute }) => [
    x === undefined || index === undefined ? null : scatterAdd(zerosShapedLike(g, x.shape), index, g, { axis: attribute as number }),
    null,
  ],
});

/** Inputs: the target, int32 indices, the source shaped like them. Attribute: the axis. */
const SCATTER_ADD: OpRow = /* @__PURE__ */ row({
  name: 'scatterAdd',
  lowering: {
    kind: 'scatter',
    mode: 'add',
    position: (index, context) => positionAt(context.inputs[0]?.dims ?? [], attributeValue<number>(context), index, context),
  },
  gradient: (g, { inputs: [, index], attribute, needs }) => [
    needs(0) ? g : null,
    null,
    needs(2) && index !== undefined ? gather(g, index, { axis: attribute as number }) : null,
  ],
});

/** 0 of another shape, on the same device and in the same dtype. */
function zerosShapedLike(t: Tensor, dims: Dims): Tensor {
  return fullLike(nodeOf(t, 'zeros'), 0, shapeOf(dims));
}

/**
 * Element `index[...]` along `axis`, for each place of `index`; negative indices count from the end. Nothing is broadcast: see {@link takeAlongAxis}.
 *
 * @param x any shape
 * @param index integers; as many axes as x, sizes at most x's except along `axis`
 * @throws ShapeError, DTypeError, IndexError where indices can be checked at the call; elsewhere one out of range gives NaN (0 for integers)
 */
export function gather(x: Tensor, index: Tensor, options: { readonly axis: number }): Tensor {
  return elementsAt('gather', x, index, options);
}

function elementsAt(op: string, x: Tensor, index: Tensor, options: { readonly axis: number }): Tensor {
  const source = nodeOf(x, op);
  requireOptions(op, options, '{ axis: 1 }');
  const axis = normalizeAxis(op, options.axis, source.shape.rank);
  const places = indexNode(op, index, source.shape.dims[axis] ?? 0);
  requireFits(op, places.shape.dims, source.shape.dims, axis);
  return record(GATHER, [source, places], places.shape, source.dtype, intern(`axis:${axis}`, axis));
}

/**
 * Element `index[...]` along `axis`, for each place of `index`, with `x` and `index` broadcast to each other beside that axis. Negative indices
 * count from the end.
 *
 * @param index integers; as many axes as x
 * @throws ShapeError, DTypeError, IndexError where indices can be checked at the call; elsewhere one out of range gives NaN (0 for integers)
 */
export function takeAlongAxis(x: Tensor, index: Tensor, options: { readonly axis: number }): Tensor {
  const op = 'takeAlongAxis';
  requireOptions(op, options, '{ axis: 1 }');
  const { dims, rank } = nodeOf(x, op).shape;
  const places = nodeOf(index, op).shape.dims;
  const axis = normalizeAxis(op, options.axis, rank);
  const beside = (i: number): boolean => i === axis || places[i] === dims[i];
  if (places.length !== rank || places.every((_, i) => beside(i))) return elementsAt(op, x, index, options);
  if (places.some((size, i) => !beside(i) && size !== 1 && dims[i] !== 1)) requireFits(op, places, [], axis);
  requireWithin(op, index, dims[axis] ?? 0);
  const sizes = dims.map((size, i) => (size === 1 ? (places[i] ?? 1) : size));
  const wide = (t: Tensor, own: Dims): Tensor => expand(t, sizes.with(axis, own[axis] ?? 1));
  return compose(() => elementsAt(op, wide(x, dims), wide(index, places), { axis }));
}

/** Target, places and what comes there, as nodes; `source` is broadcast to the indices, or cut down to them where it is larger, and has the target's dtype. */
export function scatterNodes(op: string, target: Tensor, index: Tensor, source: Tensor, axis: number): readonly [Node, Node, Node] {
  const base = nodeOf(target, op);
  const places = indexNode(op, index, base.shape.dims[axis] ?? 0);
  const { dims } = places.shape;
  requireFits(op, dims, base.shape.dims, axis);
  const own = nodeOf(source, op).shape;
  const larger = own.rank === dims.length && own.dims.every((size, i) => size >= (dims[i] ?? 0));
  const fitting =
    own === places.shape
      ? source
      : larger
        ? slice(
            source,
            dims.map((end) => ({ end })),
          )
        : expand(source, dims);
  return [base, places, castNode(nodeOf(fitting, op), base.dtype)];
}

/**
 * `target` with `source[...]` added at `index[...]` along `axis`, for each place of `index`. Duplicates add up, in order.
 *
 * @param source broadcast to the indices; larger ones count as far as there are indices. Cast to the target's dtype
 * @throws as {@link gather}; DTypeError for bool
 */
export function scatterAdd(target: Tensor, index: Tensor, source: Tensor, options: { readonly axis: number }): Tensor {
  const { dtype, shape } = nodeOf(target, 'scatterAdd');
  requireOptions('scatterAdd', options, '{ axis: 1 }');
  if (dtype === 'bool') throw new DTypeError({ op: 'scatterAdd', expected: 'numbers', got: 'bool', fix: "cast with toDType('int32')." });
  const axis = normalizeAxis('scatterAdd', options.axis, shape.rank);
  return compose(() => record(SCATTER_ADD, scatterNodes('scatterAdd', target, index, source, axis), shape, dtype, intern(`axis:${axis}`, axis)));
}

/** Slices of `x` along `axis` (default 0) at the places of `index`, whose axes take the place of `axis`. @throws as {@link gather} */
export function indexSelect(x: Tensor, index: Tensor, options: { readonly axis?: number } = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'indexSelect').shape;
  requireOptions('indexSelect', options, '{ axis: 1 }');
  const axis = normalizeAxis('indexSelect', options.axis ?? 0, rank);
  requireWithin('indexSelect', index, dims[axis] ?? 0);
  const places = nodeOf(index, 'indexSelect').shape;
  const column = reshape(
    index,
    dims.map((_, i) => (i === axis ? places.size : 1)),
  );
  const wide = expand(
    column,
    dims.map((size, i) => (i === axis ? places.size : size)),
  );
  const rows = gather(x, wide, { axis });
  return reshape(rows, [...dims.slice(0, axis), ...places.dims, ...dims.slice(axis + 1)]);
}

function requireFits(op: string, index: Dims, source: Dims, axis: number): void {
  if (index.length !== source.length || index.some((size, i) => i !== axis && size > (source[i] ?? 0))) {
    throw new ShapeError({ op, expected: `indices of rank ${source.length} that fit ${showDims(source)} beside axis ${axis}`, got: showDims(index) });
  }
}

/** Most indices that are looked at on the host, so that a wrong one is reported at the call. */
const MAX_CHECKED_INDICES = 4096;

/**
 * Refuses indices outside `[min, max]`, as far as they can be looked at without waiting: those that have values, on a device that can be
 * read at once, and no more than 4096 of them.
 *
 * @param range.except an index that may be outside
 * @throws DTypeError unless they are integers; IndexError
 */
export function requireIndices(op: string, index: Tensor, range: IndexRange): void {
  const node = nodeOf(index, op);
  if (!isInteger(node.dtype)) throw new DTypeError({ op, expected: 'integer indices', got: node.dtype, fix: "cast them with toDType('int32')." });
  const look = (at: Node): void => lookAtIndices(op, at, range);
  look(node);
  tracing.active?.check(node, look);
}

/** The indices that are allowed. */
interface IndexRange {
  readonly min: number;
  readonly max: number;
  readonly except?: number;
}

function lookAtIndices(op: string, node: Node, { min, max, except }: IndexRange): void {
  const { storage, strides, runtime, shape } = node;
  if (storage === null || strides !== null || runtime.backend.readSync === undefined || shape.size > MAX_CHECKED_INDICES) return;
  const [least, most] = extremesOf(node, storage.block, except);
  if (!(least < min) && !(most > max)) return;
  throw new IndexError({
    op,
    expected: max < min ? 'no index at all' : `indices from ${min} to ${max}`,
    got: String(least < min ? least : most),
  });
}

/** Looked at once: values do not change, but for those of state. */
const extremes = new WeakMap<Node, { readonly found: readonly [number, number]; readonly except: number | undefined }>();

/** The smallest and the largest element of a computed node, one number aside; Infinity and -Infinity of none. */
function extremesOf(node: Node, block: Block, except?: number): readonly [number, number] {
  const known = extremes.get(node);
  if (known !== undefined && known.except === except) return known.found;
  const { dtype, offset, shape, runtime } = node;
  const width = bytesPerElement(dtype);
  const bytes = shape.size === 0 ? null : (runtime.backend.readSync?.(block, offset * width, shape.size * width) ?? null);
  const values = bytes === null ? [] : decode(bytes, dtype);
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value === except) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const found = [least, most] as const;
  if (node.cell === null) extremes.set(node, { found, except });
  return found;
}

/** Refuses indices outside an axis of `size`; negative ones count from its end. Ops that broadcast indices look at them before: what is broadcast is not looked at. */
export function requireWithin(op: string, index: Tensor, size: number): void {
  requireIndices(op, index, { min: -size, max: size - 1 });
}

/** Checked indices as an int32 node. */
function indexNode(op: string, index: Tensor, size: number): Node {
  requireWithin(op, index, size);
  return castNode(nodeOf(index, op), 'int32');
}
