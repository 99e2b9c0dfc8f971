/** Inputs that a kernel addresses by position must be dense: views that are not are copied. */

import type { Node } from './node.ts';
import { NO_ATTRIBUTE, Node as GraphNode, release, retain } from './node.ts';
import { row } from './op.ts';
import type { OpRow } from './op.ts';

/** The same values, in row-major memory of their own. */
export const COPY: OpRow = /* @__PURE__ */ row({
  name: 'copy',
  lowering: { kind: 'elementwise', express: ([x]) => x as NonNullable<typeof x> },
  gradient: (g) => [g],
});

/** Does the op's kernel address input number `i`, which is `input`, by position? */
export function addresses({ lowering }: OpRow, input: Node, i: number): boolean {
  if (lowering.kind === 'kernel') return input.shape.rank > 0;
  return lowering.kind === 'anchor' || (lowering.kind === 'elementwise' && lowering.indexed?.includes(i) === true);
}

/** Has it a value that lies elsewhere than row by row? */
export function isStrided(node: Node): boolean {
  return node.state === 'ready' && (node.storage === null || node.strides !== null);
}

/**
 * Puts copies in the place of inputs that were pending when `node` was recorded, and have become strided views since: someone read them.
 * A copy comes right before `node` in the order of recording. `valueOf` looks through other names.
 */
export function copyStridedInputs(node: Node, valueOf: (input: Node) => Node): void {
  const { op, inputs } = node;
  const needsCopy = (input: Node, i: number): boolean => addresses(op, input, i) && isStrided(valueOf(input));
  if (!inputs.some(needsCopy)) return;
  node.inputs = inputs.map((input, i) => {
    if (!needsCopy(input, i)) return input;
    const copy = new GraphNode(COPY, [input], NO_ATTRIBUTE, input.shape, input.dtype, input.runtime, input.traces, node.id - 0.5);
    retain(copy);
    release(input);
    return copy;
  });
}
