/**
 * The host's part of a computation: numbers, decisions and effects of plain JavaScript that a compiled function must not freeze.
 *
 * Outside `compile` these do what they say at once. Inside, they are also repeated in every later call, in the order they came in:
 * that is how a learning rate that was changed, a step count or a random counter takes effect without a new trace.
 */

import { tracing } from './graph/tracing.ts';

/** A number that is read anew whenever it is used: an operand like a plain number. */
export class HostNumber {
  readonly read: () => number;

  constructor(read: () => number) {
    this.read = read;
  }
}

/** A number that is read anew whenever it is used, in every call of a compiled function too: a rate, a scale, a step count. */
export function hostNumber(read: () => number): HostNumber {
  return new HostNumber(read);
}

/** What `read` gives, for deciding what to compute. A compiled function is traced again when it gives something else. */
export function hostDecision<T extends string | number | boolean | null>(read: () => T): T {
  const value = read();
  tracing.active?.host({ kind: 'decision', read, value });
  return value;
}

/** Does something on the host, in every call of a compiled function: counting a step, drawing from a generator. `undo` takes it back. */
export function hostEffect(run: () => void, undo: () => void): void {
  run();
  tracing.active?.host({ kind: 'effect', run, undo });
}
