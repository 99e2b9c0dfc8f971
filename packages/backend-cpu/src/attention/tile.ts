/**
 * What both passes of attention work in: tiles of neighbouring queries of a head, with all keys that any of them may use.
 *
 * All that a tile needs is matrix products, by the blocked {@link Multiplier}; the matrix of all scores is never there.
 */

import type { AttentionKernel, TypedArray } from '@gradus/backend';

import { steps } from '../contract/offsets.ts';
import { padded } from '../contract/product.ts';
import type { Multiplier } from '../contract/product.ts';
import type { Elements, Factor } from '../contract/strips.ts';

/** Queries of a tile: whole strips of the product; the scores with a few hundred keys fit the second-level cache. */
export const TILE = 64;

/** The sizes of a run. */
export interface Sizes {
  readonly images: number;
  readonly heads: number;
  readonly keyHeads: number;
  /** Queries and keys of a head. */
  readonly T: number;
  readonly S: number;
  readonly headDim: number;
}

/** Reads `dims`. */
export function sizesOf({ headDim }: AttentionKernel, dims: Int32Array): Sizes {
  const [images = 0, heads = 0, keyHeads = 0, T = 0, S = 0] = dims;
  return { images, heads, keyHeads, T, S, headDim };
}

export interface Tile {
  /** The first query, counted over all images and heads, and how many there are. */
  readonly query: number;
  readonly count: number;
  /** The first query within its head, and its row of the mask. */
  readonly first: number;
  readonly maskRow: number;
  /** The first key, counted over all images and key heads, and how many the queries may use. */
  readonly key: number;
  readonly keys: number;
}

/** The tiles of a head, which is counted over all images. */
export function tilesOf({ causal }: AttentionKernel, { heads, keyHeads, T, S }: Sizes, head: number): Tile[] {
  const image = Math.floor(head / heads);
  const keyHead = image * keyHeads + Math.floor(((head % heads) * keyHeads) / heads);
  return steps(Math.ceil(T / TILE), TILE).map((first) => {
    const count = Math.min(TILE, T - first);
    const keys = causal ? Math.min(S, first + count) : S;
    return { query: head * T + first, count, first, maskRow: image * T + first, key: keyHead * S, keys };
  });
}

/** A matrix of `rows` by `columns` elements as a factor, by where it begins and how far its rows and columns are apart. */
export function factor(elements: Elements, base: number, rows: number, columns: number, rowStep: number, columnStep = 1): Factor {
  return { elements, base, outer: Int32Array.from(steps(rows, rowStep)), inner: Int32Array.from(steps(columns, columnStep)) };
}

/** Every vector of `count` queries (or keys) of `a` times every one of `b`, into rows `stride` apart. */
export function products(
  multiplier: Multiplier<Float64Array>,
  target: Float64Array,
  stride: number,
  a: { readonly elements: Elements; readonly first: number; readonly count: number },
  b: { readonly elements: Elements; readonly first: number; readonly count: number },
  headDim: number,
): void {
  target.fill(0, 0, padded(a.count) * stride);
  multiplier.add(
    target,
    stride,
    factor(a.elements, a.first * headDim, a.count, headDim, headDim),
    factor(b.elements, b.first * headDim, b.count, headDim, headDim),
  );
}

/** Products become scores: scaled, masked, and -Infinity where a key is not allowed. */
export function maskScores(
  kernel: AttentionKernel,
  scores: Float64Array,
  stride: number,
  scale: number,
  mask: TypedArray,
  S: number,
  tile: Tile,
): void {
  const { count, keys, first, maskRow } = tile;
  for (let i = 0; i < count; i++) {
    const row = i * stride;
    const maskAt = (maskRow + i) * S;
    // Causal: keys after the query are not allowed.
    const allowed = kernel.causal ? Math.min(keys, first + i + 1) : keys;
    for (let s = 0; s < allowed; s++) {
      const score = (scores[row + s] as number) * scale;
      if (kernel.mask === 'none') scores[row + s] = score;
      else if (kernel.mask === 'additive') scores[row + s] = score + (mask[maskAt + s] as number);
      else scores[row + s] = mask[maskAt + s] === 0 ? -Infinity : score;
    }
    scores.fill(-Infinity, row + allowed, row + keys);
  }
}
