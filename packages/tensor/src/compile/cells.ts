/** Cells: the places outside a compiled function that it gives new values. */

import { NO_ATTRIBUTE, Node, attachStorage, claimForState } from '../graph/node.ts';
import type { Storage } from '../graph/node.ts';
import { COPY } from '../graph/dense.ts';
import { DATA, record } from '../graph/record.ts';
import { shapeOf } from '../graph/shape.ts';
import { bytesPerElement } from '@gradus/backend';
import { flush } from '../lowering/flush.ts';
import { compose } from '../memory/scope.ts';
import { REQUIRES_GRAD, Tensor, nodeOf } from '../tensor.ts';
import { internalError } from '../internal.ts';

/** A changing value outside: a state's, or the gradient of a tensor. */
export interface Cell {
  readonly kind: 'state' | 'gradient';
  readonly handle: Tensor;
}

/** Where a value lies in its memory. */
interface Placed {
  readonly offset: number;
  readonly strides: readonly number[] | null;
}

/** The value of a cell, computed; null for a gradient that is not there. @throws TensorDisposedError */
export function nodeOfCell({ kind, handle }: Cell): Node | null {
  const node = kind === 'state' ? nodeOf(handle, 'compile') : Tensor.gradientOf(handle);
  if (node !== null && node.state === 'pending') flush(node.runtime, [node]);
  return node;
}

/** Gives a cell another value; null forgets a gradient. */
export function setCell({ kind, handle }: Cell, node: Node | null): void {
  if (kind === 'gradient') {
    Tensor.setGradient(handle, node);
    return;
  }
  if (node === null) return;
  node.traces = nodeOf(handle, 'compile').traces & REQUIRES_GRAD;
  Tensor.rebind(handle, node);
  claimForState(node);
}

/** Do two places agree? */
export function samePlace(a: Placed, b: Placed): boolean {
  return a.offset === b.offset && (a.strides === b.strides || String(a.strides) === String(b.strides));
}

/** Moves cells to a copy of the memory that they share with others, who keep it as it is. */
export function moveToCopy(cells: readonly Cell[], storage: Storage): void {
  const first = cells[0] === undefined ? null : nodeOfCell(cells[0]);
  if (first === null) return;
  const { dtype, runtime } = first;
  const size = shapeOf([Math.floor(storage.block.byteLength / bytesPerElement(dtype))]);
  compose(() => {
    const whole = new Node(DATA, [], NO_ATTRIBUTE, size, dtype, runtime, 0);
    attachStorage(whole, storage, 0, null);
    const copied = nodeOf(record(COPY, [whole], size, dtype), 'compile');
    flush(runtime, [copied]);
    const own = copied.storage ?? internalError('a copy without memory');
    for (const cell of cells) {
      const node = nodeOfCell(cell) ?? internalError('a cell without a value');
      const moved = new Node(DATA, [], NO_ATTRIBUTE, node.shape, dtype, runtime, 0);
      attachStorage(moved, own, node.offset, node.strides);
      setCell(cell, moved);
    }
    return [];
  });
}
