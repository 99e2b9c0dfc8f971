/** Broadcasting and summing: each is the other's gradient. */

import { isInteger } from '@gradus/backend';
import { ShapeError } from '../errors.ts';
import { NO_ATTRIBUTE, intern } from '../graph/node.ts';
import type { Attribute, Node } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { GradientRule, Lowering, OpRow, OpSite } from '../graph/op.ts';
import { record, recordView } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import type { Shape } from '../graph/shape.ts';
import { internalError } from '../internal.ts';
import { expandView } from '../lowering/view.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { normalizeAxes, requireOptions } from './arguments.ts';
import type { ReduceOptions } from './arguments.ts';
import { castNode } from './convert.ts';
import { reshape } from './reshape.ts';

/** Broadcast to the node's shape. */
export const EXPAND: OpRow = /* @__PURE__ */ row({
  name: 'expand',
  lowering: { kind: 'view', apply: (view, { dims }) => expandView(view, dims) },
  gradient: (g, { dims: [from = []] }) => [sumTo(g, from)],
});

/** `x` broadcast to `shape`: axes of size 1 and new leading axes repeat, without a copy. A size of -1 stays what it is. @throws ShapeError */
export function expand(x: Tensor, shape: Dims): Tensor {
  const node = nodeOf(x, 'expand');
  const { dims } = node.shape;
  const sizes =
    Array.isArray(shape) && shape.includes(-1) ? shape.map((n, i) => (n === -1 ? (dims[i - shape.length + dims.length] ?? -1) : n)) : shape;
  return expandNode(node, shapeOf(sizes, 'expand'), 'expand');
}

/** The same on nodes. */
function expandNode(node: Node, target: Shape, op: string): Tensor {
  const { dims } = node.shape;
  const added = target.rank - dims.length;
  if (added < 0 || dims.some((size, i) => size !== 1 && size !== target.dims[i + added])) {
    throw new ShapeError({
      op,
      expected: `a shape that ${showDims(dims)} broadcasts to`,
      got: showDims(target.dims),
      fix: 'only axes of size 1 can be repeated; use reshape or unsqueeze to line them up.',
    });
  }
  return recordView(EXPAND, node, target, NO_ATTRIBUTE) ?? internalError('a broadcast needs no copy');
}

/** What a reduction's attribute holds. */
interface ReduceAttribute {
  /** Ascending. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** The lowering of reductions with a {@link ReduceAttribute}. */
export function reduceLowering(fold: Extract<Lowering, { kind: 'reduce' }>['fold']): Lowering {
  return { kind: 'reduce', fold, axes: (site: OpSite) => attributeValue<ReduceAttribute>(site).axes };
}

/** Shape and attribute of a reduction. */
export interface Reduction {
  readonly shape: Shape;
  readonly attribute: Attribute;
}

/** By shape and a number for axes and keepDims: the same reductions come again in every step. */
const reductions = new WeakMap<Shape, Map<number, Reduction>>();

/** Shape and attribute of a reduction. @throws AxisError, ArgumentError */
export function reduction(op: string, shape: Shape, options: ReduceOptions): Reduction {
  requireOptions(op, options, '{ axis: 1 }');
  const axes = normalizeAxes(op, options.axis, shape.rank);
  const keepDims = options.keepDims ?? false;
  const key = axes.reduce((bits, axis) => bits | (2 << axis), keepDims ? 1 : 0);
  const known = reductions.get(shape) ?? new Map<number, Reduction>();
  let found = known.get(key);
  if (found === undefined) {
    const dims = keepDims ? shape.dims.map((size, i) => (axes.includes(i) ? 1 : size)) : shape.dims.filter((_, i) => !axes.includes(i));
    found = { shape: shapeOf(dims), attribute: intern(`reduce:${axes.join()}:${keepDims}`, { axes, keepDims } satisfies ReduceAttribute) };
    reductions.set(shape, known.set(key, found));
  }
  return found;
}

/** A reduced tensor with its axes back, as size 1, and broadcast to `dims`. */
export function restore(reduced: Tensor, attribute: unknown, dims: Dims): Tensor {
  const { axes, keepDims } = attribute as ReduceAttribute;
  const kept = keepDims
    ? reduced
    : reshape(
        reduced,
        dims.map((size, i) => (axes.includes(i) ? 1 : size)),
      );
  return expand(kept, dims);
}

const sumGradient: GradientRule = (g, { dims: [from = []], attribute }) => [restore(g, attribute, from)];

const SUM: OpRow = /* @__PURE__ */ row({ name: 'sum', lowering: /* @__PURE__ */ reduceLowering('sum'), gradient: sumGradient });

/** Sum over `axis` (all axes by default). Integers and bool add up as int32. @throws AxisError */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const node = nodeOf(x, 'sum');
  const { shape, attribute } = reduction('sum', node.shape, options);
  const wide = node.dtype === 'bool' || (isInteger(node.dtype) && node.dtype !== 'uint32') ? castNode(node, 'int32') : node;
  return record(SUM, [wide], shape, wide.dtype, attribute);
}

/** Sums a gradient over the axes that broadcasting to its shape has repeated. */
export function sumTo(g: Tensor, shape: Dims): Tensor {
  const from = nodeOf(g, 'sum').shape.dims;
  if (from === shape || (from.length === shape.length && from.every((size, i) => size === shape[i]))) return g;
  const added = from.length - shape.length;
  const axis = from.flatMap((size, i) => (i < added || (shape[i - added] === 1 && size !== 1) ? [i] : []));
  return reshape(sum(g, { axis }), shape);
}
