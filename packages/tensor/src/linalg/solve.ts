/** Linear systems and inverses of matrices `[..., n, n]`, batched over the axes in front. */

import { ShapeError } from '../errors.ts';
import { promote } from '../graph/promotion.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { neg } from '../ops/arithmetic.ts';
import { requireOptions } from '../ops/arguments.ts';
import { toDType } from '../ops/convert.ts';
import { matmul } from '../ops/matmul.ts';
import { transpose } from '../ops/movement.ts';
import { reshape, unsqueeze } from '../ops/reshape.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { hostOp, sameBatch, squareSizes } from './host.ts';
import { lu, substitute } from './numeric/triangular.ts';
import type { Pivots } from './numeric/triangular.ts';
import { lowerPart, upperPart } from './structure.ts';

/** Both in the dtype they promote to. @throws DTypeError */
export function promotedPair(op: string, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  const dtype = promote(op, nodeOf(a, op).dtype, nodeOf(b, op).dtype);
  return [toDType(a, dtype), toDType(b, dtype)];
}

/** @throws ShapeError */
export function requireRows(op: string, rows: number, b: Tensor): void {
  const { dims } = nodeOf(b, op).shape;
  if (dims.length >= 2 && dims.at(-2) === rows) return;
  throw new ShapeError({ op, expected: `a right side [..., ${rows}, k]`, got: showDims(dims) });
}

function invertible(matrix: Float64Array, n: number, fail: (expected: string, got: string) => never): Pivots {
  const pivots = lu(matrix, n);
  return pivots.singular < 0 ? pivots : fail('an invertible matrix', `a singular one (pivot ${pivots.singular + 1} is 0)`);
}

/** Rows of `b` `[n, columns]` in the order of the pivots. */
function ordered(b: Float64Array, { order }: Pivots, columns: number): Float64Array {
  const sorted = new Float64Array(b.length);
  order.forEach((from, to) => sorted.set(b.subarray(from * columns, (from + 1) * columns), to * columns));
  return sorted;
}

function solveMatrices(a: Tensor, b: Tensor): Tensor {
  const { n } = squareSizes('solve', a);
  const columns = nodeOf(b, 'solve').shape.dims.at(-1) ?? 0;
  return hostOp({
    op: 'solve',
    inputs: sameBatch('solve', a, b),
    result: [n, columns],
    calculate: ([matrix = new Float64Array(), right = new Float64Array()], result, fail) => {
      const pivots = invertible(matrix, n, fail);
      result.set(ordered(right, pivots, columns));
      substitute(matrix, result, n, columns, false, true);
      substitute(matrix, result, n, columns, true, false);
    },
    gradient: (g, [wide], x) => {
      // Gb = A⁻ᵀ·G, Ga = -Gb·Xᵀ (Giles 2008).
      const gb = solveMatrices(transpose(wide as Tensor), g);
      return [neg(matmul(gb, transpose(x))), gb];
    },
  });
}

/**
 * X with A·X = B, by LU decomposition with row exchanges; batches broadcast.
 *
 * @param a `[..., n, n]`
 * @param b `[..., n, k]`; or a vector for each matrix: `[n]`, or shaped like `a` without its last axis
 * @returns shaped like b, with the batch of both
 * @throws LinearAlgebraError for a singular matrix; ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  const { n, batch } = squareSizes('solve', a);
  const right = nodeOf(b, 'solve').shape.dims;
  const vector = right.length === 1 || (right.length === batch.length + 1 && right.every((size, i) => size === [...batch, n][i]));
  return compose(() => {
    const [left, given] = promotedPair('solve', a, b);
    const columns = vector ? unsqueeze(given, -1) : given;
    requireRows('solve', n, columns);
    const x = solveMatrices(left, columns);
    return vector ? reshape(x, nodeOf(x, 'solve').shape.dims.slice(0, -1)) : x;
  });
}

/** Options of {@link triangularSolve}. */
export interface TriangularSolveOptions {
  /** Which half of A is read: the upper or the lower. */
  readonly upper: boolean;
  /** Take the diagonal as ones, whatever is there. Default false. */
  readonly unitriangular?: boolean;
}

/**
 * X with T·X = B, where T is a half of `a`; batches broadcast. A 0 on the diagonal divides as numbers do, as in PyTorch.
 *
 * @param a `[..., n, n]`
 * @param b `[..., n, k]`
 * @throws ShapeError, DTypeError, ArgumentError, SynchronousReadError; TraceError in a compiled function
 */
export function triangularSolve(a: Tensor, b: Tensor, options: TriangularSolveOptions): Tensor {
  const { n } = squareSizes('triangularSolve', a);
  requireOptions('triangularSolve', options, '{ upper: true }');
  requireRows('triangularSolve', n, b);
  const { upper, unitriangular = false } = options;
  const columns = nodeOf(b, 'triangularSolve').shape.dims.at(-1) ?? 0;
  return compose(() =>
    hostOp({
      op: 'triangularSolve',
      inputs: sameBatch('triangularSolve', ...promotedPair('triangularSolve', a, b)),
      result: [n, columns],
      calculate: ([matrix = new Float64Array(), right = new Float64Array()], result) => {
        result.set(right);
        substitute(matrix, result, n, columns, upper, unitriangular);
      },
      gradient: (g, [wide], x) => {
        const gb = triangularSolve(transpose(wide as Tensor), g, { upper: !upper, unitriangular });
        const whole = neg(matmul(gb, transpose(x)));
        const inner = unitriangular ? 1 : 0;
        return [upper ? upperPart(whole, inner) : lowerPart(whole, -inner), gb];
      },
    }),
  );
}

/** A⁻¹ of `[..., n, n]`. @throws LinearAlgebraError for a singular matrix; ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function */
export function inverse(a: Tensor): Tensor {
  const { n } = squareSizes('inverse', a);
  return hostOp({
    op: 'inverse',
    inputs: [a],
    result: [n, n],
    calculate: ([matrix = new Float64Array()], result, fail) => {
      const pivots = invertible(matrix, n, fail);
      pivots.order.forEach((from, to) => {
        result[to * n + from] = 1;
      });
      substitute(matrix, result, n, n, false, true);
      substitute(matrix, result, n, n, true, false);
    },
    gradient: (g, _, x) => {
      const xt = transpose(x);
      return [neg(matmul(matmul(xt, g), xt))];
    },
  });
}
