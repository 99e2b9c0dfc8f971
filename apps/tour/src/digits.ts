/** Digits of a dataset as pictures. */

import type { LabelledImages } from '@gradus/data';
import { createImage } from '@gradus/vision-augment';
import type { Image } from '@gradus/vision-augment';

/** The grey image at a place. */
export async function imageOf(images: LabelledImages, index: number): Promise<Image> {
  const [{ data, shape }] = await images.batch(Int32Array.of(index));
  const [, , height = 0, width = 0] = shape;
  return createImage(
    { width, height, channels: 1 },
    Uint8Array.from(data, (value) => Math.round(value * 255)),
  );
}
