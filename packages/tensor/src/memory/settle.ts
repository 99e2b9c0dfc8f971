/**
 * Single numbers that outlive their scope move to the host: a running loss costs no device memory and waits for no collector.
 *
 * Where a device can be read at once that happens when the scope ends. Elsewhere a number that somebody has read is known already, and the
 * others are read some at a time, in the background.
 */

import { DTYPES } from '@gradus/backend';
import { dropStorage } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';
import { decodeOne } from './elements.ts';

/** Numbers that are read together in the background. */
const TOGETHER = 32;

/** Numbers that were read asynchronously, for when their scopes end. */
const known: WeakMap<Node, number> = /* @__PURE__ */ new WeakMap<Node, number>();

/** Remembers what a ready rank-0 node was found to be. What changes in place is found out anew each time. */
export function rememberScalar(node: Node, value: number): void {
  if (node.cell === null && node.shape.rank === 0) known.set(node, value);
}

/** Moves a ready rank-0 node into its `value` and frees its memory: now where that can be done, else soon. */
export function settleScalar(node: Node): void {
  const { storage, runtime } = node;
  if (storage === null || node.state !== 'ready') return;
  const { backend } = runtime;
  const { bytes } = DTYPES[node.dtype];
  if (backend.readSync !== undefined) {
    moveToHost(node, decodeOne(backend.readSync(storage.block, node.offset * bytes, bytes), node.dtype));
    return;
  }
  const value = known.get(node);
  if (value !== undefined) {
    moveToHost(node, value);
    return;
  }
  if (node.cell !== null) return;
  runtime.unsettled.push(node);
  if (runtime.unsettled.length < TOGETHER) return;
  const waiting = runtime.unsettled;
  runtime.unsettled = [];
  for (const each of waiting) void settleInBackground(each);
}

function moveToHost(node: Node, value: number): void {
  node.value = value;
  node.offset = 0;
  dropStorage(node);
}

async function settleInBackground(node: Node): Promise<void> {
  const { storage, runtime } = node;
  if (storage === null) return;
  const { bytes } = DTYPES[node.dtype];
  try {
    const value = decodeOne(await runtime.backend.read(storage.block, node.offset * bytes, bytes), node.dtype);
    // By now it may be gone, or part of something that counts on where it lies.
    if (node.storage === storage && node.refs === node.handles) moveToHost(node, value);
  } catch {
    // The device is lost or disposed, which whoever uses it next is told.
  }
}
