/**
 * Scopes: what is made inside ends with it, except what is returned, kept, or a single number.
 *
 * A loop over a DataLoader makes each iteration one; see {@link iterationScopes}.
 */

import { ScopeError } from '../errors.ts';
import { cutInputs } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';
import { tracing } from '../graph/tracing.ts';
import { flush } from '../lowering/flush.ts';
import type { Runtime } from '../runtime.ts';
import { Tensor, endHandle, isTensor, nodeOf } from '../tensor.ts';
import type { End } from '../tensor.ts';
import { currentOwner, enterOwner, hasAsyncContexts, register, runWithOwner, withInternalOwner } from './lifetime.ts';
import type { Owner } from './lifetime.ts';
import { settleScalar } from './settle.ts';

const SCOPE_ENDED: End = {
  why: 'the scope it was made in has ended',
  fix: 'carry a value into the next iteration or out of a scope with keep(), or return it from the scope.',
};

class Scope implements Owner {
  readonly handles: Tensor[] = [];
  readonly outer: Owner | null;
  state: Owner['state'];

  constructor(outer: Owner | null, state: Owner['state'] = 'open') {
    this.outer = outer;
    this.state = state;
  }
}

/** A scope opened by `using s = scope()`. */
export interface ScopeHandle extends Disposable {
  /** Ends it. Ending twice does nothing. */
  end(): void;
}

/**
 * Runs `fn`, then releases the tensors it made. Those it returns (alone, or in arrays, plain objects, maps and sets) go to the scope around,
 * single numbers (rank 0) and kept tensors live on. With a promise, the scope ends when that settles.
 *
 * Without arguments, opens a scope that ends with the block: `using s = scope()`.
 */
export function scope(): ScopeHandle;
export function scope<T>(fn: () => T): T;
export function scope<T>(fn?: () => T): T | ScopeHandle {
  const outer = currentOwner();
  const opened = new Scope(outer);
  if (fn === undefined) return openScope(opened);
  let result: T;
  try {
    result = runWithOwner(opened, fn);
  } catch (error) {
    closeScope(opened, undefined);
    throw error;
  }
  if (!(result instanceof Promise)) return closeScope(opened, result);
  const settled = result.then(
    (value: unknown) => closeScope(opened, value),
    (error: unknown) => {
      closeScope(opened, undefined);
      throw error;
    },
  );
  return settled as T;
}

function openScope(opened: Scope): ScopeHandle {
  enterOwner(opened);
  const end = (): void => {
    if (opened.state === 'closed') return;
    const current = currentOwner();
    closeScope(opened, undefined);
    enterOwner(opened.outer);
    if (current !== opened && !hasAsyncContexts()) throw overlapping();
  };
  return { end, [Symbol.dispose]: end };
}

function overlapping(): ScopeError {
  return new ScopeError({
    op: 'scope',
    expected: 'scopes that end in the reverse order of their beginning',
    got: 'two that overlap, in an engine without asynchronous contexts',
    fix: 'run one loop after the other, or give each its own worker.',
  });
}

/** Lets a tensor outlive the scope it was made in, until it is disposed or collected. Its gradient history ends with the scope. */
export function keep<T extends Tensor>(tensor: T): T {
  tracing.active?.refuse({
    op: 'keep',
    expected: 'results to be returned from a compiled function',
    got: 'keep() inside one',
    fix: 'return the tensor.',
  });
  Tensor.keep(tensor);
  return tensor;
}

/** What a container holds: arrays, maps, sets and plain objects are looked into, instances of other classes are not. */
function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}

const NONE: ReadonlySet<Tensor> = new Set();

/** Is it a number on the host that remembers nothing? Then it is ordinary garbage, and a scope need not look after it. */
function isPlainNumber({ state, storage, inputs, traces }: Node): boolean {
  return state === 'ready' && storage === null && inputs.length === 0 && traces === 0;
}

/** The tensors in a value: itself, or in containers, however deep; they may contain each other. */
function tensorsIn(value: unknown): ReadonlySet<Tensor> {
  if (typeof value !== 'object' || value === null) return NONE;
  const found = new Set<Tensor>();
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const each = waiting.pop();
    if (typeof each !== 'object' || each === null || seen.has(each)) continue;
    if (isTensor(each)) {
      found.add(each);
      continue;
    }
    seen.add(each);
    for (const part of partsOf(each)) if (typeof part === 'object') waiting.push(part);
  }
  return found;
}

/** Ends a scope; `result` survives it, with its history. What else lives on (kept tensors, numbers) is computed and loses its history. */
function closeScope<T>(ending: Scope, result: T): T {
  ending.state = 'closed';
  // Handles of a trace are its own: none is here.
  if (tracing.active !== null) return result;
  const { outer } = ending;
  const returned = tensorsIn(result);
  const staying: Tensor[] = [];
  const leaving: Tensor[] = [];
  for (const handle of ending.handles) {
    if (handle.isDisposed) continue;
    if (returned.has(handle) && !Tensor.isKept(handle)) giveTo(outer, handle);
    else if (isPlainNumber(nodeOf(handle, 'scope'))) continue;
    else if (Tensor.isKept(handle) || nodeOf(handle, 'scope').shape.rank === 0) staying.push(handle);
    else leaving.push(handle);
  }
  for (const handle of leaving) endHandle(handle, SCOPE_ENDED);
  // Last made first: what only later numbers were made from is free by the time it is looked at.
  if (staying.length > 0) settle(staying.toSorted((a, b) => nodeOf(b, 'scope').id - nodeOf(a, 'scope').id));
  for (const handle of staying) {
    const { storage, inputs } = nodeOf(handle, 'scope');
    // Part of a returned value's history: it ends where that does.
    if (inputs.length > 0 && outer !== null && !Tensor.isKept(handle)) outer.handles.push(handle);
    else if (storage !== null || inputs.length > 0) Tensor.lease(handle);
  }
  ending.handles.length = 0;
  return result;
}

function giveTo(owner: Owner | null, handle: Tensor): void {
  if (owner === null) Tensor.lease(handle);
  else owner.handles.push(handle);
}

/** Gives survivors values of their own, free of the graph that made them. */
function settle(survivors: readonly Tensor[]): void {
  const pending = new Map<Runtime, Node[]>();
  for (const handle of survivors) {
    const node = nodeOf(handle, 'scope');
    if (node.state !== 'pending') continue;
    const list = pending.get(node.runtime);
    if (list === undefined) pending.set(node.runtime, [node]);
    else list.push(node);
  }
  for (const [runtime, nodes] of pending) flush(runtime, nodes);
  for (const handle of survivors) {
    const node = nodeOf(handle, 'scope');
    // What a returned value was made from is part of its history.
    if (node.refs > node.handles) continue;
    if (node.cell === null) {
      node.traces = 0;
      cutInputs(node);
    }
    if (node.shape.rank === 0) settleScalar(node);
  }
}

/** Makes each iteration over `source` a scope, for loaders: what the body makes is released when the next item is asked for. */
export function iterationScopes<T>(source: AsyncIterator<T> | Iterator<T>): AsyncIterableIterator<T> {
  const outer = currentOwner();
  let current: Scope | null = null;
  const finish = (): void => {
    if (current !== null) closeScope(current, undefined);
    current = null;
    enterOwner(outer);
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    // Not async: the scope has to be entered before the caller awaits.
    next() {
      if (current !== null) {
        if (!hasAsyncContexts() && currentOwner() !== current) throw overlapping();
        closeScope(current, undefined);
      }
      const opening = new Scope(outer, 'opening');
      current = opening;
      enterOwner(opening);
      const makers: Owner = { handles: opening.handles, outer, state: 'open' };
      const opened = (result: IteratorResult<T>): IteratorResult<T> => {
        makers.state = 'closed';
        if (result.done === true) finish();
        else opening.state = 'open';
        return result;
      };
      const failed = (error: unknown): never => {
        makers.state = 'closed';
        finish();
        throw error;
      };
      try {
        const step = runWithOwner(makers, () => source.next());
        return step instanceof Promise ? step.then(opened, failed) : Promise.resolve(opened(step));
      } catch (error) {
        return failed(error);
      }
    },
    async return(value?: unknown) {
      finish();
      await source.return?.();
      return { done: true, value: value as T };
    },
  };
}

/** Gives a handle to the current owner. */
function adopt(handle: Tensor): void {
  if (!register(handle)) Tensor.lease(handle);
}

/** Runs `fn` and releases what it makes, except what it returns, which goes to the current scope. For composites and rules of the core. */
export function compose<T>(fn: () => T): T {
  const inner = new Scope(null);
  let result: T;
  try {
    result = withInternalOwner(inner, fn);
  } catch (error) {
    for (const handle of inner.handles) handle.dispose();
    throw error;
  }
  const returned = tensorsIn(result);
  for (const handle of inner.handles) {
    if (returned.has(handle) || Tensor.isKept(handle)) adopt(handle);
    else handle.dispose();
  }
  return result;
}
