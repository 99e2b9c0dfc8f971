/** Donations: new values of state that take over the memory of the old ones, where nobody needs those any more. */

import type { Backend } from '@gradus/backend';
import { internalError } from '../internal.ts';
import type { Access, Placement } from './express.ts';
import type { Donations } from './group.ts';
import type { Item } from './item.ts';
import { isDense } from './view.ts';
import { readsOf } from './work.ts';
import type { Work } from './work.ts';

/** What a plan knows by the time that memory is given out. */
interface Situation {
  readonly works: readonly Work[];
  readonly placement: Placement;
  readonly backend: Backend;
  /** Slots whose memory the roots show after the run. */
  readonly shown: ReadonlySet<number>;
  /** Has the slot memory in a larger buffer? */
  readonly isPlaced: (slot: number) => boolean;
}

/** Roots that are computed point by point from a value nobody else needs take its memory over: slot to leaf. */
export function findDonations({ works, placement, backend, shown, isPlaced }: Situation): Donations {
  const { items } = placement;
  const itemAt = (slot: number): Item => items[slot] ?? internalError(`no slot ${slot}`);
  const reads = works.map((work) => readsOf(work, placement, backend));
  /** Leaves of one memory, by its number, that some root shows or is. */
  const seen = new Set([...shown, ...items.filter((item) => item.flags.root).map((item) => item.slot)].map((slot) => itemAt(slot).memory));

  /** Is the memory of leaf `slot` read once by work `at`, and by no later one? */
  const isLastRead = (slot: number, at: number): boolean => {
    const { memory } = itemAt(slot);
    if (seen.has(memory)) return false;
    return reads.every((slots, i) => i < at || slots.filter((other) => itemAt(other).memory === memory).length === (i === at ? 1 : 0));
  };
  /** Is it read as a whole, each element where it is written? */
  const isWhole = (r: Access): boolean => {
    const { leafView } = itemAt(r.slot);
    return r.view !== null && isDense(r.view) && r.view.offset === 0 && leafView !== null && isDense(leafView);
  };

  const donations = new Map<number, number>();
  const taken = new Set<number>();
  works.forEach((work, at) => {
    if (work.kind !== 'group' || work.expressed.group.anchor !== null) return;
    for (const store of work.expressed.group.stores) {
      const item = itemAt(store.value);
      if (!item.flags.root || store.into !== store.value || isPlaced(store.into)) continue;
      const donor = work.expressed.reads.find((r) => {
        const leaf = itemAt(r.slot);
        const fits = leaf.flags.donatable && !taken.has(r.slot) && leaf.dtype === item.dtype && leaf.size === item.size;
        return fits && isWhole(r) && isLastRead(r.slot, at);
      });
      if (donor === undefined) continue;
      taken.add(donor.slot);
      donations.set(store.value, donor.slot);
    }
  });
  return donations;
}
