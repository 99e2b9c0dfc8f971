/**
 * What a dataset is: numbered samples that are read a batch at a time.
 *
 * A batch is a few *columns*, such as images and labels. Each is one flat array for all samples of the batch, so that nothing is made per sample.
 */

import { ArgumentError } from '@gradus/tensor';
import type { DType, ElementArray } from '@gradus/tensor';

/** One column of a batch. */
export interface Column {
  /** All samples, one after the other, row-major; 16-bit floats as Float32Array, bool as Uint8Array. */
  readonly data: ElementArray;
  /** The number of samples, then the sizes of one. */
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The columns of a batch, such as `[images, labels]`. */
export type Batch = readonly Column[];

/** Numbered samples. Implement it for data of any kind; a `DataLoader` makes tensors of it. */
export interface Dataset<B extends Batch = Batch> {
  /** Number of samples. */
  readonly length: number;
  /**
   * The samples with these numbers, in this order.
   * @param indices whole numbers from 0 to `length - 1`, which stay as they are until the batch is there
   * @param reuse an earlier batch of this dataset whose arrays nobody needs any more: they may be filled and returned again
   */
  batch(indices: Int32Array, reuse?: B): B | Promise<B>;
}

/**
 * Samples `start` up to, without, `end` of a dataset, numbered from 0. Nothing is copied.
 * @param end default: the dataset's length
 * @throws ArgumentError unless 0 <= start <= end <= the dataset's length
 */
export function subset<B extends Batch>(dataset: Dataset<B>, start: number, end: number = dataset.length): Dataset<B> {
  const inOrder = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= dataset.length;
  if (!inOrder) throw new ArgumentError({ op: 'subset', expected: `0 <= start <= end <= ${dataset.length}`, got: `start ${start}, end ${end}` });
  return {
    length: end - start,
    batch: (indices, reuse) =>
      dataset.batch(
        indices.map((index) => index + start),
        reuse,
      ),
  };
}
