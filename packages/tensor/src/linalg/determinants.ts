/**
 * Determinants of matrices `[..., n, n]`, batched over the axes in front.
 *
 * The gradient of a determinant is the matrix of cofactors: det(A)·A⁻ᵀ, and signed minors where A has no inverse. Minors are determinants,
 * so that form differentiates again.
 */

import { tensor } from '../creation.ts';
import { withGradients } from '../graph/record.ts';
import { mul } from '../ops/arithmetic.ts';
import { toDType } from '../ops/convert.ts';
import { indexSelect } from '../ops/indexing.ts';
import { permute, transpose } from '../ops/movement.ts';
import { unsqueeze } from '../ops/reshape.ts';
import { dataSync } from '../read.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { hostOp, squareSizes } from './host.ts';
import { lu } from './numeric/triangular.ts';
import { inverse } from './solve.ts';

/**
 * The determinant of `[..., n, n]`: `[...]`. Singular matrices have a gradient too: there it is made of minors, n² determinants.
 *
 * @throws ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function
 */
export function det(a: Tensor): Tensor {
  const { n } = squareSizes('det', a);
  return hostOp({
    op: 'det',
    inputs: [a],
    result: [],
    calculate: ([matrix = new Float64Array()], result) => {
      let product: number = lu(matrix, n).sign;
      for (let i = 0; i < n; i++) product *= matrix[i * n + i] ?? 1;
      result[0] = product;
    },
    gradient: (g, [whole], d) => [determinantGradient(g, whole as Tensor, d)],
  });
}

/** What {@link slogdet} gives. */
export interface SignAndLogarithm {
  /** -1, 0 or 1; without gradient. */
  readonly sign: Tensor;
  /** The logarithm of the determinant's magnitude: -∞ for a singular matrix. */
  readonly logAbsDet: Tensor;
}

/**
 * Sign and logarithm of the determinant of `[..., n, n]`, each `[...]`: in range where the determinant is not.
 *
 * @throws ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function; the gradient: LinearAlgebraError for a singular matrix
 */
export function slogdet(a: Tensor): SignAndLogarithm {
  const { n } = squareSizes('slogdet', a);
  const signOf = (matrix: Float64Array): number => {
    let { sign }: { sign: number } = lu(matrix, n);
    for (let i = 0; i < n; i++) sign *= Math.sign(matrix[i * n + i] ?? 1);
    return sign;
  };
  const sign = hostOp({
    op: 'slogdet',
    inputs: [a],
    result: [],
    calculate: ([matrix = new Float64Array()], result) => {
      result[0] = signOf(matrix);
    },
    gradient: null,
  });
  const logAbsDet = hostOp({
    op: 'slogdet',
    inputs: [a],
    result: [],
    calculate: ([matrix = new Float64Array()], result) => {
      lu(matrix, n);
      let total = 0;
      for (let i = 0; i < n; i++) total += Math.log(Math.abs(matrix[i * n + i] ?? 1));
      result[0] = total;
    },
    gradient: (g, [whole]) => [mul(unsqueeze(unsqueeze(g, -1), -1), transpose(inverse(whole as Tensor)))],
  });
  return { sign, logAbsDet };
}

function determinantGradient(g: Tensor, a: Tensor, determinant: Tensor): Tensor {
  const share = unsqueeze(unsqueeze(g, -1), -1);
  const singular = withGradients(false, () => dataSync(determinant)).includes(0);
  if (singular) return mul(share, cofactors(a));
  return mul(mul(share, unsqueeze(unsqueeze(determinant, -1), -1)), transpose(inverse(a)));
}

/** Signed determinants of `a` without row i and column j, at `[..., i, j]`. */
function cofactors(a: Tensor): Tensor {
  const { n, batch } = squareSizes('det', a);
  const { dtype, runtime } = nodeOf(a, 'det');
  const device = runtime.backend;
  const others = Int32Array.from({ length: n * (n - 1) }, (_, k) => {
    const left = Math.floor(k / (n - 1));
    const place = k % (n - 1);
    return place < left ? place : place + 1;
  });
  const index = tensor(others, { shape: [n, n - 1], device });
  const rank = batch.length;
  // [..., i, rows, j, columns]
  const parts = indexSelect(indexSelect(a, index, { axis: rank }), index, { axis: rank + 2 });
  const minors = det(permute(parts, [...batch.map((_, axis) => axis), rank, rank + 2, rank + 1, rank + 3]));
  const signs = tensor(
    Int32Array.from({ length: n * n }, (_, k) => ((Math.floor(k / n) + (k % n)) % 2 === 0 ? 1 : -1)),
    { shape: [n, n], device },
  );
  return mul(minors, toDType(signs, dtype));
}
