/**
 * Eigenvalues and eigenvectors of symmetric matrices: Householder's tridiagonal form, then implicit QL steps with Wilkinson's shift
 * (Bowdler, Martin, Reinsch & Wilkinson, "The QR and QL algorithms for symmetric matrices", 1968).
 *
 * Backward stable: ‖A·V - V·Λ‖ is a few n·ε·‖A‖, with ε = 2⁻⁵².
 */

import { tridiagonalize } from './reflections.ts';
import { at } from './triangular.ts';

/** Steps for one eigenvalue; two are usual. */
const MAX_STEPS = 60;

/** Eigenvalues, ascending, and eigenvectors as the *rows* of `vectors`. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Decomposes the symmetric matrix whose lower half is that of `a` `[n, n]`. Null where the steps do not converge (NaN, ∞). */
export function symmetricEigen(a: Float64Array, n: number): Eigen | null {
  const full = new Float64Array(n * n);
  let scale = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = at(a, i * n + j);
      if (!Number.isFinite(value)) return null;
      full[i * n + j] = full[j * n + i] = value;
      scale = Math.max(scale, Math.abs(value));
    }
  }
  // Squares of scaled elements stay in range.
  if (scale > 0) for (let i = 0; i < full.length; i++) full[i] = at(full, i) / scale;
  const { diagonal, off, q } = tridiagonalize(full, n);
  for (let i = 0; i < n; i++) if (!isolate(diagonal, off, q, n, i)) return null;
  return sorted(diagonal, q, n, scale);
}

/** QL steps on the block that begins at `first`, until its first element is coupled to nothing. */
function isolate(d: Float64Array, e: Float64Array, q: Float64Array, n: number, first: number): boolean {
  for (let step = 0; step < MAX_STEPS; step++) {
    let last = first;
    while (last < n - 1 && Math.abs(at(e, last)) > Number.EPSILON * (Math.abs(at(d, last)) + Math.abs(at(d, last + 1)))) last++;
    if (last === first) return true;
    qlStep(d, e, q, n, first, last);
  }
  return false;
}

/** One implicit QL step on rows `first` to `last`: a rotation at the end that contains the shift, and rotations that chase the bulge up. */
function qlStep(d: Float64Array, e: Float64Array, q: Float64Array, n: number, first: number, last: number): void {
  const ratio = (at(d, first + 1) - at(d, first)) / (2 * at(e, first));
  const root = Math.sqrt(ratio * ratio + 1);
  let g = at(d, last) - at(d, first) + at(e, first) / (ratio + (ratio < 0 ? -root : root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = s * at(e, i);
    const b = c * at(e, i);
    const r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      // The block falls apart here.
      d[i + 1] = at(d, i + 1) - p;
      e[last] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = at(d, i + 1) - p;
    const t = (at(d, i) - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    rotate(q, n, i, c, s);
  }
  d[first] = at(d, first) - p;
  e[first] = g;
  e[last] = 0;
}

/** Rows i and i + 1 of `q` turned by the angle with this cosine and sine. */
function rotate(q: Float64Array, n: number, i: number, c: number, s: number): void {
  for (let k = i * n; k < (i + 1) * n; k++) {
    const x = at(q, k);
    const y = at(q, k + n);
    q[k] = c * x - s * y;
    q[k + n] = s * x + c * y;
  }
}

function sorted(d: Float64Array, q: Float64Array, n: number, scale: number): Eigen {
  const order = Array.from({ length: n }, (_, i) => i).toSorted((i, j) => at(d, i) - at(d, j));
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(q.subarray(from * n, (from + 1) * n), to * n));
  for (let i = 0; i < n; i++) if (signOf(vectors.subarray(i * n, (i + 1) * n)) < 0) negate(vectors.subarray(i * n, (i + 1) * n));
  return { values: Float64Array.from(order, (i) => at(d, i) * scale), vectors };
}

/** The sign of the element of largest magnitude, the first of equal ones: what decides the sign of an eigenvector. */
export function signOf(v: Float64Array): number {
  let best = 0;
  for (const value of v) if (Math.abs(value) > Math.abs(best) * (1 + 1e-9)) best = value;
  return best < 0 ? -1 : 1;
}

/** Changes the sign of every element. */
export function negate(v: Float64Array): void {
  for (let i = 0; i < v.length; i++) v[i] = -at(v, i);
}
