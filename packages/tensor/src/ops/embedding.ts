/** Rows of a table by number. */

import { IndexError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { requireOptions } from './arguments.ts';
import { equal, where } from './arithmetic.ts';
import { detach } from './convert.ts';
import { indexSelect, requireIndices } from './indexing.ts';
import { unsqueeze } from './reshape.ts';

/** Options of {@link embedding}. */
export interface EmbeddingOptions {
  /** A row that gets no gradient, so that it stays what it is; negative counts from the end. Default: none. */
  readonly paddingIdx?: number | null;
}

/**
 * Row `index[...]` of `weight`, for each place of `index`: `[...index.shape, D]`. The gradient of a row is the sum over the places it was taken for.
 *
 * @param weight `[count, D]`
 * @param index integers from 0 to `count - 1`, of any shape
 * @throws ShapeError, DTypeError; IndexError for a `paddingIdx` out of range, and for an index where indices can be checked at the call
 */
export function embedding(weight: Tensor, index: Tensor, options: EmbeddingOptions = {}): Tensor {
  requireOptions('embedding', options, '{ paddingIdx: 0 }');
  const { dims, rank } = nodeOf(weight, 'embedding').shape;
  if (rank !== 2) throw new ShapeError({ op: 'embedding', expected: 'weight of shape [count, D]', got: showDims(dims) });
  const [count = 0] = dims;
  requireIndices('embedding', index, { min: 0, max: count - 1 });
  const { paddingIdx = null } = options;
  if (paddingIdx === null) return indexSelect(weight, index);
  if (!Number.isInteger(paddingIdx) || paddingIdx < -count || paddingIdx >= count)
    throw new IndexError({ op: 'embedding', expected: `paddingIdx from ${-count} to ${count - 1}`, got: String(paddingIdx) });
  return compose(() => {
    const rows = indexSelect(weight, index);
    return where(unsqueeze(equal(index, paddingIdx < 0 ? paddingIdx + count : paddingIdx), -1), detach(rows), rows);
  });
}
