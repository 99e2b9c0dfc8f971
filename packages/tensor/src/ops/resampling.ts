/**
 * Resampling along one axis: each place of the result is a weighted sum of a few places of x, which a table lists.
 *
 * The table is sparse, as two taps of a linear interpolation are: a product with the whole matrix of weights would cost as many
 * multiplications a place as the axis has cells. The gradient is the same op with the transposed table, a gather again where a scatter
 * would need an order of additions: so it is deterministic, and differentiates without end.
 */

import { tensor } from '../creation.ts';
import { withRule } from '../define-op.ts';
import { withGradients } from '../graph/record.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { mul, where } from './arithmetic.ts';
import { sum } from './expand.ts';
import { indexSelect } from './indexing.ts';
import { reshape } from './reshape.ts';

/** A place of x and its weight. */
export type Tap = readonly [place: number, weight: number];

/** For each place of the result, its taps; and how many places x has. */
export interface ResamplingTable {
  readonly places: readonly (readonly Tap[])[];
  readonly cells: number;
}

/** The table of the gradient. */
function transposed({ places, cells }: ResamplingTable): ResamplingTable {
  const back: Tap[][] = Array.from({ length: cells }, () => []);
  places.forEach((taps, to) => {
    for (const [from, weight] of taps) back[from]?.push([to, weight]);
  });
  return { places: back, cells: places.length };
}

/** x with its places along `axis` replaced by those of the table. Floats; weights are rounded to the dtype of x. */
export function resample(x: Tensor, axis: number, table: ResamplingTable): Tensor {
  const value = withGradients(false, () => weighted(x, axis, table));
  return withRule(value, [x], (g) => [resample(g, axis, transposed(table))]);
}

function weighted(x: Tensor, axis: number, { places }: ResamplingTable): Tensor {
  const { shape, dtype, runtime } = nodeOf(x, 'resample');
  const device = runtime.backend;
  const most = places.reduce((n, taps) => Math.max(n, taps.length), 0);
  const size = places.length * most;
  const index = new Int32Array(size);
  const weights = new Float64Array(size);
  const used = new Uint8Array(size);
  places.forEach((taps, place) => {
    taps.forEach(([from, weight], i) => {
      index[place * most + i] = from;
      weights[place * most + i] = weight;
      used[place * most + i] = 1;
    });
  });
  const isFull = !used.includes(0);
  if (isFull && most === 1 && weights.every((w) => w === 1)) return indexSelect(x, tensor(index, { device }), { axis });
  const table = [places.length, most];
  const lined = [...table, ...Array.from({ length: shape.rank - axis - 1 }, () => 1)];
  const taken = indexSelect(x, tensor(index, { shape: table, device }), { axis });
  const terms = mul(taken, reshape(tensor(weights, { shape: table, dtype, device }), lined));
  // A place with fewer taps than others: what fills the table counts nothing, not even where x is ∞.
  const counted = isFull ? terms : where(reshape(tensor(used, { shape: table, dtype: 'bool', device }), lined), terms, 0);
  return sum(counted, { axis: axis + 1 });
}
