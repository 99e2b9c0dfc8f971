/** Reshaping: the same elements in row-major order, under other sizes. What has them already comes back as it is: see `own-handles.ts`. */

import { ShapeError } from '../errors.ts';
import { NO_ATTRIBUTE } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { recordView } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { internalError } from '../internal.ts';
import { reshapeView } from '../lowering/view.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { normalizeAxes, normalizeAxis, requireOptions } from './arguments.ts';
import type { Axes } from './arguments.ts';
import { copy } from './convert.ts';

const RESHAPE: OpRow = /* @__PURE__ */ row({
  name: 'reshape',
  lowering: {
    kind: 'view',
    apply: (view, { dims }) => reshapeView(view, dims),
    invert: (view, { inputs: [x] }) => (x === undefined ? null : reshapeView(view, x.dims)),
  },
  gradient: (g, { dims: [from = []] }) => [reshape(g, from)],
});

/** `x` with other sizes and as many elements; one size may be -1 and is computed. A view where strides allow it. @throws ShapeError */
export function reshape(x: Tensor, shape: Dims): Tensor {
  const node = nodeOf(x, 'reshape');
  const target = shapeOf(resolveSizes(shape, node.shape.size, node.shape.dims), 'reshape');
  if (target === node.shape) return x;
  const view = recordView(RESHAPE, node, target, NO_ATTRIBUTE) ?? recordView(RESHAPE, nodeOf(copy(x), 'reshape'), target, NO_ATTRIBUTE);
  return view ?? internalError('a dense copy has any shape');
}

function resolveSizes(shape: Dims, size: number, from: Dims): Dims {
  if (!Array.isArray(shape)) return shapeOf(shape, 'reshape').dims;
  const open = shape.filter((n) => n === -1).length;
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const inferred = open === 1 && known !== 0 ? size / known : NaN;
  const resolved = open === 1 ? shape.map((n) => (n === -1 ? inferred : n)) : shape;
  if (open > 1 || (open === 1 && !Number.isInteger(inferred)) || (open === 0 && known !== size)) {
    throw new ShapeError({ op: 'reshape', expected: `sizes with ${size} elements, as ${showDims(from)} has (at most one -1)`, got: showDims(shape) });
  }
  return resolved;
}

/** All axes from `start` to `end` (both included, default all) as one. @throws AxisError */
export function flatten(x: Tensor, options: { readonly start?: number; readonly end?: number } = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'flatten').shape;
  requireOptions('flatten', options, '{ start: 1 }');
  if (rank === 0) return reshape(x, [1]);
  const start = normalizeAxis('flatten', options.start ?? 0, rank);
  const end = normalizeAxis('flatten', options.end ?? -1, rank);
  const merged = dims.slice(start, end + 1).reduce((product, n) => product * n, 1);
  return reshape(x, [...dims.slice(0, start), merged, ...dims.slice(end + 1)]);
}

/** Drops axes of size 1: those given, or all of them. @throws ShapeError when a given axis has another size */
export function squeeze(x: Tensor, options: { readonly axis?: Axes } = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'squeeze').shape;
  requireOptions('squeeze', options, '{ axis: 0 }');
  const axes = options.axis === undefined ? dims.flatMap((size, i) => (size === 1 ? [i] : [])) : normalizeAxes('squeeze', options.axis, rank);
  const wrong = axes.find((axis) => dims[axis] !== 1);
  if (wrong !== undefined) throw new ShapeError({ op: 'squeeze', expected: `size 1 at axis ${wrong}`, got: showDims(dims) });
  return reshape(
    x,
    dims.filter((_, i) => !axes.includes(i)),
  );
}

/** Inserts an axis of size 1 at `axis` of the result. @throws AxisError */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const { dims, rank } = nodeOf(x, 'unsqueeze').shape;
  const at = normalizeAxis('unsqueeze', axis, rank + 1);
  return reshape(x, [...dims.slice(0, at), 1, ...dims.slice(at)]);
}
