/** What a failing check throws. */

import { GradusError } from '@gradus/backend';

/** The parts of a failure. */
export interface Failure {
  /** The check and, within it, the case: `map / add / float32 / transposed / 33`. */
  readonly where: string;
  /** What should be there, and at which element. */
  readonly expected: string;
  readonly got: string;
  /** The sentence of the contract that is broken. */
  readonly rule: string;
  /** The kernel, in one line. */
  readonly kernel?: string;
  /** What the kernel read at the failing point. */
  readonly inputs?: string;
}

/** A backend breaks the contract: which case, which element, which rule. */
export class ConformanceError extends GradusError {
  /** The sentence of the contract that is broken. */
  readonly rule: string;

  constructor(failure: Failure, options?: ErrorOptions) {
    super('CONFORMANCE', { op: failure.where, expected: failure.expected, got: failure.got }, options);
    this.rule = failure.rule;
    if (failure.inputs !== undefined) this.message += `\n  inputs: ${failure.inputs}`;
    if (failure.kernel !== undefined) this.message += `\n  kernel: ${failure.kernel}`;
    this.message += `\n  rule: ${failure.rule}`;
  }
}
