/**
 * The blocked matrix product: adds `a · b` to a matrix of accumulators, from packed strips.
 *
 * Accumulators stay in the caller's matrix from one block of k to the next, so that every result is the sum over k in ascending order,
 * however many blocks there are.
 */

import { floatScratch, integerScratch } from '../memory/scratch.ts';
import type { Scratch } from '../memory/scratch.ts';
import { STRIP, multiplyFloat, multiplyInteger, packStrips } from './strips.ts';
import type { Factor, Multiply } from './strips.ts';
import { addMatrixVector } from './vector.ts';

/** Block sizes, multiples of {@link STRIP}: a strip of b (8 KiB) stays in the first-level cache, a block of a (256 KiB) in the second. */
export const BLOCK_ROWS = 128;
export const BLOCK_COLUMNS = 256;
const BLOCK_DEPTH = 256;

/** Adds a matrix times a vector to every `step`-th element of `target`. */
type MatrixVector<T> = (target: T, step: number, matrix: Factor, vector: Factor) => void;

/** Rounds up to whole strips. */
export function padded(count: number): number {
  return Math.ceil(count / STRIP) * STRIP;
}

/** Multiplies factors of one kind of number, with scratch memory of its own. */
export class Multiplier<T extends Float64Array | Int32Array> {
  readonly #multiply: Multiply<T>;
  readonly #vector: MatrixVector<T> | null;
  readonly #a: Scratch<T>;
  readonly #b: Scratch<T>;

  constructor(multiply: Multiply<T>, vector: MatrixVector<T> | null, a: Scratch<T>, b: Scratch<T>) {
    this.#multiply = multiply;
    this.#vector = vector;
    this.#a = a;
    this.#b = b;
  }

  /** Adds the product of `a` [m, k] and `b` [n, k] to `target` [padded(m), stride], with a stride of at least padded(n). */
  add(target: T, stride: number, a: Factor, b: Factor): void {
    const m = a.outer.length;
    const n = b.outer.length;
    const depth = a.inner.length;
    if (this.#vector !== null && n === 1) return this.#vector(target, stride, a, b);
    if (this.#vector !== null && m === 1) return this.#vector(target, 1, b, a);
    for (let column = 0; column < n; column += BLOCK_COLUMNS) {
      const columnTo = Math.min(n, column + BLOCK_COLUMNS);
      for (let k = 0; k < depth; k += BLOCK_DEPTH) {
        const kTo = Math.min(depth, k + BLOCK_DEPTH);
        const packedB = this.#b.get(padded(columnTo - column) * (kTo - k));
        packStrips(packedB, b, column, columnTo, k, kTo);
        for (let row = 0; row < m; row += BLOCK_ROWS) {
          const rowTo = Math.min(m, row + BLOCK_ROWS);
          const packedA = this.#a.get(padded(rowTo - row) * (kTo - k));
          packStrips(packedA, a, row, rowTo, k, kTo);
          this.#multiplyStrips(packedA, rowTo - row, packedB, columnTo - column, kTo - k, target, row * stride + column, stride);
        }
      }
    }
  }

  #multiplyStrips(a: T, rows: number, b: T, columns: number, depth: number, target: T, at: number, stride: number): void {
    for (let j = 0; j < columns; j += STRIP)
      for (let i = 0; i < rows; i += STRIP) this.#multiply(a, i * depth, b, j * depth, depth, target, at + i * stride + j, stride);
  }
}

/** Products accumulated in float64. */
export function floatMultiplier(): Multiplier<Float64Array> {
  return new Multiplier<Float64Array>(multiplyFloat, addMatrixVector, floatScratch(), floatScratch());
}

/** Products accumulated modulo 2³². */
export function integerMultiplier(): Multiplier<Int32Array> {
  return new Multiplier<Int32Array>(multiplyInteger, null, integerScratch(), integerScratch());
}
