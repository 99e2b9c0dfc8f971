/**
 * Errors of the whole toolkit. Each is a class with a `code`, and its message has four parts:
 * `[op] expected …, got …. Fix: …`.
 */

/** The parts of an error message. */
export interface ErrorParts {
  /** The op, kernel or function that refused. */
  readonly op: string;
  /** What it accepts. */
  readonly expected: string;
  /** What came. */
  readonly got: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** Base of every error gradus throws on purpose. */
export class GradusError extends Error {
  /** A stable name to branch on. */
  readonly code: string;
  readonly op: string;
  readonly expected: string;
  readonly got: string;
  readonly fix: string | undefined;

  constructor(code: string, parts: ErrorParts, options?: ErrorOptions) {
    super(`[${parts.op}] expected ${parts.expected}, got ${parts.got}.${parts.fix === undefined ? '' : ` Fix: ${parts.fix}`}`, options);
    this.name = new.target.name;
    this.code = code;
    this.op = parts.op;
    this.expected = parts.expected;
    this.got = parts.got;
    this.fix = parts.fix;
  }
}

/** A kernel breaks the rules of the contract: a bug in whoever built it. */
export class KernelError extends GradusError {
  constructor(parts: ErrorParts) {
    super('INVALID_KERNEL', parts);
  }
}

/** A kernel, dtype or capability that a backend does not have. */
export class UnsupportedError extends GradusError {
  constructor(parts: ErrorParts) {
    super('UNSUPPORTED', parts);
  }
}

/** A backend was built for another version of the contract. */
export class ContractVersionError extends GradusError {
  constructor(parts: ErrorParts) {
    super('CONTRACT_VERSION', parts);
  }
}

/** A block that was freed, or that another backend allocated. */
export class BlockError extends GradusError {
  constructor(parts: ErrorParts) {
    super('INVALID_BLOCK', parts);
  }
}

/** The device has no room for what was asked. */
export class OutOfMemoryError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('OUT_OF_MEMORY', parts, options);
  }
}

/** The backend was used after `dispose()`. */
export class BackendDisposedError extends GradusError {
  constructor(parts: ErrorParts) {
    super('BACKEND_DISPOSED', parts);
  }
}
