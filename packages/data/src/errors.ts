/** Errors of data: files that are not what they should be, or not there. */

import { GradusError } from '@gradus/tensor';
import type { ErrorParts } from '@gradus/tensor';

/** A data file that breaks the rules of its format, or files that do not belong together. Code `DATA_FORMAT`. */
export class DataFormatError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('DATA_FORMAT', parts, options);
  }
}

/** A data set that is not where it was looked for. Code `DATA_NOT_FOUND`. */
export class DataNotFoundError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('DATA_NOT_FOUND', parts, options);
  }
}
