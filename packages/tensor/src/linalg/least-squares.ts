/** What singular values say of a matrix: its rank, its pseudo-inverse and least-squares solutions. */

import { withRule } from '../define-op.ts';
import { withGradients } from '../graph/record.ts';
import { compose } from '../memory/scope.ts';
import { add, div, greater, mul, neg, sub, where } from '../ops/arithmetic.ts';
import { requireOptions } from '../ops/arguments.ts';
import { detach } from '../ops/convert.ts';
import { sum } from '../ops/expand.ts';
import { matmul } from '../ops/matmul.ts';
import { slice, transpose } from '../ops/movement.ts';
import { reshape, unsqueeze } from '../ops/reshape.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { svd, svdvals } from './decompositions.ts';
import { matrixSizes } from './host.ts';
import { promotedPair, requireRows } from './solve.ts';
import { scaleColumns } from './structure.ts';

/** Options of {@link pinv}, {@link lstsq} and {@link matrixRank}. */
export interface RankOptions {
  /** Singular values up to this share of the largest count as 0. Default max(m, n)·ε of the dtype. */
  readonly relativeTolerance?: number;
}

/** Distance of 1 to the next larger number. */
const EPSILON: Readonly<Record<string, number>> = { float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -10, bfloat16: 2 ** -7 };

function toleranceOf(op: string, a: Tensor, options: RankOptions): number {
  requireOptions(op, options, '{ relativeTolerance: 1e-6 }');
  const { m, n } = matrixSizes(op, a);
  return options.relativeTolerance ?? Math.max(m, n) * (EPSILON[nodeOf(a, op).dtype] ?? 2 ** -23);
}

/** Which singular values `[..., k]`, descending, count: bool. */
function counted(values: Tensor, tolerance: number): Tensor {
  const { dims } = nodeOf(values, 'linalg').shape;
  const largest = slice(values, [...dims.slice(0, -1).map(() => null), { start: 0, end: 1 }]);
  return greater(values, mul(largest, tolerance));
}

/**
 * How many singular values of `[..., m, n]` are not 0, as int32 `[...]`; without gradient.
 *
 * @throws as pinv
 */
export function matrixRank(a: Tensor, options: RankOptions = {}): Tensor {
  const tolerance = toleranceOf('matrixRank', a, options);
  return compose(() => {
    const values = svdvals(detach(a));
    return sum(nodeOf(values, 'matrixRank').shape.dims.at(-1) === 0 ? greater(values, 0) : counted(values, tolerance), { axis: -1 });
  });
}

/**
 * The pseudo-inverse (Moore, Penrose) of `[..., m, n]`: `[..., n, m]`, by singular values. Its gradient takes the rank as constant and
 * needs no differences of singular values (Golub & Pereyra 1973).
 *
 * @throws LinearAlgebraError for NaN or ∞; ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function
 */
export function pinv(a: Tensor, options: RankOptions = {}): Tensor {
  const tolerance = toleranceOf('pinv', a, options);
  const { m, n } = matrixSizes('pinv', a);
  if (m === 0 || n === 0) return transpose(a);
  return compose(() => {
    const value = withGradients(false, () => {
      const { u, singularValues, vt } = svd(a);
      const nonzero = counted(singularValues, tolerance);
      const reciprocals = where(nonzero, div(1, where(nonzero, singularValues, 1)), 0);
      return matmul(scaleColumns(transpose(vt), reciprocals), transpose(u));
    });
    return withRule(value, [a], (g, [whole], p) => {
      const x = whole as Tensor;
      const pt = transpose(p);
      const gt = transpose(g);
      const rows = sub(gt, matmul(x, matmul(p, gt)));
      const columns = sub(gt, matmul(matmul(gt, p), x));
      const inner = neg(matmul(matmul(pt, g), pt));
      return [add(inner, add(matmul(matmul(rows, p), pt), matmul(matmul(pt, p), columns)))];
    });
  });
}

/**
 * The X that makes ‖A·X - B‖ least, and of those the shortest: `pinv(A)·B`. Batches broadcast.
 *
 * @param a `[..., m, n]`, of any rank
 * @param b `[..., m, k]`, or `[m]`
 * @returns `[..., n, k]`, or `[..., n]`
 * @throws as pinv
 */
export function lstsq(a: Tensor, b: Tensor, options: RankOptions = {}): Tensor {
  const { m } = matrixSizes('lstsq', a);
  return compose(() => {
    const [left, given] = promotedPair('lstsq', a, b);
    const vector = nodeOf(given, 'lstsq').shape.rank === 1;
    const right = vector ? unsqueeze(given, -1) : given;
    requireRows('lstsq', m, right);
    const x = matmul(pinv(left, options), right);
    return vector ? reshape(x, nodeOf(x, 'lstsq').shape.dims.slice(0, -1)) : x;
  });
}
