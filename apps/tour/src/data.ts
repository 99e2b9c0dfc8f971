/** MNIST in three parts, and single batches of it as tensors. */

import { mnist } from '@gradus/data';
import type { LabelledImages } from '@gradus/data';
import { permutationOf, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Sizes } from './options.ts';

/** Images `[N, 1, 28, 28]` from 0 to 1, and labels. No image is in two parts. */
export interface TourData {
  readonly train: LabelledImages;
  readonly validation: LabelledImages;
  readonly test: LabelledImages;
}

/**
 * Images drawn from the training set, others as validation, and images drawn from the test set; the same ones in each run. They are drawn because
 * the order of MNIST means something: neighbours are by one writer, and the set is easier here than there.
 *
 * @throws DataNotFoundError without MNIST
 */
export async function openData({ train, validation, test }: Sizes): Promise<TourData> {
  const [learned, tested] = [await mnist('train', { flatten: false }), await mnist('test', { flatten: false })];
  const order = permutationOf(learned.length, 0, 0);
  return {
    train: selection(learned, order.subarray(0, train)),
    validation: selection(learned, order.subarray(learned.length - validation)),
    test: selection(tested, permutationOf(tested.length, 0, 0).subarray(0, test)),
  };
}

/** The samples of a dataset with these numbers, in this order. */
function selection(images: LabelledImages, places: Int32Array): LabelledImages {
  return {
    length: places.length,
    batch: (indices, reuse) =>
      images.batch(
        indices.map((i) => places[i] ?? -1),
        reuse,
      ),
  };
}

/** All samples of a small dataset: `[N, 1, 28, 28]` and int32 `[N]`. */
export async function wholeBatch(images: LabelledImages): Promise<[x: Tensor, labels: Tensor]> {
  const [x, labels] = await images.batch(Int32Array.from({ length: images.length }, (_, i) => i));
  return [tensor(x.data, { shape: x.shape, dtype: x.dtype }), tensor(labels.data, { shape: labels.shape, dtype: labels.dtype })];
}
