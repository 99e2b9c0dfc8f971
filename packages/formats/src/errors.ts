/** The error of readers: bytes that are not the file they should be. */

import { GradusError } from '@gradus/backend';
import type { ErrorParts } from '@gradus/backend';

/** A file that breaks the rules of its format, or that uses a part of it which gradus does not have. Code `FORMAT`. */
export class FormatError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('FORMAT', parts, options);
  }
}
