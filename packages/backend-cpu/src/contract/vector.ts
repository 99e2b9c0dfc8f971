/** Products with a single column, or a single row: each element of the matrix is used once, so it is read in place, not packed. */

import type { Factor } from './strips.ts';

/** Adds, for every row i of `matrix`, `Σ_k matrix[i, k] · vector[k]` to `target[i * step]`, in ascending k; four rows at a time. */
export function addMatrixVector(target: Float64Array, step: number, matrix: Factor, vector: Factor): void {
  const { elements, outer, inner } = matrix;
  const depth = inner.length;
  const first = vector.base + (vector.outer[0] ?? 0);
  const last = outer.length - 1;
  for (let i = 0; i <= last; i += 4) {
    // Past the end the last row is taken again, and its sum left unused.
    const p0 = matrix.base + (outer[i] as number);
    const p1 = matrix.base + (outer[Math.min(i + 1, last)] as number);
    const p2 = matrix.base + (outer[Math.min(i + 2, last)] as number);
    const p3 = matrix.base + (outer[Math.min(i + 3, last)] as number);
    const at = i * step;
    let c0 = target[at] as number;
    let c1 = target[at + step] as number;
    let c2 = target[at + 2 * step] as number;
    let c3 = target[at + 3 * step] as number;
    for (let k = 0; k < depth; k++) {
      const b = vector.elements[first + (vector.inner[k] as number)] as number;
      const offset = inner[k] as number;
      c0 += (elements[p0 + offset] as number) * b;
      c1 += (elements[p1 + offset] as number) * b;
      c2 += (elements[p2 + offset] as number) * b;
      c3 += (elements[p3 + offset] as number) * b;
    }
    target[at] = c0;
    target[at + step] = c1;
    target[at + 2 * step] = c2;
    target[at + 3 * step] = c3;
  }
}
