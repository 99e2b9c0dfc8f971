/** Errors of augmentation, and of image files. */

import { GradusError } from '@gradus/backend';
import type { ErrorParts } from '@gradus/backend';

/** An image, a target, an option or a record that augmentation cannot work with. Code `AUGMENT`. */
export class AugmentError extends GradusError {
  constructor(parts: ErrorParts) {
    super('AUGMENT', parts);
  }
}

/** An image file that cannot be read or written. Code `IMAGE`. */
export class ImageError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('IMAGE', parts, options);
  }
}
