/**
 * Scheduling: which kernels there are, in which order, and what joins what.
 *
 * Stored slots come in order; each opens a kernel or widens an earlier one: maps over the same points that share what they read, or read
 * what the other makes, are one map or one epilogue; reduces over the same points that share what they read are one pass.
 */

import { internalError } from '../internal.ts';
import { invertiblePath } from './decide.ts';
import { StoreFirst } from './express.ts';
import type { Placement } from './express.ts';
import { fusedOf } from './fused.ts';
import type { Fused } from './fused.ts';
import { express, foldedSpace } from './group.ts';
import type { Expressed, Group, Store } from './group.ts';
import type { Item } from './item.ts';
import { denseView, sliceView } from './view.ts';
import type { View } from './view.ts';
import type { Work } from './work.ts';

/** The inputs of a concatenation, and where each lies in it. */
export function partsOf(item: Item, items: readonly Item[]): { readonly part: Item; readonly view: View }[] {
  const { lowering } = item.op;
  const axis = lowering.kind === 'concatenate' ? lowering.axis(item.site) : 0;
  let at = 0;
  return item.inputs.map((slot) => {
    const part = items[slot] ?? internalError(`no slot ${slot}`);
    const starts = item.dims.map((_, i) => (i === axis ? at : 0));
    at += part.dims[axis] ?? 0;
    return {
      part,
      view: sliceView(
        denseView(item.dims),
        starts,
        item.dims.map(() => 1),
        part.dims,
      ),
    };
  });
}

/** The kernels of a plan, in the order in which they run. */
export class Schedule {
  readonly works: Work[] = [];
  readonly #items: readonly Item[];
  readonly #placement: Placement;
  readonly #anchors: ReadonlyMap<number, number>;
  readonly #isInPlace: (part: Item, whole: Item, offset: number) => boolean;
  /** Work that writes a slot's memory last. */
  readonly #madeBy = new Map<number, number>();
  /** The first kernel that may be widened. */
  #first = 0;

  /** `isInPlace` says which parts of concatenations lie where they belong from the start. */
  constructor(placement: Placement, anchors: ReadonlyMap<number, number>, isInPlace: (part: Item, whole: Item, offset: number) => boolean) {
    this.#items = placement.items;
    this.#placement = placement;
    this.#anchors = anchors;
    this.#isInPlace = isInPlace;
  }

  /** What is added from now on joins no kernel that is there. */
  fence(): void {
    this.#first = this.works.length;
  }

  /** Adds what computes a stored slot. */
  add(item: Item): void {
    const { lowering } = item.op;
    if (lowering.kind === 'concatenate') {
      for (const { part, view } of partsOf(item, this.#items)) {
        if (!this.#isInPlace(part, item, view.offset) && part.size > 0)
          this.#addGroup({ anchor: null, stores: [{ value: part.slot, into: item.slot, view }] });
      }
      this.#madeBy.set(item.slot, this.works.length - 1);
      return;
    }
    if (lowering.kind === 'scatter') {
      const [target = 0] = item.inputs;
      this.#addGroup({ anchor: null, stores: [{ value: target, into: item.slot, view: denseView(item.dims) }] });
      this.#madeBy.set(item.slot, this.works.push({ kind: 'scatter', item }) - 1);
      return;
    }
    if (lowering.kind === 'kernel') {
      this.#addFused(fusedOf(item), lowering.output, item.slot);
      return;
    }
    const store: Store = { value: item.slot, into: item.slot, view: denseView(item.dims) };
    this.#addGroup({ anchor: this.#anchors.get(item.slot) ?? null, stores: [store] });
  }

  /** Adds a kernel of its own, or makes `slot` one more output of the same kernel over the same inputs. */
  #addFused(fused: Fused, output: number, slot: number): void {
    const at = this.works.findIndex((work) => work.kind === 'fused' && work.fused.key === fused.key && !work.fused.outputs.has(output));
    const work = this.works[at];
    if (work?.kind === 'fused') work.fused.outputs.set(output, slot);
    this.#madeBy.set(slot, work === undefined ? this.works.push({ kind: 'fused', fused }) - 1 : at);
  }

  /** Adds a kernel, or widens an earlier one that it belongs to. */
  #addGroup(group: Group): void {
    const expressed = express(group, this.#placement);
    const [store] = group.stores;
    if (store === undefined) return;
    const after = Math.max(-1, ...expressed.reads.map((r) => this.#madeBy.get(r.slot) ?? -1));
    if (store.into === store.value) {
      // A map may join the kernel that makes what it reads; a reduce needs that finished.
      const first = Math.max(group.anchor === null ? after : after + 1, this.#first);
      for (let at = this.works.length - 1; at >= first; at--) {
        const work = this.works[at];
        const merged = group.anchor === null ? this.#merge(work, store, expressed) : this.#mergeFold(work, group.anchor, store, expressed);
        if (merged === null) continue;
        this.works[at] = { kind: 'group', expressed: merged };
        this.#madeBy.set(store.into, at);
        return;
      }
    }
    this.#madeBy.set(store.into, this.works.push({ kind: 'group', expressed }) - 1);
  }

  /** The kernel of `work` with one more output, if the two share what they read or one reads what the other writes. */
  #merge(work: Work | undefined, store: Store, alone: Expressed): Expressed | null {
    if (work?.kind !== 'group') return null;
    const { group, reads } = work.expressed;
    const [first] = group.stores;
    const value = this.#item(store.value);
    if (first === undefined || first.into !== first.value) return null;
    if (group.anchor !== null && this.#item(group.anchor).size !== value.size) return null;
    if (group.anchor !== null && group.anchor !== first.value && invertiblePath(this.#items, first.value, group.anchor) !== null) return null;
    const dims = this.#item(first.value).dims;
    if (dims.length !== value.dims.length || dims.some((n, i) => n !== value.dims[i])) return null;
    const related = alone.reads.some(
      (r) => r.length === undefined && (group.stores.some((s) => s.into === r.slot) || reads.some((o) => o.slot === r.slot)),
    );
    if (!related) return null;
    return this.#widened({ ...group, stores: [...group.stores, store] });
  }

  /** A reduce with one more fold, if the two visit the same points and read something in common. */
  #mergeFold(work: Work | undefined, anchor: number, store: Store, alone: Expressed): Expressed | null {
    if (work?.kind !== 'group' || alone.head.kind !== 'reduce' || work.expressed.head.kind !== 'reduce') return null;
    const { group, reads } = work.expressed;
    if (group.stores.some((s) => s.into !== s.value)) return null;
    const [mine, theirs] = [anchor, group.anchor ?? -1].map((slot) => foldedSpace(this.#item(slot), this.#items));
    if (String(mine?.dims) !== String(theirs?.dims) || String(mine?.folded) !== String(theirs?.folded)) return null;
    if (!alone.reads.some((r) => reads.some((o) => o.slot === r.slot))) return null;
    return this.#widened({ anchor: group.anchor, also: [...(group.also ?? []), anchor], stores: [...group.stores, store] });
  }

  /** The kernel of a group that was put together from several; null where it cannot be said, or would have too many operands. */
  #widened(group: Group): Expressed | null {
    try {
      const merged = express(group, this.#placement);
      const bindings = merged.reads.length + merged.group.stores.length;
      // A slot of the kernel's own that is read from memory as well would be read before it is written.
      const selfRead = merged.reads.some((r) => merged.group.stores.some((s) => s.into === r.slot));
      return bindings > this.#placement.capabilities.maxBindings || selfRead ? null : merged;
    } catch (error) {
      if (error instanceof StoreFirst) return null;
      throw error;
    }
  }

  #item(slot: number): Item {
    return this.#items[slot] ?? internalError(`no slot ${slot}`);
  }
}
