/**
 * Tracing: one run of a function in which ops are recorded and nothing is computed.
 *
 * What the function changes (state, gradients) is noted with what was there before and put back when the trace ends, so that a function
 * that throws in the middle changes nothing. The host's part (numbers, decisions, effects) happens at once; when the trace fails, it is
 * taken back too.
 */

import type { ErrorParts } from '@gradus/backend';
import { TraceError } from '../errors.ts';
import { release, retain } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';
import { tracing } from '../graph/tracing.ts';
import type { ActiveTrace, HostEntry } from '../graph/tracing.ts';
import { withInternalOwner } from '../memory/lifetime.ts';
import type { Owner } from '../memory/lifetime.ts';
import { REQUIRES_GRAD, Tensor, endHandle, nodeOf } from '../tensor.ts';
import type { End } from '../tensor.ts';

const LEAKED: End = {
  why: 'it was made in a compiled function, where only what is returned has a value',
  fix: 'return it from the function.',
};

/** Thrown through a function that cannot be traced now: it is run as it is. */
export class Untraceable extends Error {}

/** What a function made of one changing value. */
interface Change {
  readonly handle: Tensor;
  readonly before: Node;
  readonly after: Node;
}

/** The same for a gradient: null where there is none. `known` says whether the function looked at what was there before. */
interface GradientChange {
  readonly of: Tensor;
  readonly before: Node | null;
  readonly after: Node | null;
  readonly known: boolean;
}

/** What a trace found. All nodes in it are held: see {@link Trace.release}. */
export interface Traced {
  readonly result: unknown;
  readonly changes: readonly Change[];
  readonly gradients: readonly GradientChange[];
  /** Changing values that it calculates with: do they require gradients? */
  readonly uses: ReadonlyMap<WeakRef<Tensor>, boolean>;
  readonly host: readonly HostEntry[];
  /** Looks at arguments that are repeated in each call. */
  readonly checks: readonly { readonly node: Node; readonly look: (node: Node) => void }[];
}

/** One run of a function under trace. */
export class Trace implements ActiveTrace {
  readonly #owner: Owner = { handles: [], outer: null, state: 'open' };
  readonly #before = new Map<Tensor, Node>();
  readonly #gradients = new Map<Tensor, { readonly before: Tensor | null; readonly known: boolean }>();
  readonly #uses = new Map<WeakRef<Tensor>, boolean>();
  readonly #host: HostEntry[] = [];
  readonly #checks: { node: Node; look: (node: Node) => void }[] = [];
  readonly #endings: (() => void)[] = [];

  /** Runs `fn`, then `use` on what it found while its nodes are still there. @throws what either throws */
  static run<T>(fn: () => unknown, use: (traced: Traced) => T): T {
    const trace = new Trace();
    tracing.active = trace;
    try {
      const result = withInternalOwner(trace.#owner, fn);
      const traced = trace.#collect(result);
      trace.#putBack();
      tracing.active = null;
      return use(traced);
    } catch (error) {
      trace.#putBack();
      undo(trace.#host);
      throw error;
    } finally {
      tracing.active = null;
      for (const handle of trace.#owner.handles) endHandle(handle, LEAKED);
    }
  }

  #collect(result: unknown): Traced {
    return {
      result,
      changes: [...this.#before].map(([handle, before]) => ({ handle, before, after: nodeOf(handle, 'compile') })),
      gradients: [...this.#gradients].map(([of, { before, known }]) => ({
        of,
        known,
        before: before === null ? null : nodeOf(before, 'compile'),
        after: Tensor.gradientOf(of),
      })),
      uses: this.#uses,
      host: this.#host,
      checks: this.#checks,
    };
  }

  /** Gives every handle the value it had. The traced nodes live on by the handles that the trace now has on them. */
  #putBack(): void {
    tracing.active = null;
    for (const [handle, before] of this.#before) {
      if (!handle.isDisposed) {
        withInternalOwner(this.#owner, () => new Tensor(nodeOf(handle, 'compile')));
        const { cell } = before;
        Tensor.rebind(handle, before);
        before.cell = cell;
      }
      release(before);
    }
    for (const [of, { before }] of this.#gradients) {
      const traced = Tensor.swapGradient(of, before);
      if (traced !== null && traced !== before) this.#owner.handles.push(traced);
    }
    this.#before.clear();
    this.#gradients.clear();
    for (const ending of this.#endings.splice(0)) ending();
  }

  used(inputs: readonly Node[]): void {
    for (const { cell, traces } of inputs) if (cell !== null && !this.#uses.has(cell)) this.#uses.set(cell, (traces & REQUIRES_GRAD) !== 0);
  }

  assigned(handle: Tensor, before: Node): void {
    if (this.#before.has(handle)) return;
    this.#before.set(handle, before);
    retain(before);
  }

  gradientRead(of: Tensor): void {
    if (!this.#gradients.has(of)) this.#gradients.set(of, { before: Tensor.gradientHandle(of), known: true });
  }

  gradientWritten(of: Tensor, before: Tensor | null): boolean {
    const known = this.#gradients.get(of);
    if (known === undefined) this.#gradients.set(of, { before, known: false });
    return known === undefined || known.before === before;
  }

  host(entry: HostEntry): void {
    this.#host.push(entry);
  }

  check(node: Node, look: (node: Node) => void): void {
    this.#checks.push({ node, look });
  }

  atEnd(fn: () => void): void {
    this.#endings.push(fn);
  }

  refuse(parts: ErrorParts): never {
    throw new TraceError(parts);
  }

  refuseState(): never {
    throw new Untraceable('state is made in it');
  }
}

/** Takes effects back, last one first. */
export function undo(host: readonly HostEntry[]): void {
  for (const entry of host.toReversed()) if (entry.kind === 'effect') entry.undo();
}
