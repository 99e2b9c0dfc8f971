/**
 * The inner loops of matrix products: packing into strips, and the micro-kernels that multiply two strips.
 *
 * Words used here (after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34 (2008), 12):
 * - **strip**: {@link STRIP} neighbouring rows of a, or columns of b, stored step by step of k: `[k][STRIP]`. Missing rows are 0.
 * - **factor**: a matrix given by an offset for every row (or column) and one for every k, so that any strides, and the windows of a
 *   convolution, are packed by the same loop.
 *
 * Accumulators are float64 and are added to in ascending k, from the value already in the tile: so a product is the same to the bit
 * however it is blocked. A 4×4 micro-kernel was the best of 1×4 to 6×4 that wastes nothing at multiples of 4 (Node 20, 5.2 GFLOP/s).
 */

/** Rows or columns in a strip: the height and width of the micro-kernels. In their inner loops it stands as a literal 4, because V8 loads a module's constant anew in every step (12 % slower). */
export const STRIP = 4;

/** What a factor's elements may be read from as they are. */
export type Elements = Float64Array | Float32Array | Int32Array;

/** A matrix to be multiplied: element (i, k) is `elements[base + outer[i] + inner[k]]`. */
export interface Factor {
  readonly elements: Elements;
  readonly base: number;
  /** The offset of each row of a, or column of b. */
  readonly outer: Int32Array;
  /** The offset of each k. */
  readonly inner: Int32Array;
}

/** Packs rows `from` to `to` of a factor, for k in `[kFrom, kTo)`, as strips from `target[0]` on. */
export function packStrips(target: Float64Array | Int32Array, factor: Factor, from: number, to: number, kFrom: number, kTo: number): void {
  const { elements, base, outer, inner } = factor;
  let at = 0;
  for (let i = from; i < to; i += STRIP) {
    const rows = Math.min(STRIP, to - i);
    const p0 = base + (outer[i] ?? 0);
    if (rows === STRIP) {
      const p1 = base + (outer[i + 1] ?? 0);
      const p2 = base + (outer[i + 2] ?? 0);
      const p3 = base + (outer[i + 3] ?? 0);
      for (let k = kFrom; k < kTo; k++) {
        const step = inner[k] as number;
        target[at] = elements[p0 + step] as number;
        target[at + 1] = elements[p1 + step] as number;
        target[at + 2] = elements[p2 + step] as number;
        target[at + 3] = elements[p3 + step] as number;
        at += 4;
      }
    } else {
      for (let k = kFrom; k < kTo; k++) {
        const step = inner[k] as number;
        for (let r = 0; r < STRIP; r++) target[at + r] = r < rows ? (elements[base + (outer[i + r] as number) + step] as number) : 0;
        at += STRIP;
      }
    }
  }
}

/** Adds the product of two strips of `depth` steps to the 4×4 accumulators at `at`, whose rows are `stride` apart. */
export type Multiply<T> = (a: T, aAt: number, b: T, bAt: number, depth: number, target: T, at: number, stride: number) => void;

/** The float64 micro-kernel, 4×4. */
export function multiplyFloat(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  depth: number,
  tile: Float64Array,
  at: number,
  stride: number,
): void {
  const row1 = at + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  let c00 = tile[at] as number;
  let c01 = tile[at + 1] as number;
  let c02 = tile[at + 2] as number;
  let c03 = tile[at + 3] as number;
  let c10 = tile[row1] as number;
  let c11 = tile[row1 + 1] as number;
  let c12 = tile[row1 + 2] as number;
  let c13 = tile[row1 + 3] as number;
  let c20 = tile[row2] as number;
  let c21 = tile[row2 + 1] as number;
  let c22 = tile[row2 + 2] as number;
  let c23 = tile[row2 + 3] as number;
  let c30 = tile[row3] as number;
  let c31 = tile[row3 + 1] as number;
  let c32 = tile[row3 + 2] as number;
  let c33 = tile[row3 + 3] as number;
  for (let k = 0; k < depth; k++) {
    const b0 = b[bAt] as number;
    const b1 = b[bAt + 1] as number;
    const b2 = b[bAt + 2] as number;
    const b3 = b[bAt + 3] as number;
    const a0 = a[aAt] as number;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = a[aAt + 1] as number;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = a[aAt + 2] as number;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = a[aAt + 3] as number;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
    aAt += 4;
    bAt += 4;
  }
  tile[at] = c00;
  tile[at + 1] = c01;
  tile[at + 2] = c02;
  tile[at + 3] = c03;
  tile[row1] = c10;
  tile[row1 + 1] = c11;
  tile[row1 + 2] = c12;
  tile[row1 + 3] = c13;
  tile[row2] = c20;
  tile[row2 + 1] = c21;
  tile[row2 + 2] = c22;
  tile[row2 + 3] = c23;
  tile[row3] = c30;
  tile[row3 + 1] = c31;
  tile[row3 + 2] = c32;
  tile[row3 + 3] = c33;
}

/** The int32 micro-kernel: the same 4×4 tile, row by row, wrapping at every step. */
export function multiplyInteger(
  a: Int32Array,
  aAt: number,
  b: Int32Array,
  bAt: number,
  depth: number,
  tile: Int32Array,
  at: number,
  stride: number,
): void {
  for (let row = 0; row < STRIP; row++) {
    const to = at + row * stride;
    let c0 = tile[to] as number;
    let c1 = tile[to + 1] as number;
    let c2 = tile[to + 2] as number;
    let c3 = tile[to + 3] as number;
    let ka = aAt + row;
    let kb = bAt;
    for (let k = 0; k < depth; k++) {
      const factor = a[ka] as number;
      c0 = (c0 + Math.imul(factor, b[kb] as number)) | 0;
      c1 = (c1 + Math.imul(factor, b[kb + 1] as number)) | 0;
      c2 = (c2 + Math.imul(factor, b[kb + 2] as number)) | 0;
      c3 = (c3 + Math.imul(factor, b[kb + 3] as number)) | 0;
      ka += 4;
      kb += 4;
    }
    tile[to] = c0;
    tile[to + 1] = c1;
    tile[to + 2] = c2;
    tile[to + 3] = c3;
  }
}
