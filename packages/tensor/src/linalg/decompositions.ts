/**
 * Decompositions of matrices `[..., m, n]`, batched over the axes in front.
 *
 * A decomposition with several factors is one value, the factors one behind the other, and the factors are slices of it: so gradients
 * that come from several of them meet in one rule, and the rule, written in slices of its own output, differentiates again.
 */

import { compose } from '../memory/scope.ts';
import { add, div, equal, mul, sub, where } from '../ops/arithmetic.ts';
import { matmul } from '../ops/matmul.ts';
import { concatenate, slice, transpose } from '../ops/movement.ts';
import { reshape, unsqueeze } from '../ops/reshape.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { hostOp, matrixSizes, squareSizes } from './host.ts';
import { symmetricEigen } from './numeric/eigen.ts';
import { qr as householder } from './numeric/reflections.ts';
import { singularValues } from './numeric/singular.ts';
import { cholesky as factorize } from './numeric/triangular.ts';
import { triangularSolve } from './solve.ts';
import { diagonalMatrix, lowerPart, scaleColumns, symmetricPart } from './structure.ts';

const FINITE = 'a matrix of finite numbers';
const NOT_FINITE = 'NaN or ∞';

/** Parts of `packed` `[..., total]`, of these shapes. */
function unpack(packed: Tensor, shapes: readonly Dims[]): Tensor[] {
  const batch = nodeOf(packed, 'linalg').shape.dims.slice(0, -1);
  let at = 0;
  return shapes.map((dims) => {
    const start = at;
    at += dims.reduce((n, size) => n * size, 1);
    return reshape(slice(packed, [...batch.map(() => null), { start, end: at }]), [...batch, ...dims]);
  });
}

/** 1 / x; 0 where x is 0. */
function inverseOrZero(x: Tensor): Tensor {
  const isZero = equal(x, 0);
  return where(isZero, 0, div(1, where(isZero, 1, x)));
}

/**
 * The lower triangular L with A = L·Lᵀ, of symmetric positive definite matrices `[..., n, n]`. Only the lower half of `a` is read; the
 * gradient is symmetric, as PyTorch's (Murray, "Differentiation of the Cholesky decomposition", 2016).
 *
 * @throws LinearAlgebraError where a matrix is not positive definite; ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function
 */
export function cholesky(a: Tensor): Tensor {
  const { n } = squareSizes('cholesky', a);
  return hostOp({
    op: 'cholesky',
    inputs: [a],
    result: [n, n],
    calculate: ([matrix = new Float64Array()], result, fail) => {
      const row = factorize(matrix, n);
      if (row >= 0) fail('a positive definite matrix', `one whose leading minor of order ${row + 1} is not`);
      result.set(matrix);
    },
    gradient: (g, _, l) => {
      // S = L⁻ᵀ·Φ(Lᵀ·G)·L⁻¹, where Φ takes the lower half and half of the diagonal.
      const product = matmul(transpose(l), lowerPart(g));
      const phi = mul(add(lowerPart(product), lowerPart(product, -1)), 0.5);
      const left = triangularSolve(transpose(l), phi, { upper: true });
      const both = transpose(triangularSolve(transpose(l), transpose(left), { upper: true }));
      return [symmetricPart(both)];
    },
  });
}

/** What {@link qr} gives. */
export interface QR {
  /** Orthonormal columns, `[..., m, k]`, k = min(m, n). */
  readonly q: Tensor;
  /** Upper triangular, `[..., k, n]`. Signs of its diagonal are as Householder's reflections leave them, as in LAPACK. */
  readonly r: Tensor;
}

/**
 * A = Q·R, reduced. Gradients need independent leading columns (Walter & Lehmann 2012; for wide matrices Roberts & Roberts 2020).
 *
 * @throws ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function; gradients: LinearAlgebraError for dependent columns
 */
export function qr(a: Tensor): QR {
  const { m, n, batch } = matrixSizes('qr', a);
  if (m >= n) return compose(() => tall(a, m, n));
  return compose(() => {
    // The leading square decides Q; the columns behind it are only turned.
    const whole = batch.map(() => null);
    const { q, r } = tall(slice(a, [...whole, null, { end: m }]), m, m);
    const rest = matmul(transpose(q), slice(a, [...whole, null, { start: m }]));
    return { q, r: concatenate([r, rest], { axis: batch.length + 1 }) };
  });
}

function tall(a: Tensor, m: number, n: number): QR {
  const shapes = [
    [m, n],
    [n, n],
  ];
  const packed = hostOp({
    op: 'qr',
    inputs: [a],
    result: [m * n + n * n],
    calculate: ([matrix = new Float64Array()], result) => {
      const { q, r } = householder(matrix, m, n);
      result.set(q);
      result.set(r, m * n);
    },
    gradient: (g, _, output) => {
      const [q, r] = unpack(output, shapes) as [Tensor, Tensor];
      const [gq, gr] = unpack(g, shapes) as [Tensor, Tensor];
      // (Gq + Q·sym(M))·R⁻ᵀ with M = R·Grᵀ - Gqᵀ·Q, where sym copies the lower half to the upper.
      const product = sub(matmul(r, transpose(gr)), matmul(transpose(gq), q));
      const symmetric = add(lowerPart(product), transpose(lowerPart(product, -1)));
      const right = add(gq, matmul(q, symmetric));
      return [transpose(triangularSolve(r, transpose(right), { upper: true }))];
    },
  });
  const [q, r] = unpack(packed, shapes) as [Tensor, Tensor];
  return { q, r };
}

/** What {@link eigh} gives. */
export interface Eigh {
  /** `[..., n]`, ascending. */
  readonly eigenvalues: Tensor;
  /** Columns, `[..., n, n]`; the element of largest magnitude of each is positive. */
  readonly eigenvectors: Tensor;
}

/** The decomposition as one value, eigenvalues first. */
function packedEigh(op: string, a: Tensor, n: number): readonly [Tensor, Tensor] {
  const shapes = [[n], [n, n]];
  const packed = hostOp({
    op,
    inputs: [a],
    result: [n + n * n],
    calculate: ([matrix = new Float64Array()], result, fail) => {
      const { values, vectors } = symmetricEigen(matrix, n) ?? fail(FINITE, NOT_FINITE);
      result.set(values);
      for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) result[n + k * n + i] = vectors[i * n + k] ?? NaN;
    },
    gradient: (g, _, output) => {
      const [values, v] = unpack(output, shapes) as [Tensor, Tensor];
      const [gValues, gv] = unpack(g, shapes) as [Tensor, Tensor];
      const vt = transpose(v);
      const weights = inverseOrZero(sub(unsqueeze(values, -2), unsqueeze(values, -1)));
      const inner = add(diagonalMatrix(gValues), mul(weights, matmul(vt, gv)));
      return [symmetricPart(matmul(matmul(v, inner), vt))];
    },
  });
  return unpack(packed, shapes) as [Tensor, Tensor];
}

/**
 * A = V·diag(λ)·Vᵀ of symmetric matrices `[..., n, n]`; only the lower half of `a` is read. The gradient is symmetric. It exists for
 * eigenvectors of different eigenvalues; between equal ones it is taken as 0, which is right wherever the loss does not depend on the
 * choice of basis, as of V·f(λ)·Vᵀ (Giles 2008).
 *
 * @throws LinearAlgebraError for NaN or ∞; ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function
 */
export function eigh(a: Tensor): Eigh {
  const { n } = squareSizes('eigh', a);
  return compose(() => {
    const [eigenvalues, eigenvectors] = packedEigh('eigh', a, n);
    return { eigenvalues, eigenvectors };
  });
}

/** The eigenvalues of {@link eigh}, ascending: `[..., n]`. @throws as eigh */
export function eigvalsh(a: Tensor): Tensor {
  const { n } = squareSizes('eigvalsh', a);
  return compose(() => packedEigh('eigvalsh', a, n)[0]);
}

/** What {@link svd} gives, k = min(m, n). */
export interface SVD {
  /** Orthonormal columns, `[..., m, k]`. */
  readonly u: Tensor;
  /** `[..., k]`, descending. */
  readonly singularValues: Tensor;
  /** Orthonormal rows, `[..., k, n]`; the element of largest magnitude of each is positive. */
  readonly vt: Tensor;
}

function packedSvd(op: string, a: Tensor): readonly [Tensor, Tensor, Tensor] {
  const { m, n } = matrixSizes(op, a);
  const k = Math.min(m, n);
  const shapes = [[m, k], [k], [k, n]];
  const packed = hostOp({
    op,
    inputs: [a],
    result: [m * k + k + k * n],
    calculate: ([matrix = new Float64Array()], result, fail) => {
      const { left, values, right } = singularValues(matrix, m, n) ?? fail(FINITE, NOT_FINITE);
      for (let i = 0; i < k; i++) for (let row = 0; row < m; row++) result[row * k + i] = left[i * m + row] ?? NaN;
      result.set(values, m * k);
      result.set(right, m * k + k);
    },
    gradient: (g, _, output) => [svdGradient(unpack(output, shapes), unpack(g, shapes), m, n)],
  });
  return unpack(packed, shapes) as [Tensor, Tensor, Tensor];
}

/** Townsend, "Differentiating the singular value decomposition", 2016. */
function svdGradient(output: readonly Tensor[], gradients: readonly Tensor[], m: number, n: number): Tensor {
  const [u, s, vt] = output as [Tensor, Tensor, Tensor];
  const [gu, gs, gvt] = gradients as [Tensor, Tensor, Tensor];
  const v = transpose(vt);
  const gv = transpose(gvt);
  const ut = transpose(u);
  const column = unsqueeze(s, -1);
  const row = unsqueeze(s, -2);
  // 1 / (sⱼ² - sᵢ²); nothing between equal values, and nothing on the diagonal.
  const weights = inverseOrZero(mul(sub(row, column), add(row, column)));
  const skew = (x: Tensor): Tensor => sub(x, transpose(x));
  const left = mul(mul(weights, skew(matmul(ut, gu))), row);
  const right = mul(mul(weights, skew(matmul(vt, gv))), column);
  const inner = add(add(left, right), diagonalMatrix(gs));
  let total = matmul(matmul(u, inner), vt);
  const inverse = inverseOrZero(s);
  if (m > n) {
    const outside = sub(gu, matmul(u, matmul(ut, gu)));
    total = add(total, matmul(scaleColumns(outside, inverse), vt));
  }
  if (n > m) {
    const outside = sub(gvt, matmul(matmul(gvt, v), vt));
    total = add(total, matmul(scaleColumns(u, inverse), outside));
  }
  return total;
}

/**
 * A = U·diag(s)·Vᵀ, reduced (PyTorch's `full_matrices=False`), of `[..., m, n]`. Vectors of equal singular values have gradient 0 between
 * them, as in {@link eigh}, and those of singular values of 0 none.
 *
 * @throws LinearAlgebraError for NaN or ∞; ShapeError, DTypeError, SynchronousReadError; TraceError in a compiled function
 */
export function svd(a: Tensor): SVD {
  return compose(() => {
    const [u, values, vt] = packedSvd('svd', a);
    return { u, singularValues: values, vt };
  });
}

/** The singular values of {@link svd}, descending: `[..., min(m, n)]`. @throws as svd */
export function svdvals(a: Tensor): Tensor {
  return compose(() => packedSvd('svdvals', a)[1]);
}
