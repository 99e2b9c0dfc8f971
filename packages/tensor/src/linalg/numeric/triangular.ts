/**
 * Cholesky, LU and triangular solves on single matrices: row-major Float64Arrays, loops over rows.
 *
 * Golub & Van Loan, "Matrix Computations" (4th ed.), sections 3.1, 3.4 and 4.2.
 */

/** Overwrites the lower half of `a` `[n, n]` with L, A = L·Lᵀ, and the upper with 0. Gives the row whose pivot is not positive, or -1. */
export function cholesky(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(a, i * n + j);
      for (let k = 0; k < j; k++) sum -= at(a, i * n + k) * at(a, j * n + k);
      if (i === j && !(sum > 0 && sum < Infinity)) return i;
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / at(a, j * n + j);
    }
    for (let j = i + 1; j < n; j++) a[i * n + j] = 0;
  }
  return -1;
}

/** What {@link lu} finds beside the factors. */
export interface Pivots {
  /** Row i of P·A is row `order[i]` of A. */
  readonly order: Int32Array;
  /** The sign of the permutation. */
  readonly sign: number;
  /** A row whose pivot is 0, or -1. */
  readonly singular: number;
}

/** Overwrites `a` `[n, n]` with L (its unit diagonal left out) and U, P·A = L·U, pivots being the largest of their columns. */
export function lu(a: Float64Array, n: number): Pivots {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  let singular = -1;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(at(a, i * n + k)) > Math.abs(at(a, best * n + k))) best = i;
    const pivot = at(a, best * n + k);
    if (pivot === 0) {
      if (singular < 0) singular = k;
      continue;
    }
    if (best !== k) {
      const row = a.slice(k * n, (k + 1) * n);
      a.copyWithin(k * n, best * n, (best + 1) * n);
      a.set(row, best * n);
      const moved = order[k] as number;
      order[k] = order[best] as number;
      order[best] = moved;
      sign = -sign;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = at(a, i * n + k) / pivot;
      a[i * n + k] = factor;
      if (factor !== 0) for (let j = k + 1; j < n; j++) a[i * n + j] = at(a, i * n + j) - factor * at(a, k * n + j);
    }
  }
  return { order, sign, singular };
}

/** Overwrites `b` `[n, columns]` with the solution X of T·X = B for the lower or upper half T of `a`. Pivots of 0 divide as numbers do. */
export function substitute(a: Float64Array, b: Float64Array, n: number, columns: number, upper: boolean, unit: boolean): void {
  for (let step = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    for (let k = upper ? i + 1 : 0; k < (upper ? n : i); k++) {
      const factor = at(a, i * n + k);
      if (factor !== 0) for (let c = 0; c < columns; c++) b[i * columns + c] = at(b, i * columns + c) - factor * at(b, k * columns + c);
    }
    if (unit) continue;
    const pivot = at(a, i * n + i);
    for (let c = 0; c < columns; c++) b[i * columns + c] = at(b, i * columns + c) / pivot;
  }
}

/** The element at `i`: all positions here lie inside. Of one kind of array only, so that engines compile it to a load. */
export function at(list: Float64Array, i: number): number {
  return list[i] as number;
}
