/**
 * Who owns a handle: the scope that is current when it is made, else the garbage collector.
 *
 * The current scope is, in this order: a synchronous one of the core's own; the asynchronous context's (AsyncLocalStorage, where the
 * engine has it); a plain variable elsewhere. The finalizer is the backstop for handles made outside any scope, never the mechanism.
 */

import { releaseFromHandle } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';
import type { Tensor } from '../tensor.ts';

/** A collection of handles that end together. */
export interface Owner {
  readonly handles: Tensor[];
  /** The owner around it. */
  readonly outer: Owner | null;
  /** `opening`: a loop's next batch is under way; what others make meanwhile is not its. */
  state: 'opening' | 'open' | 'closed';
}

/** The part of Node's AsyncLocalStorage that is used. */
interface ContextStorage {
  getStore(): Owner | null | undefined;
  enterWith(store: Owner | null): void;
  run<T>(store: Owner | null, fn: () => T): T;
}

/** Engines with `process.getBuiltinModule` have async contexts; found once, when the first scope opens. */
function findContextStorage(): ContextStorage | null {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
  const hooks = process?.getBuiltinModule?.('node:async_hooks') as { AsyncLocalStorage: new () => ContextStorage } | undefined;
  return hooks === undefined ? null : new hooks.AsyncLocalStorage();
}

let contexts: ContextStorage | null | undefined;
/** The core's own, strictly nested and synchronous. */
let internal: Owner | null = null;
/** Where there are no async contexts. */
let ambient: Owner | null = null;

function storage(): ContextStorage | null {
  contexts ??= findContextStorage();
  return contexts;
}

/** Does each asynchronous task have a current scope of its own here? */
export function hasAsyncContexts(): boolean {
  return storage() !== null;
}

/** The innermost open user scope. */
export function currentOwner(): Owner | null {
  let owner = contexts === undefined ? null : contexts === null ? ambient : (contexts.getStore() ?? null);
  while (owner !== null && owner.state !== 'open') owner = owner.outer;
  return owner;
}

/** Makes `owner` current for the rest of this asynchronous task. */
export function enterOwner(owner: Owner | null): void {
  const context = storage();
  if (context === null) ambient = owner;
  else context.enterWith(owner);
}

/** Runs `fn`, and whatever asynchronous work it starts, with `owner` current. */
export function runWithOwner<T>(owner: Owner | null, fn: () => T): T {
  const context = storage();
  if (context !== null) return context.run(owner, fn);
  const before = ambient;
  ambient = owner;
  try {
    return fn();
  } finally {
    ambient = before;
  }
}

/** Runs synchronous `fn` with every new handle owned by `owner`, whatever the state of the user's scopes. */
export function withInternalOwner<T>(owner: Owner | null, fn: () => T): T {
  const before = internal;
  internal = owner;
  try {
    return fn();
  } finally {
    internal = before;
  }
}

/** Gives a new handle to the current owner; false when there is none. */
export function register(handle: Tensor): boolean {
  const owner = internal ?? currentOwner();
  if (owner === null) return false;
  owner.handles.push(handle);
  return true;
}

/** What the finalizer knows of a handle that was collected: its node, or null when the handle was disposed before. */
export interface Lease {
  node: Node | null;
  readonly revocable: boolean;
}

let collected = 0;
const registry: FinalizationRegistry<Lease> = /* @__PURE__ */ new FinalizationRegistry<Lease>((held) => {
  if (held.node === null) return;
  collected++;
  releaseFromHandle(held.node);
  held.node = null;
});

/**
 * Lets the garbage collector release `node` when `handle` is gone. `revocable` leases can be ended without a trace, which matters for
 * handles that are replaced in every step; making one costs four times as much.
 */
export function lease(handle: Tensor, node: Node, revocable = false): Lease {
  const held = { node, revocable };
  if (revocable) registry.register(handle, held, held);
  else registry.register(handle, held);
  return held;
}

/** Ends a lease: the handle was disposed. */
export function endLease(held: Lease): void {
  held.node = null;
  if (held.revocable) registry.unregister(held);
}

/** How many handles the garbage collector has released: handles that no scope and no `dispose` ended. */
export function collectedHandles(): number {
  return collected;
}
