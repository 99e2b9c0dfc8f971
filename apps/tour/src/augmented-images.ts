/** A dataset whose images are augmented anew in every epoch. */

import type { ImageBatch, LabelledImages } from '@gradus/data';
import { createImage } from '@gradus/vision-augment';
import type { Augmentation } from '@gradus/vision-augment';

/** Grey images `[N, 1, H, W]` from 0 to 1, each passed through an augmentation that keeps its size. What is drawn depends on seed, epoch and index alone. */
export class AugmentedImages implements LabelledImages {
  /** Counted from 0; set it before each epoch. */
  epoch = 0;
  readonly #images: LabelledImages;
  readonly #augment: Augmentation;
  readonly #seed: number;

  constructor(images: LabelledImages, augment: Augmentation, seed: number) {
    this.#images = images;
    this.#augment = augment;
    this.#seed = seed;
  }

  get length(): number {
    return this.#images.length;
  }

  async batch(indices: Int32Array, reuse?: ImageBatch): Promise<ImageBatch> {
    const batch = await this.#images.batch(indices, reuse);
    const [{ data, shape }] = batch;
    const [, , height = 0, width = 0] = shape;
    const size = height * width;
    const key = { seed: this.#seed, epoch: this.epoch };
    for (const [i, index] of indices.entries()) {
      const pixels = data.subarray(i * size, (i + 1) * size);
      const bytes = Uint8Array.from(pixels, (value) => Math.round(value * 255));
      const { image } = this.#augment({ image: createImage({ width, height, channels: 1 }, bytes) }, { ...key, index });
      pixels.set(Float32Array.from(image.data, (value) => value / 255));
    }
    return batch;
  }
}
