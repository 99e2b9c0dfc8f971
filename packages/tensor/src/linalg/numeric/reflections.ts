/**
 * Householder reflections on single row-major matrices: the QR decomposition, and the reduction of symmetric matrices to tridiagonal form.
 *
 * A reflection is H = I - τ·v·vᵀ with v₀ = 1; its sign is LAPACK's (`dlarfg`): the head of the result has the sign opposite to that of x.
 * Golub & Van Loan, "Matrix Computations" (4th ed.), sections 5.1, 5.2 and 8.3.
 */

import { at } from './triangular.ts';

/** One reflection: applied to x it gives (beta, 0, 0, …). */
interface Reflection {
  readonly v: Float64Array;
  readonly tau: number;
  readonly beta: number;
}

function reflectionOf(x: Float64Array): Reflection {
  const head = x.length === 0 ? 0 : at(x, 0);
  let largest = 0;
  for (let i = 1; i < x.length; i++) largest = Math.max(largest, Math.abs(at(x, i)));
  const v = Float64Array.from(x, () => 0);
  if (x.length > 0) v[0] = 1;
  if (largest === 0) return { v, tau: 0, beta: head };
  const scale = Math.max(largest, Math.abs(head));
  let squares = 0;
  for (const value of x) squares += (value / scale) ** 2;
  const beta = (head < 0 ? 1 : -1) * scale * Math.sqrt(squares);
  for (let i = 1; i < x.length; i++) v[i] = at(x, i) / (head - beta);
  return { v, tau: (beta - head) / beta, beta };
}

/** H·A on the rows from `top` and the columns from `left` of `a` with `columns` columns. */
function applyLeft({ v, tau }: Reflection, a: Float64Array, columns: number, top: number, left: number): void {
  if (tau === 0) return;
  const row = new Float64Array(columns - left);
  const width = columns - left;
  for (let i = 0; i < v.length; i++) {
    const factor = at(v, i);
    const start = (top + i) * columns + left;
    for (let j = 0; j < width; j++) row[j] = at(row, j) + factor * at(a, start + j);
  }
  for (let i = 0; i < v.length; i++) {
    const factor = tau * at(v, i);
    const start = (top + i) * columns + left;
    for (let j = 0; j < width; j++) a[start + j] = at(a, start + j) - factor * at(row, j);
  }
}

/** A = Q·R of `a` `[m, n]`: Q `[m, k]` with orthonormal columns and R `[k, n]`, upper triangular, k = min(m, n). */
export function qr(a: Float64Array, m: number, n: number): { readonly q: Float64Array; readonly r: Float64Array } {
  const k = Math.min(m, n);
  const work = a.slice();
  const reflections: Reflection[] = [];
  for (let j = 0; j < k; j++) {
    const reflection = reflectionOf(Float64Array.from({ length: m - j }, (_, i) => at(work, (j + i) * n + j)));
    applyLeft(reflection, work, n, j, j);
    // What is 0 in theory is 0.
    for (let i = j; i < m; i++) work[i * n + j] = i === j ? reflection.beta : 0;
    reflections.push(reflection);
  }
  const q = new Float64Array(m * k);
  for (let j = 0; j < k; j++) q[j * k + j] = 1;
  for (let j = k - 1; j >= 0; j--) applyLeft(reflections[j] as Reflection, q, k, j, j);
  return { q, r: work.slice(0, k * n) };
}

/** A symmetric matrix as T = Q·A·Qᵀ. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** `[n]`: element i couples i and i + 1; the last is 0. */
  readonly off: Float64Array;
  /** Row-major `[n, n]`: Q. */
  readonly q: Float64Array;
}

/** Tridiagonal form of the symmetric `a` `[n, n]`, which is overwritten; both halves are read. */
export function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const reflections: Reflection[] = [];
  const off = new Float64Array(n);
  for (let k = 0; k + 2 < n; k++) {
    const top = k + 1;
    const reflection = reflectionOf(Float64Array.from({ length: n - top }, (_, i) => at(a, (top + i) * n + k)));
    off[k] = reflection.beta;
    twoSided(reflection, a, n, top);
    reflections.push(reflection);
  }
  if (n > 1) off[n - 2] = at(a, (n - 1) * n + n - 2);
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  // Q is the product of the reflections, the last one leftmost.
  reflections.forEach((reflection, k) => applyLeft(reflection, q, n, k + 1, 0));
  return { diagonal: Float64Array.from({ length: n }, (_, i) => at(a, i * n + i)), off, q };
}

/** H·B·H for the symmetric block B of `a` from `top` on: B - v·wᵀ - w·vᵀ with w = p - (τ/2)(pᵀv)·v, p = τ·B·v. */
function twoSided({ v, tau }: Reflection, a: Float64Array, n: number, top: number): void {
  if (tau === 0) return;
  const size = v.length;
  const w = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += at(a, (top + i) * n + top + j) * at(v, j);
    w[i] = tau * sum;
  }
  let product = 0;
  for (let i = 0; i < size; i++) product += at(w, i) * at(v, i);
  for (let i = 0; i < size; i++) w[i] = at(w, i) - 0.5 * tau * product * at(v, i);
  for (let i = 0; i < size; i++) {
    const start = (top + i) * n + top;
    const vi = at(v, i);
    const wi = at(w, i);
    for (let j = 0; j < size; j++) a[start + j] = at(a, start + j) - vi * at(w, j) - wi * at(v, j);
  }
}
