/** Attention, forward: for each tile its scores, their softmax row by row, and the values weighted by it. */

import type { AttentionKernel, TypedArray } from '@gradus/backend';

import { padded } from '../contract/product.ts';
import { DenseOperands } from '../dense/operands.ts';
import { largest } from '../rowwise/row.ts';
import type { Workspace } from '../workspace.ts';
import { TILE, factor, maskScores, products, sizesOf, tilesOf } from './tile.ts';

/** Turns a row of scores into `exp(score - largest)`. Gives their sum and the row's log-sum-exp; of a row with nothing allowed 1, and -Infinity. */
function powersOfRow(scores: Float64Array, from: number, to: number): { readonly sum: number; readonly lse: number } {
  const top = largest(scores, from, to);
  if (top === -Infinity) {
    scores.fill(0, from, to);
    return { sum: 1, lse: -Infinity };
  }
  let sum = 0;
  for (let i = from; i < to; i++) {
    const power = Math.exp((scores[i] as number) - top);
    scores[i] = power;
    sum += power;
  }
  return { sum, lse: top + Math.log(sum) };
}

export function attendForward(
  kernel: AttentionKernel,
  { float, floatSums }: Workspace,
  views: readonly TypedArray[],
  scale: number,
  dims: Int32Array,
): void {
  const sizes = sizesOf(kernel, dims);
  const { images, heads, S, headDim } = sizes;
  const run = new DenseOperands(kernel, views, dims);
  const masked = kernel.mask === 'none' ? 0 : 1;
  const [q, k, v] = [run.readFloats(0), run.readFloats(1), run.readFloats(2)];
  const mask = run.read(3);
  const [y, lse] = [run.write(3 + masked), run.write(4 + masked)];
  const [stride, width] = [padded(S), padded(headDim)];
  const memory = floatSums.get(TILE * (stride + width));
  const scores = memory.subarray(0, TILE * stride);
  const sums = memory.subarray(TILE * stride, TILE * (stride + width));

  for (let head = 0; head < images * heads; head++) {
    for (const tile of tilesOf(kernel, sizes, head)) {
      const { query, count, key, keys } = tile;
      products(float, scores, stride, { elements: q, first: query, count }, { elements: k, first: key, count: keys }, headDim);
      maskScores(kernel, scores, stride, scale, mask, S, tile);
      const rows = Array.from({ length: count }, (_, i) => powersOfRow(scores, i * stride, i * stride + keys));
      sums.fill(0);
      float.add(sums, width, factor(scores, 0, count, keys, stride), factor(v, key * headDim, headDim, keys, 1, headDim));
      rows.forEach((row, i) => {
        for (let d = 0; d < headDim; d++) y[(query + i) * headDim + d] = (sums[i * width + d] as number) / row.sum;
        lse[query + i] = row.lse;
      });
    }
  }
  run.finish();
}
