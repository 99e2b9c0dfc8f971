/** Elements at computed places: gathering, and its counterpart, scattering. */

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
import { decode } from '../memory/elements.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { castNode } from './convert.ts';
import { expand } from './expand.ts';
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
    needs(2) && index !== undefined ? takeAlongAxis(g, index, { axis: attribute as number }) : null,
  ],
});

/** 0 of another shape, on the same device and in the same dtype. */
function zerosShapedLike(t: Tensor, dims: Dims): Tensor {
  return fullLike(nodeOf(t, 'zeros'), 0, shapeOf(dims));
}

/**
 * Element `index[...]` along `axis`, for each place of `index`: PyTorch's `gather`. Negative indices count from the end.
 *
 * @param x any shape
 * @param index integers; as many axes as x, sizes at most x's except along `axis`
 * @throws ShapeError, DTypeError, IndexError where indices can be checked at the call; elsewhere one out of range gives NaN (0 for integers)
 */
export function takeAlongAxis(x: Tensor, index: Tensor, options: { readonly axis: number }): Tensor {
  const source = nodeOf(x, 'takeAlongAxis');
  requireOptions('takeAlongAxis', options, '{ axis: 1 }');
  const axis = normalizeAxis('takeAlongAxis', options.axis, source.shape.rank);
  const places = indexNode('takeAlongAxis', index, source.shape.dims[axis] ?? 0);
  requireFits('takeAlongAxis', places.shape.dims, source.shape.dims, axis);
  return record(GATHER, [source, places], places.shape, source.dtype, intern(`axis:${axis}`, axis));
}

/** `target` with `source[...]` added at `index[...]` along `axis`, for each place of `index`. Duplicates add up, in order. @throws as takeAlongAxis */
export function scatterAdd(target: Tensor, index: Tensor, source: Tensor, options: { readonly axis: number }): Tensor {
  const base = nodeOf(target, 'scatterAdd');
  requireOptions('scatterAdd', options, '{ axis: 1 }');
  const axis = normalizeAxis('scatterAdd', options.axis, base.shape.rank);
  const places = indexNode('scatterAdd', index, base.shape.dims[axis] ?? 0);
  requireFits('scatterAdd', places.shape.dims, base.shape.dims, axis);
  const values = castNode(nodeOf(expand(source, places.shape.dims), 'scatterAdd'), base.dtype);
  return record(SCATTER_ADD, [base, places, values], base.shape, base.dtype, intern(`axis:${axis}`, axis));
}

/** Slices of `x` along `axis` (default 0) at the places of `index`, whose axes take the place of `axis`. @throws as takeAlongAxis */
export function indexSelect(x: Tensor, index: Tensor, options: { readonly axis?: number } = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'indexSelect').shape;
  requireOptions('indexSelect', options, '{ axis: 1 }');
  const axis = normalizeAxis('indexSelect', options.axis ?? 0, rank);
  const places = nodeOf(index, 'indexSelect').shape;
  const column = reshape(
    index,
    dims.map((_, i) => (i === axis ? places.size : 1)),
  );
  const wide = expand(
    column,
    dims.map((size, i) => (i === axis ? places.size : size)),
  );
  const rows = takeAlongAxis(x, wide, { axis });
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
 * @throws DTypeError unless they are integers; IndexError
 */
export function requireIndices(op: string, index: Tensor, range: { readonly min: number; readonly max: number }): void {
  const node = nodeOf(index, op);
  if (!isInteger(node.dtype)) throw new DTypeError({ op, expected: 'integer indices', got: node.dtype, fix: "cast them with toDType('int32')." });
  const look = (at: Node): void => lookAtIndices(op, at, range);
  look(node);
  tracing.active?.check(node, look);
}

function lookAtIndices(op: string, node: Node, { min, max }: { readonly min: number; readonly max: number }): void {
  const { storage, strides, runtime, shape } = node;
  if (storage === null || strides !== null || runtime.backend.readSync === undefined || shape.size > MAX_CHECKED_INDICES) return;
  const [least, most] = extremesOf(node, storage.block);
  if (!(least < min) && !(most > max)) return;
  throw new IndexError({
    op,
    expected: max < min ? 'no index at all' : `indices from ${min} to ${max}`,
    got: String(least < min ? least : most),
  });
}

/** Looked at once: values do not change, but for those of state. */
const extremes = new WeakMap<Node, readonly [number, number]>();

/** The smallest and the largest element of a computed node; Infinity and -Infinity of none. */
function extremesOf(node: Node, block: Block): readonly [number, number] {
  const known = extremes.get(node);
  if (known !== undefined) return known;
  const { dtype, offset, shape, runtime } = node;
  const width = bytesPerElement(dtype);
  const bytes = shape.size === 0 ? null : (runtime.backend.readSync?.(block, offset * width, shape.size * width) ?? null);
  const values = bytes === null ? [] : decode(bytes, dtype);
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const found = [least, most] as const;
  if (node.cell === null) extremes.set(node, found);
  return found;
}

/** Checked indices as an int32 node; negative ones count from the end of an axis of `size`. */
function indexNode(op: string, index: Tensor, size: number): Node {
  requireIndices(op, index, { min: -size, max: size - 1 });
  return castNode(nodeOf(index, op), 'int32');
}
