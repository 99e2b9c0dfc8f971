/** Conversions: dtype, memory layout, and where the tape ends. */

import { cast as castExpression, isFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { requireStorable } from '../dtype-names.ts';
import type { Node } from '../graph/node.ts';
import { NO_ATTRIBUTE, Node as GraphNode, cutInputs, shareValue } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { Lowering, OpRow } from '../graph/op.ts';
import { COPY } from '../graph/dense.ts';
import { ALIAS, record, withGradients } from '../graph/record.ts';
import { tracing } from '../graph/tracing.ts';
import { Tensor, nodeOf } from '../tensor.ts';

const lowering: Lowering = {
  kind: 'elementwise',
  express: ([x], { dtype }) => castExpression(x as NonNullable<typeof x>, dtype),
};

/** From float to float. The dtype is that of the node. */
const CAST: OpRow = /* @__PURE__ */ row({
  name: 'cast',
  lowering,
  gradient: (g, { inputs: [x] }) => [x === undefined ? null : toDType(g, x.dtype)],
});

/** To or from integers and bool, which do not change continuously: no tape, as in PyTorch. */
const CAST_DISCRETE: OpRow = /* @__PURE__ */ row({ name: 'cast', lowering });

const castRow = (from: DType, to: DType): OpRow => (isFloat(from) && isFloat(to) ? CAST : CAST_DISCRETE);

/** The node in another dtype; itself when it has it. The handle is the caller's scope's. */
export function castNode(node: Node, dtype: DType): Node {
  if (node.dtype === dtype) return node;
  return nodeOf(record(castRow(node.dtype, dtype), [node], node.shape, dtype), 'cast');
}

/**
 * `x` converted to `dtype`: floats round to nearest, float to integer truncates and saturates (NaN gives 0), integers wrap, bool is
 * `x != 0`. Gradients pass from float to float only. `x` itself when it has the dtype: see `own-handles.ts`.
 *
 * @throws DTypeError for a dtype that the device cannot store
 */
export function toDType(x: Tensor, dtype: DType): Tensor {
  const node = nodeOf(x, 'toDType');
  requireStorable('toDType', dtype, node.runtime.backend);
  return node.dtype === dtype ? x : record(castRow(node.dtype, dtype), [node], node.shape, dtype);
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
  tracing.active?.used([node]);
  const alias = new GraphNode(op, [node], NO_ATTRIBUTE, node.shape, node.dtype, node.runtime, traces);
  const handle = new Tensor(alias);
  if (node.state === 'ready' && tracing.active === null) {
    shareValue(alias, node);
    if (traces === 0) cutInputs(alias);
  }
  return handle;
}
