/** The resamplers by name. */

import { AugmentError } from '../errors.ts';
import type { Image, Size } from '../image.ts';
import type { Resampler } from '../operations.ts';
import { resizeNearest } from './nearest.ts';
import { resizeLikeOpenCv } from './opencv.ts';
import { resizeLikePillow } from './pillow.ts';

const resamplers: Readonly<Record<Resampler, (image: Image, size: Size) => Image>> = {
  bilinear: (image, size) => resizeLikePillow(image, size, 'bilinear'),
  bicubic: (image, size) => resizeLikePillow(image, size, 'bicubic'),
  'opencv-bilinear': resizeLikeOpenCv,
  nearest: resizeNearest,
};

/** @throws AugmentError for a name that is no resampler's */
export function requireResampler(name: Resampler): void {
  if (Object.hasOwn(resamplers, name)) return;
  throw new AugmentError({ op: 'resize', expected: `a resampler: ${Object.keys(resamplers).join(', ')}`, got: JSON.stringify(name) });
}

/** The image at another size; itself when the size is its own. */
export function resizeImage(image: Image, size: Size, resampler: Resampler): Image {
  return image.width === size.width && image.height === size.height ? image : resamplers[resampler](image, size);
}
