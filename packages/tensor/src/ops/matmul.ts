/** The matrix product. */

import { DTypeError, ShapeError } from '../errors.ts';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { broadcastShapes, shapeOf, showDims } from '../graph/shape.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { promoted } from './arguments.ts';
import { sumTo } from './expand.ts';
import { transpose } from './movement.ts';
import { flatten, reshape, unsqueeze } from './reshape.ts';

/** `[...batch, M, K] · [...batch, K, N]`; batches broadcast. */
const MATMUL: OpRow = /* @__PURE__ */ row({
  name: 'matmul',
  lowering: { kind: 'contract' },
  residuals: 'inputs',
  gradient: (g, { inputs, dims, needs }) => {
    const [a, b] = inputs as readonly [Tensor, Tensor];
    return [needs(0) ? sumTo(matmul(g, transpose(b)), dims[0] ?? []) : null, needs(1) ? sumTo(matmul(transpose(a), g), dims[1] ?? []) : null];
  },
});

/**
 * Matrix product of the last two axes; the axes before them broadcast. A vector stands for a row on the left, a column on the right, and the
 * result has no axis for it: that of two vectors is one number.
 *
 * @param a `[..., M, K]` or `[K]`
 * @param b `[..., K, N]` or `[K]`
 * @throws ShapeError, DTypeError
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const x = nodeOf(a, 'matmul').shape;
  const y = nodeOf(b, 'matmul').shape;
  if (x.rank === 0 || y.rank === 0) throw mismatch(x.dims, y.dims);
  if (x.rank === 1) return squeezeAt(matmul(unsqueeze(a, 0), b), y.rank === 1 ? -1 : -2);
  if (y.rank === 1) return squeezeAt(matmul(a, unsqueeze(b, 1)), -1);
  const inner = x.dims.at(-1);
  if (inner !== y.dims.at(-2)) throw mismatch(x.dims, y.dims);
  const n = y.dims.at(-1) ?? 0;
  // One large product instead of a batch of small ones; the weight's gradient then needs no sum over the batch.
  if (x.rank > 2 && y.rank === 2) return reshape(matmul(flatten(a, { end: -2 }), b), [...x.dims.slice(0, -1), n]);
  const [left, right] = promoted('matmul', a, b);
  if (left.dtype === 'bool') throw new DTypeError({ op: 'matmul', expected: 'numbers', got: 'bool', fix: "cast with toDType('float32')." });
  const batch = broadcastShapes('matmul', shapeOf(x.dims.slice(0, -2)), shapeOf(y.dims.slice(0, -2)));
  return record(MATMUL, [left, right], shapeOf([...batch.dims, x.dims.at(-2) ?? 0, n]), left.dtype);
}

function squeezeAt(t: Tensor, axis: number): Tensor {
  const { shape } = t;
  const at = shape.length + axis;
  return reshape(
    t,
    shape.filter((_, i) => i !== at),
  );
}

function mismatch(a: readonly number[], b: readonly number[]): ShapeError {
  return new ShapeError({
    op: 'matmul',
    expected: '[..., M, K] and [..., K, N] with equal K',
    got: `${showDims(a)} and ${showDims(b)}`,
    ...(a.length > 1 && a.at(-1) === b.at(-1) && { fix: 'transpose the second operand.' }),
  });
}
