/**
 * Expressing: the value of a slot at a point of some index space, as a scalar expression.
 *
 * Words used here:
 * - A **chain** is the list of views between a slot and the index space, innermost first. Elementwise ops add broadcasts to it.
 * - An **access** is an operand as the expression sees it: a source and its strides over the index space.
 * - A **placed** slot has elements in memory: leaves, and what the plan stores. All others are expressed in line.
 *
 * Where strides cannot say what a chain does, {@link StoreFirst} names the slot that must be stored, and planning starts over.
 */

import { axisIndex, cast, constant, gather, isFloat, load, scalar } from '@gradus/backend';
import type { Capabilities, DType, Expression } from '@gradus/backend';
import { internalError } from '../internal.ts';
import type { ExpressionContext } from '../graph/op.ts';
import type { Item } from './item.ts';
import { denseView, expandView, isDense } from './view.ts';
import type { View } from './view.ts';

/** Thrown while expressing: slot `slot` has to be in memory before this can be said. */
export class StoreFirst extends Error {
  readonly slot: number;
  constructor(slot: number) {
    super(`slot ${slot} must be stored`);
    this.slot = slot;
  }
}

/** Axis numbers from here on stand for positions until the index space is final: see `draft.ts`. */
export const POSITION_BASE = 1000;

/** A chain of views: apply `step` to a view of the inner dims, then the rest. The end of the chain is the index space. */
export interface Chain {
  readonly step: (view: View) => View | null;
  /** The slot to store when `step` gives null. */
  readonly culprit: number;
  readonly outer: Chain | null;
  /** Longer chains that start with this one, so that equal chains are one object. */
  readonly longer: Map<string, Chain>;
}

/** An operand of the kernel under construction. */
export interface Access {
  /** The slot whose memory it is. */
  readonly slot: number;
  readonly dtype: DType;
  /** Null for dense operands that are addressed by position. */
  readonly view: View | null;
  /** Of a dense operand: its first element and how many there are. */
  readonly offset?: number;
  readonly length?: number;
}

/** An access by position: the slot must lie dense in memory. @throws StoreFirst */
export function denseAccess(item: Item, placement: Placement): Access {
  const place = placement.placeOf(item.slot);
  if (place === null || !isDense(place.view)) throw new StoreFirst(item.slot);
  return { slot: place.slot, dtype: item.dtype, view: null, offset: place.view.offset, length: item.size };
}

/** A scalar argument: the value of a host scalar, or a number fixed by the shapes. */
export type ScalarSource = { readonly slot: number } | { readonly value: number };

/** One scalar argument of the kernel under construction. */
export interface Scalar {
  readonly dtype: DType;
  readonly source: ScalarSource;
}

/** Where placed slots lie and what may be used in line; given by the plan. */
export interface Placement {
  readonly items: readonly Item[];
  readonly capabilities: Capabilities;
  /** Where a slot lies, null when it is expressed in line. */
  placeOf(slot: number): Place | null;
}

/** Memory of slot `slot`, seen through `view`. */
export interface Place {
  readonly slot: number;
  readonly view: View;
}

/** Expressions of one kernel: shares sub-expressions and collects accesses. */
export class Expresser {
  readonly accesses: Access[] = [];
  readonly scalars: Scalar[];
  /** Views whose positions are asked for: Σ coordinate · stride + offset. */
  readonly positions: View[] = [];
  readonly #placement: Placement;
  /** Slots this kernel computes at every point itself, and the expression each starts from (an accumulator), if any. */
  readonly #own: ReadonlyMap<number, Expression | null>;
  readonly #memo = new Map<Chain | null, Map<number, Expression>>();
  /** Names chains in memo keys. */
  #start: Chain | null = null;

  /** `scalars` may be shared by the expressers of one kernel. */
  constructor(placement: Placement, own: ReadonlyMap<number, Expression | null>, scalars: Scalar[] = []) {
    this.#placement = placement;
    this.#own = own;
    this.scalars = scalars;
  }

  /** The value of `slot` seen through `chain`. */
  express(slot: number, chain: Chain | null): Expression {
    const memo = this.#memo.get(chain) ?? new Map<number, Expression>();
    if (memo.size === 0) this.#memo.set(chain, memo);
    let e = memo.get(slot);
    if (e === undefined) {
      e = this.#express(slot, chain);
      memo.set(slot, e);
      // What lies in memory is no smaller for being stored again: some part in line that uses it has to be.
      const full = this.accesses.length + this.#own.size >= this.#placement.capabilities.maxBindings;
      if (full && !this.#own.has(slot) && this.#placement.placeOf(slot) === null && this.#item(slot).op.lowering.kind === 'elementwise')
        throw new StoreFirst(slot);
    }
    return e;
  }

  /** The value of a slot that this kernel stores, at its own points. */
  define(slot: number, chain: Chain | null): Expression {
    const known = this.#memo.get(chain)?.get(slot);
    if (known !== undefined) return known;
    const e = this.#own.get(slot) ?? (this.#own.has(slot) ? this.#inLine(this.#item(slot), chain) : this.express(slot, chain));
    const memo = this.#memo.get(chain) ?? new Map<number, Expression>();
    this.#memo.set(chain, memo.set(slot, e));
    return e;
  }

  #express(slot: number, chain: Chain | null): Expression {
    const item = this.#item(slot);
    if (item.flags.hostScalar) return this.#hostScalar(item);
    const own = this.#own.get(slot);
    if (own !== undefined) {
      this.#demandSamePoint(item, chain);
      if (own !== null) return own;
    } else {
      const place = this.#placement.placeOf(slot);
      if (place !== null) return load(item.dtype, this.#access({ slot: place.slot, dtype: item.dtype, view: this.#through(place.view, chain) }));
    }
    return this.#inLine(item, chain);
  }

  #inLine(item: Item, chain: Chain | null): Expression {
    const { slot } = item;
    const { lowering } = item.op;
    switch (lowering.kind) {
      case 'constant':
        return this.#constant(item);
      case 'view':
        return this.#throughViews(item, chain);
      case 'elementwise':
        return this.#elementwise(item, chain, lowering);
      default:
        // A heavy op in the middle of an expression: it has a kernel of its own.
        throw new StoreFirst(slot);
    }
  }

  /** Follows views down to what is no view, or is placed: in a loop, since there may be more than the engine's stack holds. */
  #throughViews(item: Item, chain: Chain | null): Expression {
    let at = item;
    let seen = chain;
    for (;;) {
      const { op, site, slot, inputs } = at;
      const { lowering } = op;
      const [input = 0] = inputs;
      if (lowering.kind !== 'view') return this.express(slot, seen);
      seen = this.#extend(seen, `v${slot}`, (view) => lowering.apply(view, site), input);
      at = this.#item(input);
      if (at.flags.leaf || this.#own.has(input) || this.#placement.placeOf(input) !== null) return this.express(input, seen);
    }
  }

  #elementwise(item: Item, chain: Chain | null, lowering: Extract<Item['op']['lowering'], { kind: 'elementwise' }>): Expression {
    const args = item.inputs.map((input, i) => {
      if (lowering.indexed?.includes(i) === true) return constant('int32', 0);
      const e = this.express(input, this.#broadcast(chain, this.#item(input).dims, item.dims, item.slot));
      return this.#calculable(e);
    });
    return cast(lowering.express(args, this.#context(item, chain)), item.dtype);
  }

  /** Backends that only store a float dtype calculate in float32. */
  #calculable(e: Expression): Expression {
    return cast(e, this.#computed(e.dtype));
  }

  #context(item: Item, chain: Chain | null): ExpressionContext {
    return {
      ...item.site,
      ...this.contextOver(item.dims, item.slot, chain),
      gather: (input, position, fill) => {
        const source = this.#item(item.inputs[input] ?? 0);
        return this.#calculable(gather(source.dtype, this.#access(denseAccess(source, this.#placement)), position, fill));
      },
    };
  }

  /** Positions and sizes over `dims`, seen through `chain`; `slot` is stored first where that cannot be said. */
  contextOver(dims: readonly number[], slot: number, chain: Chain | null = null): Pick<ExpressionContext, 'position' | 'size'> {
    return {
      position: (strides) => {
        this.positions.push(this.#through({ dims, strides, offset: 0 }, chain, slot));
        return axisIndex(POSITION_BASE + this.positions.length - 1);
      },
      size: (value) => this.#scalar('int32', { value }),
    };
  }

  /** The dtype that numbers of `dtype` are made in. */
  #computed(dtype: DType): DType {
    return isFloat(dtype) && !this.#placement.capabilities.dtypes[dtype].compute ? 'float32' : dtype;
  }

  #constant(item: Item): Expression {
    return cast(constant(this.#computed(item.dtype), item.site.attribute as number), item.dtype);
  }

  #hostScalar(item: Item): Expression {
    return cast(this.#scalar(this.#computed(item.dtype), { slot: item.slot }), item.dtype);
  }

  #scalar(dtype: DType, source: ScalarSource): Expression {
    const key = 'slot' in source ? source.slot : null;
    let index = this.scalars.findIndex((s) => ('slot' in s.source ? s.source.slot === key : 'value' in source && s.source.value === source.value));
    if (index < 0) index = this.scalars.push({ dtype, source }) - 1;
    return scalar(dtype, index);
  }

  #access(access: Access): number {
    const same = this.accesses.findIndex(
      (a) => a.slot === access.slot && a.offset === access.offset && a.length === access.length && sameView(a.view, access.view),
    );
    return same >= 0 ? same : this.accesses.push(access) - 1;
  }

  /** A slot of this kernel's own is known only at the point where it is computed. */
  #demandSamePoint(item: Item, chain: Chain | null): void {
    if (chain === null) return;
    const view = this.#through(denseView(item.dims), chain, item.slot);
    const points = view.dims.reduce((n, size) => n * size, 1);
    if (points !== item.size || view.offset !== 0 || !isDense(view)) throw new StoreFirst(item.slot);
  }

  #broadcast(chain: Chain | null, from: readonly number[], to: readonly number[], culprit: number): Chain | null {
    if (from.length === to.length && from.every((size, i) => size === to[i])) return chain;
    return this.#extend(chain, `b${from.join()}:${to.join()}`, (view) => expandView(view, to), culprit);
  }

  #extend(outer: Chain | null, name: string, step: Chain['step'], culprit: number): Chain {
    const known = (outer ?? this.#root()).longer;
    let chain = known.get(name);
    if (chain === undefined) {
      chain = { step, culprit, outer, longer: new Map() };
      known.set(name, chain);
    }
    return chain;
  }

  #root(): Chain {
    this.#start ??= { step: (view) => view, culprit: -1, outer: null, longer: new Map() };
    return this.#start;
  }

  /** A chain that begins at an index space which is not the slot's own dims: a permutation of a reduce's input, say. */
  startChain(step: Chain['step'], culprit: number): Chain {
    return this.#extend(null, `s${culprit}`, step, culprit);
  }

  /** `view` as the index space sees it. */
  #through(view: View, chain: Chain | null, culprit?: number): View {
    let seen = view;
    for (let link = chain; link !== null; link = link.outer) {
      const next = link.step(seen);
      if (next === null) throw new StoreFirst(culprit ?? link.culprit);
      seen = next;
    }
    return seen;
  }

  #item(slot: number): Item {
    return this.#placement.items[slot] ?? internalError(`no slot ${slot}`);
  }
}

function sameView(a: View | null, b: View | null): boolean {
  if (a === null || b === null) return a === b;
  return a.offset === b.offset && a.strides.every((s, i) => s === b.strides[i] || (a.dims[i] ?? 1) <= 1);
}
