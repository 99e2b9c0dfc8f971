/**
 * Plans: a program turned into launches, with memory.
 *
 * The order of work: decide what is stored (`decide.ts`), put it into kernels (`schedule.ts`), let state overwrite its old value where
 * nobody needs it (`donate.ts`), give every other stored slot a buffer, and build the launches (`work.ts`).
 * A plan holds no nodes: it is cached, and run again for every program of the same key.
 */

import type { Arg, Backend, Executable } from '@gradus/backend';
import { debugSettings } from '../debug-settings.ts';
import { decide, invertAlong, invertiblePath, placeIn } from './decide.ts';
import type { Decisions } from './decide.ts';
import { StoreFirst } from './express.ts';
import type { Place, Placement } from './express.ts';
import { findDonations } from './donate.ts';
import { bytesOf } from './group.ts';
import type { Donations, Launch } from './group.ts';
import { FENCE, itemsOf } from './item.ts';
import type { Item } from './item.ts';
import type { Program } from './program.ts';
import { Schedule, partsOf } from './schedule.ts';
import { denseView, isDense } from './view.ts';
import { headOf, launchesOf } from './work.ts';
import type { Work } from './work.ts';
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
  debugSettings.verifyItems?.(items);
  const forced = new Set<number>();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      const decisions = decide(items, forced);
      debugSettings.verifyDecisions?.(items, decisions);
      const plan = new Planner(items, decisions, backend).plan(program.key);
      debugSettings.verifyPlan?.(plan);
      return plan;
    } catch (error) {
      if (!(error instanceof StoreFirst) || forced.has(error.slot)) throw error;
      forced.add(error.slot);
    }
  }
  return internalError('planning does not come to an end');
}

class Planner {
  readonly #items: readonly Item[];
  readonly #decisions: Decisions;
  readonly #backend: Backend;
  readonly #placement: Placement;
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
    const { stored, anchors } = this.#decisions;
    const isInPlace = (part: Item, whole: Item, offset: number): boolean =>
      this.#bufferOf[part.slot] === this.#bufferOf[whole.slot] && this.#offsetIn[part.slot] === offset;
    const schedule = new Schedule(this.#placement, anchors, isInPlace);
    const { works } = schedule;
    for (const item of this.#items) {
      if (item.op === FENCE) schedule.fence();
      if (stored[item.slot] === 1) schedule.add(item);
    }
    const donations = findDonations({
      works,
      placement: this.#placement,
      backend: this.#backend,
      shown: new Set([...this.#decisions.aliases].map((alias) => this.#placeOf(alias).slot)),
      isPlaced: (slot) => this.#bufferOf[slot] !== -1,
    });
    this.#allocate(donations);
    const steps = works.map((work) => this.#step(work, donations));
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
      for (const { part, view } of partsOf(item, this.#items)) {
        if (this.#decisions.stored[part.slot] !== 1 || part.flags.leaf || this.#bufferOf[part.slot] !== -1 || part.op.lowering.kind === 'concatenate')
          continue;
        this.#bufferOf[part.slot] = buffer;
        this.#offsetIn[part.slot] = view.offset;
        this.#buffers[buffer]?.slots.push(part.slot);
      }
    }
  }

  #newBuffer(slot: number, bytes: number, donor: number | null = null): number {
    const buffer = this.#buffers.push({ slots: [slot], bytes, donor }) - 1;
    this.#bufferOf[slot] = buffer;
    return buffer;
  }

  #allocate(donations: Donations): void {
    for (const item of this.#items) {
      if (this.#decisions.stored[item.slot] !== 1 || this.#bufferOf[item.slot] !== -1) continue;
      this.#newBuffer(item.slot, bytesOf(item), donations.get(item.slot) ?? null);
    }
  }

  #step(work: Work, donations: Donations): Step {
    const { launches, temporaries } = launchesOf(work, this.#placement, donations, this.#backend);
    const prepared = launches.map((l) => {
      debugSettings.verifyKernel?.(l.kernel);
      return this.#prepare(l);
    });
    return { launches: prepared, temporaries, ...headOf(work) };
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
        const place = this.#placeOf(slot);
        const strides = isDense(place.view) ? null : place.view.strides;
        const buffer = this.#bufferOf[place.slot] ?? -1;
        const from = buffer >= 0 ? { buffer } : { leaf: place.slot };
        results.push({ slot, from, offset: place.view.offset + (this.#offsetIn[place.slot] ?? 0), strides });
        if (buffer >= 0) buffers[buffer]?.slots.push(slot);
      }
    }
    return { buffers, results };
  }

  /** Where the value of a root that has no memory of its own lies. */
  #placeOf(slot: number): Place {
    return this.#placement.placeOf(slot) ?? this.#hostedPlace(slot);
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
