/** Labelled images in memory: bytes, made into numbers between 0 and 1 a batch at a time. */

import { ArrayDataset } from '../array-dataset.ts';
import type { Column, Dataset } from '../dataset.ts';
import { DataFormatError } from '../errors.ts';
import type { IdxArray } from '../idx/read.ts';

/** Images and their classes: float32, and int32 `[samples]`. */
export type ImageBatch = readonly [images: Column, labels: Column];

/** Labelled images in any order. */
export type LabelledImages = Dataset<ImageBatch>;

/** Options of {@link labelledImages}, `mnist` and `fashionMnist`. */
export interface ImageOptions {
  /** An image is a row, `[height · width]`; false: one channel, `[1, height, width]`. Default true. */
  readonly flatten?: boolean;
  /** Pixels become `(pixel / 255 - mean) / std`. Default mean 0 and std 1: from 0 to 1. */
  readonly normalize?: { readonly mean: number; readonly std: number };
}

/** The values a byte can have. */
const BYTES = 256;

/**
 * A dataset of gray images `[samples, height, width]` and labels `[samples]`, both uint8, as `readIdx` gives them.
 *
 * The bytes are kept as they are, not copied; a batch converts its own.
 * @throws DataFormatError for other types or shapes, or when there are not as many labels as images
 */
export function labelledImages(
  images: IdxArray,
  labels: IdxArray,
  { flatten = true, normalize = { mean: 0, std: 1 } }: ImageOptions = {},
): LabelledImages {
  const [count = 0, height = 0, width = 0] = images.shape;
  if (images.dtype !== 'uint8' || images.shape.length !== 3) throw bad('images uint8 [samples, height, width]', images);
  if (labels.dtype !== 'uint8' || labels.shape.length !== 1) throw bad('labels uint8 [samples]', labels);
  if (labels.shape[0] !== count) throw bad(`${count} labels, as there are images`, labels);
  const table = Float32Array.from({ length: BYTES }, (_, pixel) => (pixel / 255 - normalize.mean) / normalize.std);
  return new ArrayDataset([
    { data: images.data, shape: flatten ? [height * width] : [1, height, width], table },
    { data: labels.data, dtype: 'int32' },
  ]);
}

function bad(expected: string, { dtype, shape }: IdxArray): DataFormatError {
  return new DataFormatError({ op: 'labelledImages', expected, got: `${dtype} [${shape.join(', ')}]` });
}
