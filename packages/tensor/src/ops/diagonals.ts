/** Diagonals and triangles of matrices: the last two axes, or any two. */

import { ArgumentError, AxisError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { fullLike, recordView } from '../graph/record.ts';
import { SCALAR_SHAPE, shapeOf, showDims } from '../graph/shape.ts';
import { internalError } from '../internal.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { equal, greaterEqual, less, sub, where } from './arithmetic.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { sum } from './expand.ts';
import { pad, permute } from './movement.ts';
import { positionsAlong } from './positions.ts';
import { unsqueeze } from './reshape.ts';

/** Which diagonal: `offset` above (or, negative, below) the main one, of the matrices in axes `first` (rows) and `second` (columns). */
interface Diagonal {
  readonly first: number;
  readonly second: number;
  readonly offset: number;
}

/** Row and column where a diagonal begins. */
const startOf = (offset: number): readonly [number, number] => [Math.max(0, -offset), Math.max(0, offset)];

/** The two axes become one, the last, that walks down both at once. */
const DIAGONAL: OpRow = /* @__PURE__ */ row({
  name: 'diagonal',
  lowering: {
    kind: 'view',
    apply: (view, { dims, attribute }) => {
      const { first, second, offset } = attribute as Diagonal;
      const [down = 0, across = 0] = [view.strides[first], view.strides[second]];
      const [top, left] = startOf(offset);
      const rest = view.strides.filter((_, axis) => axis !== first && axis !== second);
      return { dims, strides: [...rest, down + across], offset: view.offset + top * down + left * across };
    },
  },
  gradient: (g, context) => [spread(g, context.dims[0] ?? [], attributeValue<Diagonal>(context))],
});

/** 0 of these sizes, but for the diagonal, which is the last axis of `g`. */
function spread(g: Tensor, dims: Dims, { first, second, offset }: Diagonal): Tensor {
  const { rank, dims: own } = nodeOf(g, 'diagonal').shape;
  const rows = dims[first] ?? 0;
  const [top] = startOf(offset);
  const length = own.at(-1) ?? 0;
  const widths = own.map((_, axis): [number, number] => (axis === rank - 1 ? [top, Math.max(0, rows - top - length)] : [0, 0]));
  // [..., rows, 1] against the columns: one map, which reads each element of g where it belongs.
  const lines = rows === length ? g : pad(g, widths);
  const rest = dims.flatMap((_, axis) => (axis === first || axis === second ? [] : [axis]));
  const from = [...rest, first, second];
  const wide = permute(
    unsqueeze(lines, -1),
    dims.map((_, axis) => from.indexOf(axis)),
  );
  return where(equal(distanceAcross(dims, g, first, second), offset), wide, zeroOf(g));
}

/** 0 in the dtype of `like`: beside it, a plain 0 would make int32 of bool. */
const zeroOf = (like: Tensor): Tensor => fullLike(nodeOf(like, 'zero'), 0, SCALAR_SHAPE);

/** Column minus row, int32; of size 1 along all other axes. */
function distanceAcross(dims: Dims, like: Tensor, first: number, second: number): Tensor {
  return sub(positionsAlong(like, second, dims), positionsAlong(like, first, dims));
}

/** Options of {@link diagonal} and {@link trace}. */
export interface DiagonalOptions {
  /** Above the main diagonal, or, negative, below it. Default 0. */
  readonly offset?: number;
  /** Rows and columns. Default the first two axes, as in PyTorch. */
  readonly axis?: readonly [number, number];
}

function requireOffset(op: string, offset: number): void {
  if (!Number.isInteger(offset)) throw new ArgumentError({ op, expected: 'a whole offset', got: showValue(offset) });
}

/** Two different axes. @throws AxisError */
function twoAxes(op: string, [a, b]: readonly [number, number], rank: number): readonly [number, number] {
  const first = normalizeAxis(op, a, rank);
  const second = normalizeAxis(op, b, rank);
  if (first === second) throw new AxisError({ op, expected: 'two different axes', got: `${a} and ${b}` });
  return [first, second];
}

/** A diagonal of the matrices in two axes, as a new last axis; empty where the offset leads outside. A view. @throws AxisError, ArgumentError */
export function diagonal(x: Tensor, options: DiagonalOptions = {}): Tensor {
  const node = nodeOf(x, 'diagonal');
  requireOptions('diagonal', options, '{ offset: 1 }');
  const { offset = 0 } = options;
  requireOffset('diagonal', offset);
  const { dims, rank } = node.shape;
  const [first, second] = twoAxes('diagonal', options.axis ?? [0, 1], rank);
  const [top, left] = startOf(offset);
  const length = Math.max(0, Math.min((dims[first] ?? 0) - top, (dims[second] ?? 0) - left));
  const shape = shapeOf([...dims.filter((_, axis) => axis !== first && axis !== second), length]);
  // An empty one begins nowhere: not outside the memory.
  const attribute = { first, second, offset: length === 0 ? 0 : offset } satisfies Diagonal;
  const view = recordView(DIAGONAL, node, shape, intern(`diagonal:${first}:${second}:${attribute.offset}`, attribute));
  return view ?? internalError('strides always say this');
}

/** The sum of the main diagonal of a matrix, or of those in two axes. Integers add up as int32. @throws AxisError, ArgumentError */
export function trace(x: Tensor, options: DiagonalOptions = {}): Tensor {
  requireOptions('trace', options, '{ offset: 1 }');
  return compose(() => sum(diagonal(x, options), { axis: -1 }));
}

/** Options of {@link diagEmbed}. */
export interface DiagEmbedOptions {
  /** Above the main diagonal, or, negative, below it. Default 0. */
  readonly offset?: number;
  /** Rows and columns in the result. Default its last two axes. */
  readonly axis?: readonly [number, number];
}

/** Square matrices with the last axis of `x` on a diagonal and 0 elsewhere. @throws AxisError, ArgumentError */
export function diagEmbed(x: Tensor, options: DiagEmbedOptions = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'diagEmbed').shape;
  requireOptions('diagEmbed', options, '{ offset: 1 }');
  const { offset = 0 } = options;
  requireOffset('diagEmbed', offset);
  if (rank === 0) throw new ShapeError({ op: 'diagEmbed', expected: 'at least one axis', got: showDims(dims), fix: 'reshape it to [1].' });
  const [first, second] = twoAxes('diagEmbed', options.axis ?? [-2, -1], rank + 1);
  const size = (dims.at(-1) ?? 0) + Math.abs(offset);
  let next = 0;
  const target = Array.from({ length: rank + 1 }, (_, axis) => (axis === first || axis === second ? size : (dims[next++] ?? 1)));
  return compose(() => spread(x, target, { first, second, offset }));
}

/** A matrix with the vector `x` on a diagonal; of a matrix, its diagonal. @throws ShapeError unless rank 1 or 2, ArgumentError */
export function diag(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'diag').shape;
  requireOptions('diag', options, '{ offset: 1 }');
  if (rank !== 1 && rank !== 2)
    throw new ShapeError({ op: 'diag', expected: 'a vector or a matrix', got: showDims(dims), fix: 'use diagonal or diagEmbed for batches.' });
  const { offset = 0 } = options;
  return rank === 1 ? diagEmbed(x, { offset }) : diagonal(x, { offset });
}

/** One triangle of the matrices in the last two axes; where `keep` is false, 0. */
function triangle(op: string, x: Tensor, options: { readonly offset?: number }, keep: (across: Tensor, offset: number) => Tensor): Tensor {
  const { dims, rank } = nodeOf(x, op).shape;
  requireOptions(op, options, '{ offset: 1 }');
  const { offset = 0 } = options;
  requireOffset(op, offset);
  if (rank < 2) throw new ShapeError({ op, expected: 'at least two axes', got: showDims(dims) });
  return compose(() => where(keep(distanceAcross(dims, x, rank - 2, rank - 1), offset), x, zeroOf(x)));
}

/** The matrices in the last two axes with 0 below the diagonal `offset` (default 0) above the main one. @throws ShapeError, ArgumentError */
export function triu(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  return triangle('triu', x, options, greaterEqual);
}

/** The matrices in the last two axes with 0 above the diagonal `offset` (default 0) above the main one. @throws ShapeError, ArgumentError */
export function tril(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  return triangle('tril', x, options, (across, offset) => less(across, offset + 1));
}
