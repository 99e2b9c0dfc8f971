/** Errors of threads. */

import { GradusError } from '@gradus/backend';
import type { ErrorParts } from '@gradus/backend';

/** A worker thread trapped, stalled or was ended from outside in the middle of a kernel: the device and its memory are given up. Make a new one. */
export class WorkerLostError extends GradusError {
  constructor(parts: ErrorParts) {
    super('WORKER_LOST', parts);
  }
}
