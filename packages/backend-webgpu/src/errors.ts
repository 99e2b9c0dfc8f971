/** What goes wrong with a graphics card, as types. */

import { GradusError } from '@gradus/backend';
import type { ErrorParts } from '@gradus/backend';

/** There is no WebGPU here, or no adapter to go with it. */
export class WebGpuUnavailableError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('WEBGPU_UNAVAILABLE', parts, options);
  }
}

/** The device is gone, with all that was in its memory: a driver was reset, a card was unplugged, somebody destroyed it. Make a new one. */
export class DeviceLostError extends GradusError {
  constructor(parts: ErrorParts) {
    super('DEVICE_LOST', parts);
  }
}

/** The device did not finish in the time it was given. */
export class DeviceTimeoutError extends GradusError {
  constructor(parts: ErrorParts) {
    super('DEVICE_TIMEOUT', parts);
  }
}

/** The driver refused a shader, a pipeline or a command that this backend made: a bug here or there. What was computed with it is not to be trusted. */
export class DeviceRefusedError extends GradusError {
  constructor(parts: ErrorParts) {
    super('DEVICE_REFUSED', parts);
  }
}
