/** Work: the kernels of a plan in the making, of whatever origin. */

import type { Backend } from '@gradus/backend';
import { fusedLaunch } from './fused.ts';
import type { Fused } from './fused.ts';
import type { Placement } from './express.ts';
import { launch } from './group.ts';
import type { Donations, Expressed, Launches } from './group.ts';
import type { Item } from './item.ts';
import { scatterLaunch } from './scatter.ts';

/** One kernel: a group as expressed, a scatter into memory that its target was copied to, or a kernel that the device has of its own. */
export type Work =
  | { readonly kind: 'group'; readonly expressed: Expressed }
  | { readonly kind: 'scatter'; readonly item: Item }
  | { readonly kind: 'fused'; readonly fused: Fused };

/** The slots whose memory it reads, one for each operand. */
export function readsOf(work: Work, placement: Placement, backend: Backend): number[] {
  switch (work.kind) {
    case 'group':
      return work.expressed.reads.map((r) => r.slot);
    case 'scatter':
      return scatterLaunch(work.item, placement, backend).blocks.flatMap((b) => ('slot' in b ? [b.slot] : []));
    case 'fused':
      return work.fused.reads.flatMap((slot) => (slot < 0 ? [] : [placement.placeOf(slot)?.slot ?? slot]));
    default:
      return work satisfies never;
  }
}

/** The launches it becomes. */
export function launchesOf(work: Work, placement: Placement, donations: Donations, backend: Backend): Launches {
  switch (work.kind) {
    case 'group':
      return launch(work.expressed, placement, donations, backend);
    case 'scatter':
      return { launches: [scatterLaunch(work.item, placement, backend)], temporaries: [] };
    case 'fused':
      return fusedLaunch(work.fused, placement);
    default:
      return work satisfies never;
  }
}

/** For `explain`: the op at its head, and the slots that it stores. */
export function headOf(work: Work): { readonly anchor: number | null; readonly outputs: readonly number[] } {
  switch (work.kind) {
    case 'group':
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
