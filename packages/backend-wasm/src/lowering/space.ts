/** A run's `dims` as axes: sizes, strides in bytes, offsets in bytes, lengths. See `kernel.ts` of the contract for their layout. */

import { DTYPES, evaluationOrder, operandPositions } from '@gradus/backend';
import type { Expression, Kernel } from '@gradus/backend';
import type { Axis } from './loops.ts';

/** The index space of one run of a map, reduce, scatter or contraction. */
export interface Space {
  readonly axes: readonly Axis[];
  /** Where each operand begins, in bytes from its block. */
  readonly offsets: readonly number[];
  /** The elements of indexed operands; 0 for others. */
  readonly lengths: readonly number[];
}

/** The axes whose coordinates expressions ask for. */
export function namedAxes(roots: readonly Expression[]): Set<number> {
  const axes = new Set<number>();
  for (const e of evaluationOrder(roots)) if (e.op === 'axis') axes.add(e.axis);
  return axes;
}

/** Reads `dims`. Operands of space `kept` have stride 0 along the other axes, and so do indexed ones. */
export function spaceOf(kernel: Kernel & { readonly rank: number }, dims: Int32Array, named: ReadonlySet<number>): Space {
  const positions = operandPositions(kernel);
  const strides = kernel.operands.map((operand, k) => {
    const at = (positions[k] ?? 0) + 1;
    const count = operand.layout === 'indexed' ? 0 : (positions[k + 1] ?? at) - at;
    const { bytes } = DTYPES[operand.dtype];
    return Array.from({ length: kernel.rank }, (_, axis) => (axis < count ? bytes * (dims[at + axis] ?? 0) : 0));
  });
  return {
    axes: Array.from({ length: kernel.rank }, (_, axis) => ({
      size: dims[axis] ?? 0,
      strides: strides.map((own) => own[axis] ?? 0),
      name: named.has(axis) ? axis : null,
    })),
    offsets: kernel.operands.map((operand, k) => DTYPES[operand.dtype].bytes * (dims[positions[k] ?? 0] ?? 0)),
    lengths: kernel.operands.map((operand, k) => (operand.layout === 'indexed' ? (dims[(positions[k] ?? 0) + 1] ?? 0) : 0)),
  };
}
