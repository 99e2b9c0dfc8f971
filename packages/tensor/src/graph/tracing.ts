/**
 * What the core tells a trace: the run of a function that `compile` captures (see `compile/trace.ts`). Null while nothing is traced;
 * programs that never call `compile` carry no more than this file.
 */

import type { ErrorParts } from '@gradus/backend';
import type { Tensor } from '../tensor.ts';
import type { Node } from './node.ts';

/** Something on the host that a compiled function does, asks or reads again in every call, in the order of the trace. */
export type HostEntry =
  | { readonly kind: 'effect'; readonly run: () => void; readonly undo: () => void }
  | { readonly kind: 'decision'; readonly read: () => unknown; readonly value: unknown }
  | { readonly kind: 'number'; readonly read: () => number; readonly node: Node };

/** The trace under way. */
export interface ActiveTrace {
  /** A handle is about to stand for another value than `before`. */
  assigned(handle: Tensor, before: Node): void;
  /** An op takes these as inputs. */
  used(inputs: readonly Node[]): void;
  /** The gradient of a tensor is looked at. */
  gradientRead(of: Tensor): void;
  /** The gradient of a tensor was replaced. True when the trace takes the earlier one over, to put it back. */
  gradientWritten(of: Tensor, before: Tensor | null): boolean;
  /** Something that happens on the host. */
  host(entry: HostEntry): void;
  /** A look at the elements of `node`, to be repeated when it is an argument. */
  check(node: Node, look: (node: Node) => void): void;
  /** Runs when the trace ends, however it does. */
  atEnd(fn: () => void): void;
  /** For what cannot be done in a trace. @throws TraceError */
  refuse(parts: ErrorParts): never;
  /** Making state in a trace: the call is run as it is instead, and the next one traced. */
  refuseState(): never;
}

/** The trace in progress. */
export const tracing: { active: ActiveTrace | null } = { active: null };
