/** Colour operations by name. */

import type { Image } from '../image.ts';
import type { ColorOperation } from '../operations.ts';
import { brightness, contrast, hue, saturation } from './colors.ts';
import { erase, gaussianBlur, gaussianNoise } from './filters.ts';

/** The image after one operation, whose fields have been checked. @throws AugmentError for what does not fit this image */
export function applyColor(image: Image, operation: ColorOperation): Image {
  switch (operation.op) {
    case 'brightness':
      return brightness(image, operation.factor);
    case 'contrast':
      return contrast(image, operation.factor);
    case 'saturation':
      return saturation(image, operation.factor);
    case 'hue':
      return hue(image, operation.shift);
    case 'gaussianNoise':
      return gaussianNoise(image, operation.sigma, operation.key);
    case 'gaussianBlur':
      return gaussianBlur(image, operation.sigma, operation.radius);
  }
  operation.op satisfies 'erase';
  return erase(image, operation, operation.fill);
}
