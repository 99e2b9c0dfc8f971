/**
 * The singular value decomposition by one-sided Jacobi rotations: columns are turned in pairs until all are orthogonal; their lengths are
 * the singular values. (Hestenes 1958; Demmel & Veselić, "Jacobi's method is more accurate than QR", 1992.)
 *
 * The columns that are turned are those of Rᵀ, from a QR decomposition of the sorted columns: these are square, and almost orthogonal from
 * the start. Residual and orthogonality are a few n·ε.
 */

import { negate, signOf } from './eigen.ts';
import { qr } from './reflections.ts';
import { at } from './triangular.ts';

/** Sweeps over all pairs; six to ten are usual. */
const MAX_SWEEPS = 60;

/** A = Σ value · left · rightᵀ, values descending; vectors are *rows* of `left` `[k, m]` and `right` `[k, n]`. */
export interface Singular {
  readonly left: Float64Array;
  readonly values: Float64Array;
  readonly right: Float64Array;
}

/** Decomposes `a` `[m, n]`, k = min(m, n). Null where it does not converge (NaN, ∞). */
export function singularValues(a: Float64Array, m: number, n: number): Singular | null {
  if (!a.every((value) => Number.isFinite(value))) return null;
  if (m < n) {
    const flipped = singularValues(transposed(a, m, n), n, m);
    return flipped && signed({ left: flipped.right, values: flipped.values, right: flipped.left }, m, n);
  }
  let scale = 0;
  for (const value of a) scale = Math.max(scale, Math.abs(value));
  const order = longestFirst(a, m, n);
  const sorted = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) sorted[i * n + j] = at(a, i * n + (order[j] as number)) / (scale || 1);
  // A·P = Q·R and Rᵀ = U·S·Vᵀ, so A = (Q·V)·S·(P·U)ᵀ. The columns of Rᵀ are the rows of R.
  const { q, r } = qr(sorted, m, n);
  const inner = jacobi(r, n, n);
  if (inner === null) return null;
  const left = new Float64Array(n * m);
  const right = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let row = 0; row < m; row++) left[i * m + row] = dot(q, inner.right, row * n, i * n, n);
    for (let k = 0; k < n; k++) right[i * n + (order[k] as number)] = at(inner.left, i * n + k);
  }
  return signed({ left, values: inner.values.map((s) => s * scale), right }, m, n);
}

/** Columns by length, descending: a start from which few sweeps are needed (Drmač & Veselić 2008). */
function longestFirst(a: Float64Array, m: number, n: number): number[] {
  const squares = new Float64Array(n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) squares[j] = at(squares, j) + at(a, i * n + j) ** 2;
  return Array.from({ length: n }, (_, j) => j).toSorted((i, j) => at(squares, j) - at(squares, i) || i - j);
}

function transposed(a: Float64Array, m: number, n: number): Float64Array {
  const t = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) t[j * m + i] = at(a, i * n + j);
  return t;
}

/** `w` `[n, m]` has the columns as rows, and is overwritten. */
function jacobi(w: Float64Array, m: number, n: number): Singular | null {
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const tolerance = Math.max(8, m) * Number.EPSILON * 0.5;
  const squares = new Float64Array(n);
  let rotated = true;
  for (let sweep = 0; rotated; sweep++) {
    if (sweep === MAX_SWEEPS) return null;
    rotated = false;
    // Columns far below the largest are rounding errors of zeros: nothing is orthogonal to them for long.
    let largest = 0;
    for (let i = 0; i < n; i++) {
      squares[i] = dot(w, w, i * m, i * m, m);
      largest = Math.max(largest, at(squares, i));
    }
    const negligible = largest * (Number.EPSILON * 0.25) ** 2;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) if (orthogonalize(w, v, squares, m, n, i, j, tolerance, negligible)) rotated = true;
    }
  }
  return collect(w, v, m, n);
}

function dot(a: Float64Array, b: Float64Array, i: number, j: number, size: number): number {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += at(a, i + k) * at(b, j + k);
  return sum;
}

/** Turns columns i and j so that they are orthogonal; false where they are. `squares` are those of the lengths, kept up to date. */
function orthogonalize(
  w: Float64Array,
  v: Float64Array,
  squares: Float64Array,
  m: number,
  n: number,
  i: number,
  j: number,
  tolerance: number,
  negligible: number,
): boolean {
  const alpha = at(squares, i);
  const beta = at(squares, j);
  const gamma = dot(w, w, i * m, j * m, m);
  if (Math.min(alpha, beta) <= negligible || Math.abs(gamma) <= tolerance * Math.sqrt(alpha) * Math.sqrt(beta)) return false;
  const zeta = (beta - alpha) / (2 * gamma);
  const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const c = 1 / Math.sqrt(1 + t * t);
  squares[i] = Math.max(0, alpha - t * gamma);
  squares[j] = Math.max(0, beta + t * gamma);
  turn(w, m, i, j, c, c * t);
  turn(v, n, i, j, c, c * t);
  return true;
}

function turn(a: Float64Array, size: number, i: number, j: number, c: number, s: number): void {
  for (let k = 0; k < size; k++) {
    const x = at(a, i * size + k);
    const y = at(a, j * size + k);
    a[i * size + k] = c * x - s * y;
    a[j * size + k] = s * x + c * y;
  }
}

/** Lengths and directions of the columns, longest first; columns that are 0 get any direction orthogonal to the others. */
function collect(w: Float64Array, v: Float64Array, m: number, n: number): Singular {
  const lengths = Float64Array.from({ length: n }, (_, i) => Math.sqrt(dot(w, w, i * m, i * m, m)));
  const order = Array.from({ length: n }, (_, i) => i).toSorted((i, j) => at(lengths, j) - at(lengths, i));
  const least = (n === 0 ? 0 : at(lengths, order[0] ?? 0)) * m * Number.EPSILON;
  const left = new Float64Array(n * m);
  const right = new Float64Array(n * n);
  order.forEach((from, to) => {
    right.set(v.subarray(from * n, (from + 1) * n), to * n);
    const length = at(lengths, from);
    for (let k = 0; k < m; k++) left[to * m + k] = length > least ? at(w, from * m + k) / length : 0;
    if (!(length > least)) complete(left, m, to);
  });
  return { left, values: Float64Array.from(order, (i) => at(lengths, i)), right };
}

/** Makes row `row` of `q` a unit vector orthogonal to those above it: the unit vector of an axis, orthogonalized twice (Kahan). */
function complete(q: Float64Array, m: number, row: number): void {
  for (let axis = 0; axis < m; axis++) {
    const candidate = q.subarray(row * m, (row + 1) * m).fill(0);
    candidate[axis] = 1;
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < row; i++) {
        const share = dot(q, q, i * m, row * m, m);
        for (let k = 0; k < m; k++) candidate[k] = at(candidate, k) - share * at(q, i * m + k);
      }
    }
    const length = Math.sqrt(dot(candidate, candidate, 0, 0, m));
    // Some axis keeps at least 1/√m of its length, as fewer than m directions are taken.
    if (length * length * m < 0.5) continue;
    for (let k = 0; k < m; k++) candidate[k] = at(candidate, k) / length;
    return;
  }
}

/** Signs as they are documented: the largest element of each right vector is positive. */
function signed(found: Singular, m: number, n: number): Singular {
  found.values.forEach((_, i) => {
    const right = found.right.subarray(i * n, (i + 1) * n);
    if (signOf(right) > 0) return;
    negate(right);
    negate(found.left.subarray(i * m, (i + 1) * m));
  });
  return found;
}
