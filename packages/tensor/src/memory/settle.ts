/** Single numbers that outlive their scope move to the host: a running loss costs no device memory and waits for no collector. */

import { DTYPES } from '@gradus/backend';
import { dropStorage } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';
import { decodeOne } from './elements.ts';

/** Reads a ready rank-0 node into its `value` and frees its memory, where the device can be read at once. */
export function settleScalar(node: Node): void {
  const { storage, runtime } = node;
  if (storage === null || node.state !== 'ready' || runtime.backend.readSync === undefined) return;
  const { bytes } = DTYPES[node.dtype];
  node.value = decodeOne(runtime.backend.readSync(storage.block, node.offset * bytes, bytes), node.dtype);
  node.offset = 0;
  dropStorage(node);
}
