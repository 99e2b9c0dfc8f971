/** Errors of the tensor core. All extend {@link GradusError}: a `code`, and a message that names the op, what was expected, what came, and the fix. */

import { GradusError } from '@gradus/backend';
import type { ErrorParts } from '@gradus/backend';

/** Shapes that do not fit an op or each other. */
export class ShapeError extends GradusError {
  constructor(parts: ErrorParts) {
    super('SHAPE', parts);
  }
}

/** A dtype that an op does not take, or two that do not promote. */
export class DTypeError extends GradusError {
  constructor(parts: ErrorParts) {
    super('DTYPE', parts);
  }
}

/** An axis outside the rank, or named twice. */
export class AxisError extends GradusError {
  constructor(parts: ErrorParts) {
    super('AXIS', parts);
  }
}

/** An index outside its axis. */
export class IndexError extends GradusError {
  constructor(parts: ErrorParts) {
    super('INDEX', parts);
  }
}

/** Any other argument that an op refuses. */
export class ArgumentError extends GradusError {
  constructor(parts: ErrorParts) {
    super('ARGUMENT', parts);
  }
}

/** A matrix that a decomposition or a solution does not exist for: singular, not positive definite, not finite. */
export class LinearAlgebraError extends GradusError {
  constructor(parts: ErrorParts) {
    super('LINEAR_ALGEBRA', parts);
  }
}

/** A tensor that was disposed, or whose scope has ended. */
export class TensorDisposedError extends GradusError {
  constructor(parts: ErrorParts) {
    super('TENSOR_DISPOSED', parts);
  }
}

/** Tensors of different devices in one op. */
export class DeviceMismatchError extends GradusError {
  constructor(parts: ErrorParts) {
    super('DEVICE_MISMATCH', parts);
  }
}

/** A tensor made by another copy of `@gradus/tensor`. */
export class DuplicateCoreError extends GradusError {
  constructor(parts: ErrorParts) {
    super('DUPLICATE_CORE', parts);
  }
}

/** A synchronous read on a device that can only be read asynchronously. */
export class SynchronousReadError extends GradusError {
  constructor(parts: ErrorParts) {
    super('SYNCHRONOUS_READ', parts);
  }
}

/** A gradient that cannot be taken: nothing requires it, or the op has none. */
export class GradientError extends GradusError {
  constructor(parts: ErrorParts) {
    super('GRADIENT', parts);
  }
}

/** Something that cannot be done while `compile` traces a function. */
export class TraceError extends GradusError {
  constructor(parts: ErrorParts) {
    super('TRACE', parts);
  }
}

/** Debug mode: an op made NaN out of numbers. */
export class NumericError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('NOT_A_NUMBER', parts, options);
  }
}

/** Scopes ended out of order. */
export class ScopeError extends GradusError {
  constructor(parts: ErrorParts) {
    super('SCOPE', parts);
  }
}
