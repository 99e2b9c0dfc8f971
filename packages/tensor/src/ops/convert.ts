/** Conversions: dtype, memory layout, and where the tape ends. */

import { cast as castExpression } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import type { Node } from '../graph/node.ts';
import { NO_ATTRIBUTE, Node as GraphNode, cutInputs, shareValue } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { ALIAS, COPY, record, withGradients } from '../graph/record.ts';
import { tracing } from '../graph/tracing.ts';
import { Tensor, nodeOf } from '../tensor.ts';

/** The dtype is that of the node. */
const CAST: OpRow = /* @__PURE__ */ row({
  name: 'cast',
  lowering: { kind: 'elementwise', express: ([x], { dtype }) => castExpression(x as NonNullable<typeof x>, dtype) },
  gradient: (g, { inputs: [x] }) => [x === undefined ? null : toDType(g, x.dtype)],
});

/** The node in another dtype; itself when it has it. The handle is the caller's scope's. */
export function castNode(node: Node, dtype: DType): Node {
  if (node.dtype === dtype) return node;
  return nodeOf(record(CAST, [node], node.shape, dtype), 'cast');
}

/** `x` converted to `dtype`: floats round to nearest, float to integer truncates and saturates (NaN gives 0), integers wrap, bool is `x != 0`. */
export function toDType(x: Tensor, dtype: DType): Tensor {
  const node = nodeOf(x, 'toDType');
  return node.dtype === dtype ? x : record(CAST, [node], node.shape, dtype);
}

/** A copy of `x` in memory of its own. */
export function copy(x: Tensor): Tensor {
  const node = nodeOf(x, 'copy');
  return record(COPY, [node], node.shape, node.dtype);
}

/** The same value without its history. */
export function detach(x: Tensor): Tensor {
  const node = nodeOf(x, 'detach');
  return withGradients(false, () => aliasOf(node, 0));
}

/** The same value as a constant: gradients stop here. */
export function stopGradient(x: Tensor): Tensor {
  return detach(x);
}

/** Another handle on a value, in the given traces. */
export function aliasOf(node: Node, traces: number, op: OpRow = ALIAS): Tensor {
  const alias = new GraphNode(op, [node], NO_ATTRIBUTE, node.shape, node.dtype, node.runtime, traces);
  const handle = new Tensor(alias);
  if (node.state === 'ready' && tracing.active === null) {
    shareValue(alias, node);
    if (traces === 0) cutInputs(alias);
  }
  return handle;
}
