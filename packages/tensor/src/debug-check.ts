/** Debug mode's look at every op: computes it at once and complains where it made NaN out of numbers. */

import { bytesPerElement, isFloat } from '@gradus/backend';
import { NumericError } from './errors.ts';
import type { Node } from './graph/node.ts';
import { showDims } from './graph/shape.ts';
import { flush } from './lowering/flush.ts';
import { decode } from './memory/elements.ts';

/** Elements from the first to the last that a node may touch; null where it cannot be looked at. */
function hasNaN(node: Node): boolean {
  if (!isFloat(node.dtype)) return false;
  const { storage } = node;
  if (storage === null) return Number.isNaN(node.value);
  if (node.strides !== null) return false;
  const width = bytesPerElement(node.dtype);
  const bytes = node.runtime.backend.readSync?.(storage.block, node.offset * width, node.shape.size * width);
  return bytes !== undefined && decode(bytes, node.dtype).some((x) => Number.isNaN(x));
}

/** Is NaN a number that the op was given, such as one to pad with? */
function asksForNaN({ attribute: { value } }: Node): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).some((part) => Number.isNaN(part));
}

/** Computes a node just recorded. @throws NumericError when it has NaN and none of its inputs had */
export function checkRecorded(node: Node): void {
  if (node.state === 'released') return;
  const { stack } = new Error(node.op.name);
  const { inputs } = node;
  const clean = !inputs.some(hasNaN) && !asksForNaN(node);
  flush(node.runtime, [node]);
  if (!clean || !hasNaN(node)) return;
  const shapes = inputs.map((input) => `${input.dtype}${showDims(input.shape.dims)}`).join(', ');
  throw new NumericError({
    op: node.op.name,
    expected: 'numbers',
    got: `NaN in its result ${node.dtype}${showDims(node.shape.dims)} of ${shapes}, none of which has any`,
    fix: `look at the values that go in; the op was called at:\n${callSite(stack)}`,
  });
}

/** The frames of a stack that are not this package's own. */
function callSite(stack: string | undefined): string {
  const frames = (stack ?? '').split('\n').slice(1);
  const own = frames.filter((frame) => !/[\\/]tensor[\\/](src|dist)[\\/](?!.*\.test\.)/.test(frame));
  return (own.length > 0 ? own : frames).slice(0, 5).join('\n');
}
