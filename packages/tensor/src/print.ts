/** Printing: `Tensor float32 [2, 2] on cpu [[1, 2], [3, 4]]`, with values once they are known. */

import { bytesPerElement } from '@gradus/backend';
import { showDims } from './graph/shape.ts';
import { decode } from './memory/elements.ts';
import { nest } from './read.ts';
import type { NestedNumbers } from './read.ts';
import { nodeOf } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** Elements shown at each end of a long axis, and elements up to which nothing is left out. */
const EDGE_ITEMS = 3;
const MAX_SHOWN = 64;
const SIGNIFICANT_DIGITS = 6;

/** The text of `String(tensor)`. Computes nothing, and reads only what the device gives at once. */
export function print(t: Tensor): string {
  if (t.isDisposed) return 'Tensor (disposed)';
  const { dtype, shape, runtime, state, storage, strides, value, offset } = nodeOf(t, 'toString');
  const head = `Tensor ${dtype} ${showDims(shape.dims)} on ${runtime.backend.name}`;
  if (state !== 'ready' || strides !== null || shape.size === 0) return head;
  if (storage === null) return `${head} ${show(value)}`;
  const width = bytesPerElement(dtype);
  const bytes = runtime.backend.readSync?.(storage.block, offset * width, shape.size * width);
  return bytes === undefined ? head : `${head} ${showNested(nest(decode(bytes, dtype), shape.dims), shape.size > MAX_SHOWN)}`;
}

function show(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
}

function showNested(values: NestedNumbers, shorten: boolean): string {
  if (typeof values === 'number') return show(values);
  const parts = values.map((v) => showNested(v, shorten));
  const shown = shorten && parts.length > 2 * EDGE_ITEMS ? [...parts.slice(0, EDGE_ITEMS), '…', ...parts.slice(-EDGE_ITEMS)] : parts;
  return `[${shown.join(', ')}]`;
}
