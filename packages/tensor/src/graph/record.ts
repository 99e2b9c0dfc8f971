/** Recording: making nodes and their handles. Every op function ends here. */

import type { DType } from '@gradus/backend';
import { debugSettings } from '../debug-settings.ts';
import { DeviceMismatchError } from '../errors.ts';
import { notePending } from '../lowering/flush.ts';
import type { View } from '../lowering/view.ts';
import { isDense } from '../lowering/view.ts';
import type { HostNumber } from '../host.ts';
import { roundTo } from '../memory/elements.ts';
import type { Runtime } from '../runtime.ts';
import { Tensor, nodeOf } from '../tensor.ts';
import { NO_ATTRIBUTE, Node, attachStorage, intern } from './node.ts';
import { COPY, addresses, isStrided } from './dense.ts';
import type { Attribute, Recomputation } from './node.ts';
import type { OpRow } from './op.ts';
import { row } from './op.ts';
import { SCALAR_SHAPE } from './shape.ts';
import type { Shape } from './shape.ts';
import { tracing } from './tracing.ts';

/** Values that come from outside: data written to a block. */
export const DATA: OpRow = /* @__PURE__ */ row({ name: 'data', lowering: { kind: 'leaf' } });
/** Numbers on the host. */
const SCALAR: OpRow = /* @__PURE__ */ row({ name: 'scalar', lowering: { kind: 'leaf' } });
/** One number everywhere. */
const CONSTANT: OpRow = /* @__PURE__ */ row({ name: 'constant', lowering: { kind: 'constant' } });
/** Another name for a value: assigned state, and the leaves of gradient traces. */
export const ALIAS: OpRow = /* @__PURE__ */ row({ name: 'alias', lowering: { kind: 'alias' } });

/** Is the tape on? `noGrad` turns it off. */
let recordingGradients = true;

/** What is recorded now is calculated again in the backward pass. */
let region: Recomputation | null = null;

/** What calculates again what is recorded now; null where nothing does. */
export function currentRegion(): Recomputation | null {
  return region;
}

/** Runs `fn`, and lets `into` calculate again what it records. */
export function recordInto<T>(into: Recomputation, fn: () => T): T {
  const before = region;
  region = into;
  try {
    return fn();
  } finally {
    region = before;
  }
}

/** Runs `fn` with the tape on or off. */
export function withGradients<T>(on: boolean, fn: () => T): T {
  const before = recordingGradients;
  recordingGradients = on;
  try {
    return fn();
  } finally {
    recordingGradients = before;
  }
}

/** Is the tape on? */
export function gradientsAreOn(): boolean {
  return recordingGradients;
}

function tracesOf(op: OpRow, inputs: readonly Node[]): number {
  if (!recordingGradients || op.gradient === null) return 0;
  let traces = 0;
  for (let i = 0; i < inputs.length; i++) traces |= (inputs[i] as Node).traces;
  return traces;
}

function requireOneDevice(op: OpRow, inputs: readonly Node[], runtime: Runtime): void {
  for (let i = 0; i < inputs.length; i++) {
    const other = (inputs[i] as Node).runtime;
    if (other === runtime) continue;
    throw new DeviceMismatchError({
      op: op.name,
      expected: 'tensors of one device',
      got: `one on ${runtime.backend.name} and one on ${other.backend.name}${other.backend.name === runtime.backend.name ? ' (another device object)' : ''}`,
      fix: 'move one of them with `await t.to(device)`.',
    });
  }
}

/** Inputs that a kernel addresses by position, as dense ones: a view that has a value is copied. Pending ones are looked at when they are planned. */
function denseInputs(op: OpRow, inputs: readonly Node[]): readonly Node[] {
  if (!inputs.some((input, i) => isStrided(input) && addresses(op, input, i))) return inputs;
  return inputs.map((input, i) =>
    isStrided(input) && addresses(op, input, i) ? nodeOf(record(COPY, [input], input.shape, input.dtype), op.name) : input,
  );
}

/** Makes the node of an op and a handle for it. Shape and dtype have been checked by the caller. */
export function record(op: OpRow, given: readonly Node[], shape: Shape, dtype: DType, attribute: Attribute = NO_ATTRIBUTE): Tensor {
  const { runtime } = given[0] as Node;
  requireOneDevice(op, given, runtime);
  tracing.active?.used(given);
  const inputs = denseInputs(op, given);
  const node = new Node(op, inputs, attribute, shape, dtype, runtime, tracesOf(op, inputs));
  node.region = region;
  const handle = new Tensor(node);
  notePending(node);
  debugSettings.recorded?.(node);
  return handle;
}

/**
 * Makes the node of a movement op. Where the input has a value and strides can say it, the result has it at once, in the same memory.
 * Returns null where the input has a value and only a copy would do.
 */
export function recordView(op: OpRow, input: Node, shape: Shape, attribute: Attribute): Tensor | null {
  // A trace must know where each value comes from: there, views are nodes like any other.
  if (input.state !== 'ready' || input.storage === null || op.lowering.kind !== 'view' || tracing.active !== null)
    return record(op, [input], shape, input.dtype, attribute);
  const { dims } = input.shape;
  const from: View = { dims, strides: input.strides ?? input.shape.strides, offset: input.offset };
  const site = { dims: shape.dims, dtype: input.dtype, attribute: attribute.value, inputs: [{ dims, dtype: input.dtype }] };
  const view = op.lowering.apply(from, site);
  if (view === null) return null;
  const traces = tracesOf(op, [input]);
  const node = new Node(op, traces === 0 ? [] : [input], attribute, shape, input.dtype, input.runtime, traces);
  attachStorage(node, input.storage, view.offset, isDense(view) ? null : view.strides);
  return new Tensor(node);
}

/** A plain number as `dtype` holds it; one of the host's is read now, and anew in each call of a compiled function. */
export function numberNode(value: number | HostNumber, dtype: DType, runtime: Runtime): Node {
  if (typeof value === 'number') return scalarNode(roundTo(value, dtype), dtype, runtime);
  const read = (): number => roundTo(value.read(), dtype);
  const node = scalarNode(read(), dtype, runtime);
  tracing.active?.host({ kind: 'number', read, node });
  return node;
}

/** A number on the host, of rank 0, that `dtype` holds as it is. */
export function scalarNode(value: number, dtype: DType, runtime: Runtime): Node {
  const node = new Node(SCALAR, [], NO_ATTRIBUTE, SCALAR_SHAPE, dtype, runtime, 0);
  node.value = value;
  node.state = 'ready';
  return node;
}

/** A value that is the same everywhere; part of a kernel's code, so for structural numbers only. */
export function constantNode(value: number, shape: Shape, dtype: DType, runtime: Runtime): Node {
  return new Node(CONSTANT, [], intern(`constant:${Object.is(value, -0) ? '-0' : value}`, value), shape, dtype, runtime, 0);
}

/** A handle on a constant. */
export function fullLike(node: Node, value: number, shape: Shape = node.shape): Tensor {
  return new Tensor(constantNode(value, shape, node.dtype, node.runtime));
}
