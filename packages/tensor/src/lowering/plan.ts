/**
 * Plans: a program turned into launches, with memory.
 *
 * The order of work: decide what is stored (`decide.ts`), group it into kernels and merge kernels that belong together (`group.ts`),
 * give every stored slot a buffer, let state overwrite its old value where nobody needs it, and build the launches.
 * A plan holds no nodes: it is cached and run again for every program of the same key (`execute.ts`).
 */

import type { Arg, Backend, Executable } from '@gradus/backend';
import { debugSettings } from '../debug-settings.ts';
import { decide, invertAlong, invertiblePath, placeIn } from './decide.ts';
import type { Decisions } from './decide.ts';
import { StoreFirst } from './express.ts';
import type { Place, Placement } from './express.ts';
import { fusedLaunch, fusedOf } from './fused.ts';
import type { Fused } from './fused.ts';
import { bytesOf, express, foldedSpace, launch } from './group.ts';
import type { Expressed, Group, Launch, Launches, Store } from './group.ts';
import { itemsOf } from './item.ts';
import type { Item } from './item.ts';
import type { Program } from './program.ts';
import { scatterLaunch } from './scatter.ts';
import { denseView, isDense, sliceView } from './view.ts';
import type { View } from './view.ts';
import { internalError } from '../internal.ts';

/** Memory that a plan allocates, for one slot or for the parts of a concatenation. */
interface BufferPlan {
  readonly bytes: number;
  /** Steps at which it is first written and last used. */
  first: number;
  last: number;
  /** Slots whose nodes get it as storage. */
  readonly slots: number[];
  /** A leaf whose storage is taken over instead of allocating. */
  readonly donor: number | null;
}

/** A launch with code. Its `dims` and `args` are written anew for each run. */
export interface PreparedLaunch extends Launch {
  readonly executable: Executable;
  /** Operands' offsets before those of leaves are added. */
  readonly baseOffsets: readonly number[];
  readonly args: Arg[];
}

/** One step: kernels that run one after the other. */
export interface Step {
  readonly launches: readonly PreparedLaunch[];
  readonly temporaries: readonly number[];
  /** For `explain`: the heavy op at its head, and the slots it stores. */
  readonly anchor: number | null;
  readonly outputs: readonly number[];
}

/** Where a slot's value is after the run. */
interface Result {
  readonly slot: number;
  /** A buffer of the plan, or the storage of a leaf. */
  readonly from: { readonly buffer: number } | { readonly leaf: number };
  readonly offset: number;
  readonly strides: readonly number[] | null;
}

/** Everything needed to run programs of one key. */
export interface Plan {
  readonly key: Int32Array;
  readonly steps: readonly Step[];
  readonly buffers: readonly BufferPlan[];
  /** Buffers to allocate before each step (and after the last), and those last used by it. */
  readonly startsAt: readonly (readonly number[])[];
  readonly endsAt: readonly (readonly number[])[];
  /** For each slot, its buffer and where in it, or -1. */
  readonly bufferOf: Int32Array;
  readonly offsetIn: Int32Array;
  readonly results: readonly Result[];
  /** For `explain`: the structure it was made from, and what of it is stored. */
  readonly items: readonly Item[];
  readonly stored: Uint8Array;
}

/** Attempts before planning is declared broken; each stores at least one slot more. */
const MAX_ATTEMPTS = 1000;

/** Makes a plan for a program. */
export function makePlan(program: Program, backend: Backend): Plan {
  const items = itemsOf(program);
  const forced = new Set<number>();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      return new Planner(items, decide(items, forced), backend).plan(program.key);
    } catch (error) {
      if (!(error instanceof StoreFirst) || forced.has(error.slot)) throw error;
      forced.add(error.slot);
    }
  }
  return internalError('planning does not come to an end');
}

/** A kernel in the making: its group as expressed, and the kernels it must come after. */
type Work =
  | { readonly kind: 'kernel'; expressed: Expressed }
  | { readonly kind: 'scatter'; readonly item: Item }
  | { readonly kind: 'fused'; readonly fused: Fused };

class Planner {
  readonly #items: readonly Item[];
  readonly #decisions: Decisions;
  readonly #backend: Backend;
  readonly #placement: Placement;
  readonly #works: Work[] = [];
  /** Work that writes a slot's memory last. */
  readonly #madeBy = new Map<number, number>();
  readonly #buffers: { slots: number[]; bytes: number; donor: number | null }[] = [];
  readonly #bufferOf: Int32Array;
  readonly #offsetIn: Int32Array;

  constructor(items: readonly Item[], decisions: Decisions, backend: Backend) {
    this.#items = items;
    this.#decisions = decisions;
    this.#backend = backend;
    this.#bufferOf = new Int32Array(items.length).fill(-1);
    this.#offsetIn = new Int32Array(items.length);
    const { stored } = decisions;
    this.#placement = { items, capabilities: backend.capabilities, placeOf: (slot) => placeIn(items, stored, slot) };
  }

  plan(key: Int32Array): Plan {
    this.#placeConcatenations();
    for (const item of this.#items) if (this.#decisions.stored[item.slot] === 1) this.#add(item);
    const donations = this.#donate();
    this.#allocate(donations);
    const steps = this.#works.map((work) => this.#step(work, donations));
    const { buffers, results } = this.#results(steps);
    const startsAt = Array.from({ length: steps.length + 1 }, (_, at) => [...buffers.keys()].filter((i) => buffers[i]?.first === at));
    const endsAt = steps.map((_, at) => [...buffers.keys()].filter((i) => buffers[i]?.last === at));
    return {
      key,
      steps,
      buffers,
      startsAt,
      endsAt,
      bufferOf: this.#bufferOf,
      offsetIn: this.#offsetIn,
      results,
      items: this.#items,
      stored: this.#decisions.stored,
    };
  }

  /** Parts of a concatenation that are stored anyway lie in it from the start, where the part is one dense stretch. */
  #placeConcatenations(): void {
    for (const item of this.#items) {
      const { lowering } = item.op;
      if (item.flags.leaf || lowering.kind !== 'concatenate' || this.#decisions.stored[item.slot] !== 1) continue;
      const buffer = this.#newBuffer(item.slot, bytesOf(item));
      const outer = item.dims.slice(0, lowering.axis(item.site)).reduce((n, size) => n * size, 1);
      if (outer !== 1) continue;
      for (const { part, view } of this.#parts(item)) {
        if (this.#decisions.stored[part.slot] !== 1 || part.flags.leaf || this.#bufferOf[part.slot] !== -1 || part.op.lowering.kind === 'concatenate')
          continue;
        this.#bufferOf[part.slot] = buffer;
        this.#offsetIn[part.slot] = view.offset;
        this.#buffers[buffer]?.slots.push(part.slot);
      }
    }
  }

  #parts(item: Item): { part: Item; view: View }[] {
    const { lowering } = item.op;
    const axis = lowering.kind === 'concatenate' ? lowering.axis(item.site) : 0;
    let at = 0;
    return item.inputs.map((slot) => {
      const part = this.#item(slot);
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

  #newBuffer(slot: number, bytes: number, donor: number | null = null): number {
    const buffer = this.#buffers.push({ slots: [slot], bytes, donor }) - 1;
    this.#bufferOf[slot] = buffer;
    return buffer;
  }

  #add(item: Item): void {
    const { lowering } = item.op;
    if (lowering.kind === 'concatenate') {
      for (const { part, view } of this.#parts(item)) {
        const inPlace = this.#bufferOf[part.slot] === this.#bufferOf[item.slot] && this.#offsetIn[part.slot] === view.offset;
        if (!inPlace && part.size > 0) this.#addGroup({ anchor: null, stores: [{ value: part.slot, into: item.slot, view }] });
      }
      this.#madeBy.set(item.slot, this.#works.length - 1);
      return;
    }
    if (lowering.kind === 'scatter') {
      const [target = 0] = item.inputs;
      this.#addGroup({ anchor: null, stores: [{ value: target, into: item.slot, view: denseView(item.dims) }] });
      this.#madeBy.set(item.slot, this.#works.push({ kind: 'scatter', item }) - 1);
      return;
    }
    if (lowering.kind === 'kernel') {
      this.#addFused(fusedOf(item), lowering.output, item.slot);
      return;
    }
    const store: Store = { value: item.slot, into: item.slot, view: denseView(item.dims) };
    this.#addGroup({ anchor: this.#decisions.anchors.get(item.slot) ?? null, stores: [store] });
  }

  /** Adds a kernel of its own, or makes `slot` one more output of the same kernel over the same inputs. */
  #addFused(fused: Fused, output: number, slot: number): void {
    const at = this.#works.findIndex((work) => work.kind === 'fused' && work.fused.key === fused.key && !work.fused.outputs.has(output));
    const work = this.#works[at];
    if (work?.kind === 'fused') work.fused.outputs.set(output, slot);
    this.#madeBy.set(slot, work === undefined ? this.#works.push({ kind: 'fused', fused }) - 1 : at);
  }

  /** Adds a kernel, or widens an earlier one that it belongs to. */
  #addGroup(group: Group): void {
    const expressed = express(group, this.#placement);
    const [store] = group.stores;
    if (store === undefined) return;
    const after = Math.max(-1, ...expressed.reads.map((r) => this.#madeBy.get(r.slot) ?? -1));
    if (store.into === store.value) {
      // A map may join the kernel that makes what it reads; a reduce needs that finished.
      const first = group.anchor === null ? Math.max(after, 0) : after + 1;
      for (let at = this.#works.length - 1; at >= first; at--) {
        const work = this.#works[at];
        const merged = group.anchor === null ? this.#merge(work, store, expressed) : this.#mergeFold(work, group.anchor, store, expressed);
        if (merged === null) continue;
        this.#works[at] = { kind: 'kernel', expressed: merged };
        this.#madeBy.set(store.into, at);
        return;
      }
    }
    this.#madeBy.set(store.into, this.#works.push({ kind: 'kernel', expressed }) - 1);
  }

  /** The kernel of `work` with one more output, if the two share what they read or one reads what the other writes. */
  #merge(work: Work | undefined, store: Store, alone: Expressed): Expressed | null {
    if (work?.kind !== 'kernel') return null;
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
    if (work?.kind !== 'kernel' || alone.head.kind !== 'reduce' || work.expressed.head.kind !== 'reduce') return null;
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
      return bindings > this.#backend.capabilities.maxBindings || selfRead ? null : merged;
    } catch (error) {
      if (error instanceof StoreFirst) return null;
      throw error;
    }
  }

  /** State that is computed point by point from a value nobody else needs takes its memory over. */
  #donate(): Map<number, number> {
    const donations = new Map<number, number>();
    const taken = new Set<number>();
    this.#works.forEach((work, at) => {
      if (work.kind !== 'kernel' || work.expressed.group.anchor !== null) return;
      for (const store of work.expressed.group.stores) {
        const item = this.#item(store.value);
        if (!item.flags.root || store.into !== store.value || this.#bufferOf[store.into] !== -1) continue;
        const donor = work.expressed.reads.find((r) => {
          const leaf = this.#item(r.slot);
          const fits = leaf.flags.donatable && !taken.has(r.slot) && leaf.dtype === item.dtype && leaf.size === item.size;
          return (
            fits &&
            r.view !== null &&
            isDense(r.view) &&
            r.view.offset === 0 &&
            leaf.leafView !== null &&
            isDense(leaf.leafView) &&
            this.#lastReadAt(r.slot, at)
          );
        });
        if (donor === undefined) continue;
        taken.add(donor.slot);
        donations.set(store.value, donor.slot);
      }
    });
    return donations;
  }

  /** Is the memory of leaf `slot` read once by this work, and by no later one? */
  #lastReadAt(slot: number, at: number): boolean {
    const { memory } = this.#item(slot);
    const shares = (other: number): boolean => this.#item(other).memory === memory;
    // A root that is a view of it shows its old value after the run.
    const shown = [...this.#decisions.aliases].some((alias) => shares((this.#placement.placeOf(alias) ?? this.#hostedPlace(alias)).slot));
    return (
      !shown &&
      !this.#items.some((item) => item.memory === memory && item.flags.root) &&
      this.#works.every((work, i) => {
        if (i < at) return true;
        const count = this.#reads(work).filter(shares).length;
        return i === at ? count === 1 : count === 0;
      })
    );
  }

  /** The slots whose memory a kernel reads, one for each operand. */
  #reads(work: Work): number[] {
    switch (work.kind) {
      case 'kernel':
        return work.expressed.reads.map((r) => r.slot);
      case 'scatter':
        return scatterLaunch(work.item, this.#placement, this.#backend).blocks.flatMap((b) => ('slot' in b ? [b.slot] : []));
      case 'fused':
        return work.fused.reads.flatMap((slot) => (slot < 0 ? [] : [this.#placement.placeOf(slot)?.slot ?? slot]));
      default:
        return work satisfies never;
    }
  }

  #allocate(donations: ReadonlyMap<number, number>): void {
    for (const item of this.#items) {
      if (this.#decisions.stored[item.slot] !== 1 || this.#bufferOf[item.slot] !== -1) continue;
      this.#newBuffer(item.slot, bytesOf(item), donations.get(item.slot) ?? null);
    }
  }

  #step(work: Work, donations: ReadonlyMap<number, number>): Step {
    const { launches, temporaries } = this.#launches(work, donations);
    const prepared = launches.map((l) => {
      debugSettings.verifyKernel?.(l.kernel);
      return this.#prepare(l);
    });
    return { launches: prepared, temporaries, ...headOf(work) };
  }

  #launches(work: Work, donations: ReadonlyMap<number, number>): Launches {
    switch (work.kind) {
      case 'kernel':
        return launch(work.expressed, this.#placement, donations, this.#backend);
      case 'scatter':
        return { launches: [scatterLaunch(work.item, this.#placement, this.#backend)], temporaries: [] };
      case 'fused':
        return fusedLaunch(work.fused, this.#placement);
      default:
        return work satisfies never;
    }
  }

  /** Adds where slots lie in larger buffers to the offsets of a launch, and makes its code. */
  #prepare(l: Launch): PreparedLaunch {
    const baseOffsets = l.blocks.map((block, operand) => {
      const at = l.offsets[operand] ?? 0;
      if ('slot' in block) l.dims[at] = (l.dims[at] ?? 0) + (this.#offsetIn[block.slot] ?? 0);
      return l.dims[at] ?? 0;
    });
    const args: Arg[] = Array.from({ length: l.blocks.length + l.scalars.length }, () => 0);
    return { ...l, executable: this.#backend.prepare(l.kernel, l.dims), baseOffsets, args };
  }

  #results(steps: readonly Step[]): { buffers: BufferPlan[]; results: Result[] } {
    const buffers = this.#buffers.map((b): BufferPlan => ({ ...b, first: steps.length, last: -1 }));
    steps.forEach((step, at) => {
      for (const l of step.launches) {
        for (const block of l.blocks) {
          const buffer = 'slot' in block ? buffers[this.#bufferOf[block.slot] ?? -1] : undefined;
          if (buffer === undefined) continue;
          buffer.first = Math.min(buffer.first, at);
          buffer.last = Math.max(buffer.last, at);
        }
      }
    });
    const results: Result[] = [];
    for (const item of this.#items) {
      const { slot } = item;
      if (this.#decisions.stored[slot] === 1) {
        results.push({ slot, from: { buffer: this.#bufferOf[slot] ?? -1 }, offset: this.#offsetIn[slot] ?? 0, strides: null });
      } else if (this.#decisions.aliases.has(slot)) {
        const place = this.#placement.placeOf(slot) ?? this.#hostedPlace(slot);
        const strides = isDense(place.view) ? null : place.view.strides;
        const buffer = this.#bufferOf[place.slot] ?? -1;
        const from = buffer >= 0 ? { buffer } : { leaf: place.slot };
        results.push({ slot, from, offset: place.view.offset + (this.#offsetIn[place.slot] ?? 0), strides });
        if (buffer >= 0) buffers[buffer]?.slots.push(slot);
      }
    }
    return { buffers, results };
  }

  /** Where a heavy op, or a view of it, lies in the memory of the view that it was written for. */
  #hostedPlace(slot: number): Place {
    for (const [host, anchor] of this.#decisions.anchors) {
      const whole = invertiblePath(this.#items, host, anchor);
      const path = whole === null ? null : invertiblePath(this.#items, host, slot);
      const view = path === null ? null : invertAlong(path, denseView(this.#item(host).dims));
      if (view !== null && host !== slot && this.#decisions.stored[host] === 1) return { slot: host, view };
    }
    return internalError('an alias of nothing');
  }

  #item(slot: number): Item {
    return this.#items[slot] ?? internalError(`no slot ${slot}`);
  }
}

/** For `explain`: the op at the head of a kernel, and the slots that it stores. */
function headOf(work: Work): Pick<Step, 'anchor' | 'outputs'> {
  switch (work.kind) {
    case 'kernel':
      return { anchor: work.expressed.group.anchor, outputs: work.expressed.group.stores.map((store) => store.value) };
    case 'scatter':
      return { anchor: null, outputs: [work.item.slot] };
    case 'fused': {
      const outputs = [...work.fused.outputs.values()];
      return { anchor: outputs[0] ?? null, outputs };
    }
    default:
      return work satisfies never;
  }
}
