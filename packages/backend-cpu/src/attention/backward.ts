/** Attention, backward: for each tile its scores again, then the gradients that its pairs of queries and keys add to. */

import type { AttentionKernel, TypedArray } from '@gradus/backend';

import { padded } from '../contract/product.ts';
import { DenseOperands } from '../dense/operands.ts';
import type { Workspace } from '../workspace.ts';
import { TILE, factor, maskScores, products, sizesOf, tilesOf } from './tile.ts';
import type { Tile } from './tile.ts';

/** `Σ g · y` of one query. */
function along(g: TypedArray, y: TypedArray, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += (g[i] as number) * (y[i] as number);
  return sum;
}

/** Scores become probabilities, and products of gradients and values the gradients of the unscaled products of queries and keys. */
function slopes(p: Float64Array, ds: Float64Array, from: number, to: number, lse: number, scale: number, mean: number): void {
  for (let i = from; i < to; i++) {
    const score = p[i] as number;
    // Not allowed; in a row with nothing allowed, lse is -Infinity too.
    const power = score === -Infinity ? 0 : Math.exp(score - lse);
    p[i] = power;
    ds[i] = scale * power * ((ds[i] as number) - mean);
  }
}

/** Copies rows of a padded matrix to where they follow each other. */
function store(target: TypedArray, row: number, rows: number, source: Float64Array, stride: number, columns: number): void {
  for (let i = 0; i < rows; i++) for (let d = 0; d < columns; d++) target[(row + i) * columns + d] = source[i * stride + d] as number;
}

export function attendBackward(
  kernel: AttentionKernel,
  { float, floatSums }: Workspace,
  views: readonly TypedArray[],
  scale: number,
  dims: Int32Array,
): void {
  const sizes = sizesOf(kernel, dims);
  const { images, heads, keyHeads, S, headDim } = sizes;
  const run = new DenseOperands(kernel, views, dims);
  const at = kernel.mask === 'none' ? 3 : 4;
  const [q, k, v] = [run.readFloats(0), run.readFloats(1), run.readFloats(2)];
  const mask = run.read(3);
  const [y, lse, g] = [run.read(at), run.read(at + 1), run.readFloats(at + 2)];
  const [dq, dk, dv] = [run.write(at + 3), run.write(at + 4), run.write(at + 5)];
  const [stride, width] = [padded(S), padded(headDim)];
  // Two tiles with all keys; gradients of a tile's queries; those of the keys and values of one key head.
  const memory = floatSums.get(TILE * (2 * stride + width) + 2 * stride * width);
  let used = 0;
  const part = (length: number): Float64Array => memory.subarray(used, (used += length));
  const [p, ds, ofQueries] = [part(TILE * stride), part(TILE * stride), part(TILE * width)];
  const [ofKeys, ofValues] = [part(stride * width), part(stride * width)];

  const addTile = (tile: Tile): void => {
    const { query, count, key, keys } = tile;
    products(float, p, stride, { elements: q, first: query, count }, { elements: k, first: key, count: keys }, headDim);
    maskScores(kernel, p, stride, scale, mask, S, tile);
    products(float, ds, stride, { elements: g, first: query, count }, { elements: v, first: key, count: keys }, headDim);
    for (let i = 0; i < count; i++) {
      const mean = along(g, y, (query + i) * headDim, headDim);
      slopes(p, ds, i * stride, i * stride + keys, lse[query + i] as number, scale, mean);
    }
    // Sums over queries: the tile's columns as rows.
    float.add(ofValues, width, factor(p, 0, keys, count, 1, stride), factor(g, query * headDim, headDim, count, 1, headDim));
    float.add(ofKeys, width, factor(ds, 0, keys, count, 1, stride), factor(q, query * headDim, headDim, count, 1, headDim));
    ofQueries.fill(0);
    float.add(ofQueries, width, factor(ds, 0, count, keys, stride), factor(k, key * headDim, headDim, keys, 1, headDim));
    store(dq, query, count, ofQueries, width, headDim);
  };

  const sharing = keyHeads === 0 ? 0 : heads / keyHeads;
  for (let keyHead = 0; keyHead < images * keyHeads; keyHead++) {
    ofKeys.fill(0);
    ofValues.fill(0);
    for (let head = keyHead * sharing; head < (keyHead + 1) * sharing; head++) for (const tile of tilesOf(kernel, sizes, head)) addTile(tile);
    store(dk, keyHead * S, S, ofKeys, width, headDim);
    store(dv, keyHead * S, S, ofValues, width, headDim);
  }
  run.finish();
}
