/**
 * The handle that users hold: a light object over a node of the graph.
 *
 * Its methods are the functions of `ops/`, attached in `methods.ts`, so that this file depends on none of them.
 */

import { isFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { ArgumentError, DTypeError, DuplicateCoreError, GradientError, TensorDisposedError } from './errors.ts';
import { releaseFromHandle, retainForHandle } from './graph/node.ts';
import type { Node } from './graph/node.ts';
import { showDims } from './graph/shape.ts';
import { tracing } from './graph/tracing.ts';
import { endLease, lease, register } from './memory/lifetime.ts';
import type { Lease } from './memory/lifetime.ts';
import type { TensorMethods } from './methods.ts';
import type { Device } from './runtime.ts';
import { showValue } from './values.ts';
import { CORE_VERSION } from './version.ts';

/** Sizes along each axis. */
export type Dims = readonly number[];

const BRAND = Symbol.for('gradus.tensor');
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** What became of a handle that is no longer usable. */
export interface End {
  /** Completes "because …". */
  readonly why: string;
  readonly fix: string;
}

const DISPOSED: End = { why: 'it was disposed', fix: 'use a tensor before disposing it.' };

/** Trace bit of tensors that require gradients by `requiresGrad`. */
export const REQUIRES_GRAD = 1;

/**
 * An n-dimensional array of one dtype on one device, whose value is computed when it is needed.
 *
 * @typeParam S the shape's type, such as `[2, 3]`; sizes that are not known are `number`
 */
// The methods come by declaration merging: see the head of this file.
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export class Tensor<S extends Dims = Dims> {
  #node: Node;
  /** Why the handle is no longer usable; null while it is. */
  #ended: End | null = null;
  #lease: Lease | null = null;
  #kept = false;
  /** A handle of its own, in no scope. */
  #gradient: Tensor | null = null;
  #weak: WeakRef<Tensor> | null = null;
  /** Does its value change by assignment? */
  #isState: boolean;

  /** @internal Made by ops and creation functions. `scoped: false` for state that lives until it is disposed. */
  constructor(node: Node, scoped = true) {
    this.#node = node;
    this.#isState = !scoped;
    retainForHandle(node);
    if (!scoped) this.#lease = lease(this, node, true);
    else if (!register(this)) this.#lease = lease(this, node);
  }

  /** Sizes along each axis. */
  get shape(): S {
    return this.#alive().shape.dims as S;
  }

  /** Number of axes. */
  get rank(): number {
    return this.#alive().shape.rank;
  }

  /** Number of elements. */
  get size(): number {
    return this.#alive().shape.size;
  }

  get dtype(): DType {
    return this.#alive().dtype;
  }

  /** The device its elements live on. */
  get device(): Device {
    return this.#alive().runtime.backend;
  }

  /** Was it disposed, by hand or with its scope? */
  get isDisposed(): boolean {
    return this.#ended !== null;
  }

  /**
   * Does `backward()` reach it? Setting it is for leaves of a float dtype: parameters and data, not results of ops.
   *
   * @throws DTypeError, GradientError when it is set on anything else
   */
  get requiresGrad(): boolean {
    return (this.#alive().traces & REQUIRES_GRAD) !== 0;
  }

  set requiresGrad(on: boolean) {
    const node = this.#alive();
    if (on) requireGradable('requiresGrad', node.dtype);
    if ((node.traces & REQUIRES_GRAD) !== 0 && node.cell?.deref() !== this)
      throw new GradientError({
        op: 'requiresGrad',
        expected: 'a leaf',
        got: `the result of ${node.op.name}`,
        fix: 'call detach() or evaluate() first.',
      });
    node.traces = on ? node.traces | REQUIRES_GRAD : node.traces & ~REQUIRES_GRAD;
    node.cell = on || this.#isState ? Tensor.weak(this) : null;
  }

  /** The accumulated gradient, after `backward()`; null before. Each look gives a handle of its own, which lives as any other tensor does. */
  get grad(): Tensor | null {
    const node = Tensor.gradientOf(this);
    return node === null ? null : new Tensor(node);
  }

  /** Setting it replaces the gradient: same shape, dtype and device; null forgets it. @throws GradientError */
  set grad(value: Tensor | null) {
    Tensor.setGradient(this, value === null ? null : Tensor.nodeOf(value, 'grad'));
  }

  /** Frees its share of the memory now. Using it afterwards throws TensorDisposedError; disposing again does nothing. */
  dispose(): void {
    endHandle(this, DISPOSED);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** `Tensor float32 [2, 3] on cpu`, with values once evaluated. */
  toString(): string {
    if (this.#ended !== null) return 'Tensor (disposed)';
    const node = this.#node;
    return `Tensor ${node.dtype} ${showDims(node.shape.dims)} on ${node.runtime.backend.name}`;
  }

  /** What `console.log` shows in Node.js. */
  [INSPECT](): string {
    return this.toString();
  }

  get [BRAND](): string {
    return CORE_VERSION;
  }

  #alive(): Node {
    if (this.#ended !== null) throw disposedError('tensor', this.#ended);
    return this.#node;
  }

  /** @internal The node behind a handle, for `op`. */
  static nodeOf(t: Tensor, op: string): Node {
    if (typeof t !== 'object' || t === null || !(#node in t)) throw foreign(t, op);
    if (t.#ended !== null) throw disposedError(op, t.#ended);
    return t.#node;
  }

  /** @internal Ends a handle. */
  static end(t: Tensor, why: End): void {
    if (t.#ended !== null) return;
    t.#ended = why;
    if (t.#lease !== null) endLease(t.#lease);
    if (t.#node.cell === t.#weak) t.#node.cell = null;
    releaseFromHandle(t.#node);
    t.#gradient?.dispose();
    t.#gradient = null;
  }

  /** @internal The one weak reference to a handle. */
  static weak(t: Tensor): WeakRef<Tensor> {
    t.#weak ??= new WeakRef(t);
    return t.#weak;
  }

  /** @internal Does its value change by assignment? */
  static isState(t: Tensor): boolean {
    return t.#isState;
  }

  /** @internal The node of the accumulated gradient. */
  static gradientOf(t: Tensor): Node | null {
    tracing.active?.gradientRead(t);
    return t.#gradient === null ? null : t.#gradient.#node;
  }

  /** @internal The handle that holds the accumulated gradient. */
  static gradientHandle(t: Tensor): Tensor | null {
    return t.#gradient;
  }

  /** @internal Replaces the accumulated gradient. */
  static setGradient(t: Tensor, node: Node | null): void {
    const own = Tensor.nodeOf(t, 'grad');
    if (node !== null && (node.shape !== own.shape || node.dtype !== own.dtype || node.runtime !== own.runtime))
      throw new GradientError({
        op: 'grad',
        expected: `a gradient like its tensor: ${own.dtype} ${showDims(own.shape.dims)} on ${own.runtime.backend.name}`,
        got: `${node.dtype} ${showDims(node.shape.dims)} on ${node.runtime.backend.name}`,
      });
    const old = Tensor.swapGradient(t, node === null ? null : new Tensor(node, false));
    if (tracing.active?.gradientWritten(t, old) !== true) old?.dispose();
  }

  /** @internal Puts another handle in the gradient's place and gives the old one. */
  static swapGradient(t: Tensor, handle: Tensor | null): Tensor | null {
    const old = t.#gradient;
    t.#gradient = handle;
    return old;
  }

  /** @internal Points a handle at another node: what it stands for from now on. */
  static rebind(t: Tensor, node: Node): void {
    if (t.#ended !== null) throw disposedError('assign', t.#ended);
    const old = t.#node;
    tracing.active?.assigned(t, old);
    t.#isState = true;
    node.cell = Tensor.weak(t);
    retainForHandle(node);
    t.#node = node;
    if (t.#lease !== null) t.#lease.node = node;
    releaseFromHandle(old);
  }

  /** @internal Lets a handle stand for another node until it is exchanged back, and gives the node that it stood for; counts are the caller's. */
  static exchange(t: Tensor, node: Node): Node {
    const old = t.#node;
    tracing.active?.assigned(t, old);
    t.#node = node;
    return old;
  }

  /** @internal Marks a handle to outlive its scope. */
  static keep(t: Tensor): void {
    Tensor.nodeOf(t, 'keep');
    t.#kept = true;
  }

  /** @internal */
  static isKept(t: Tensor): boolean {
    return t.#kept;
  }

  /** @internal Lets the garbage collector look after a handle that no scope owns. */
  static lease(t: Tensor): void {
    t.#kept = false;
    t.#lease ??= lease(t, t.#node);
  }
}

/** A tensor has every method of {@link TensorMethods}. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export interface Tensor<S extends Dims = Dims> extends TensorMethods<S> {}

/** The node behind a handle. @throws TensorDisposedError, DuplicateCoreError, ArgumentError for what is no tensor, naming `op` */
export function nodeOf(t: Tensor, op: string): Node {
  return Tensor.nodeOf(t, op);
}

/** Does `t` have an accumulated gradient? The same as looking at `t.grad`, without making a handle. */
export function hasGradient(t: Tensor): boolean {
  return Tensor.gradientOf(t) !== null;
}

/** Ends a handle. */
export function endHandle(t: Tensor, why: End): void {
  Tensor.end(t, why);
}

/** Is it a tensor of this copy of the core? @throws DuplicateCoreError for a tensor of another */
export function isTensor(value: unknown): value is Tensor {
  if (value instanceof Tensor) return true;
  if (typeof value === 'object' && value !== null && BRAND in value) throw foreign(value, 'isTensor');
  return false;
}

function disposedError(op: string, { why, fix }: End): TensorDisposedError {
  return new TensorDisposedError({ op, expected: 'a live tensor', got: `one that is gone because ${why}`, fix });
}

/** @throws DTypeError naming `op` for a dtype that changes in steps, and so has no gradient */
export function requireGradable(op: string, dtype: DType): void {
  if (isFloat(dtype)) return;
  throw new DTypeError({
    op,
    expected: 'a floating-point tensor, the only kind that can require gradients',
    got: dtype,
    fix: "cast it with toDType('float32'), or leave requiresGrad false.",
  });
}

function foreign(value: unknown, op: string): DuplicateCoreError | ArgumentError {
  if (typeof value === 'object' && value !== null && BRAND in value) {
    return new DuplicateCoreError({
      op,
      expected: `a tensor of @gradus/tensor ${CORE_VERSION} loaded here`,
      got: `one made by another copy, version ${String(value[BRAND])}`,
      fix: 'install one version of all @gradus packages: `npm ls @gradus/tensor` lists the copies.',
    });
  }
  return new ArgumentError({
    op,
    expected: 'a tensor',
    got: showValue(value),
    fix: value instanceof Promise ? 'await it first.' : 'make one with tensor(…).',
  });
}
