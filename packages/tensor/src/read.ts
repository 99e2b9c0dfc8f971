/** Reading: from tensors to numbers. Everything here computes what is wanted first. */

import { bytesPerElement } from '@gradus/backend';
import { ShapeError, SynchronousReadError } from './errors.ts';
import { cutInputs, release, retain } from './graph/node.ts';
import type { Node } from './graph/node.ts';
import { showDims } from './graph/shape.ts';
import { tracing } from './graph/tracing.ts';
import { isTaped } from './lowering/program.ts';
import { flush } from './lowering/flush.ts';
import { decode, encode } from './memory/elements.ts';
import type { ElementArray } from './memory/elements.ts';
import { compose } from './memory/scope.ts';
import { rememberScalar } from './memory/settle.ts';
import { copy } from './ops/convert.ts';
import type { Runtime } from './runtime.ts';
import { nodeOf } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** Numbers nested as deep as the shape has axes. */
export type NestedNumbers = number | NestedNumbers[];

/** Computes tensors now, and ends their history unless a gradient may need it. Returns nothing: the tensors have their values. Does nothing in a compiled function. */
export function evaluate(...tensors: readonly Tensor[]): void {
  if (tracing.active !== null) return;
  const byRuntime = new Map<Runtime, Node[]>();
  for (const t of tensors) {
    const node = nodeOf(t, 'evaluate');
    if (node.state !== 'pending') continue;
    const nodes = byRuntime.get(node.runtime) ?? [];
    nodes.push(node);
    byRuntime.set(node.runtime, nodes);
  }
  for (const [runtime, nodes] of byRuntime) {
    flush(runtime, nodes);
    for (const node of nodes) if (!isTaped(node)) cutInputs(node);
  }
}

/** A computed node whose elements lie in row-major order. */
function denseNode(t: Tensor, op: string): Node {
  const node = nodeOf(t, op);
  evaluate(t);
  if (node.strides === null) return node;
  // The copy lives on by the hold that the caller takes before anything else happens.
  return compose(() => {
    const dense = copy(t);
    evaluate(dense);
    const made = nodeOf(dense, op);
    retain(made);
    return made;
  });
}

/** Runs `use` on dense bytes' place, releasing what was made for it. */
function holdDense(t: Tensor, op: string): { node: Node; done: () => void } {
  tracing.active?.refuse({
    op,
    expected: 'no reading of numbers inside a compiled function',
    got: `${op}() on a tensor of shape ${showDims(nodeOf(t, op).shape.dims)}`,
    fix: 'return the tensor and read it outside; choose elements with where(…), and decide by arguments that are plain values.',
  });
  const own = nodeOf(t, op);
  const node = denseNode(t, op);
  if (node === own) retain(node);
  return { node, done: () => release(node) };
}

/** The elements in row-major order. 16-bit floats come as Float32Array, bool as Uint8Array. @throws TensorDisposedError; TraceError in a compiled function */
export function data(t: Tensor): Promise<ElementArray> {
  return elementsOf(t, 'data');
}

async function elementsOf(t: Tensor, op: string): Promise<ElementArray> {
  const { node, done } = holdDense(t, op);
  try {
    if (node.storage === null || node.shape.size === 0) return hostElements(node);
    const width = bytesPerElement(node.dtype);
    const bytes = await node.runtime.backend.read(node.storage.block, node.offset * width, node.shape.size * width);
    const elements = decode(bytes, node.dtype);
    rememberScalar(node, elements[0] ?? NaN);
    return elements;
  } finally {
    done();
  }
}

/** The same at once. @throws SynchronousReadError where the device can only be read asynchronously */
export function dataSync(t: Tensor): ElementArray {
  return elementsOfSync(t, 'dataSync');
}

function elementsOfSync(t: Tensor, op: string): ElementArray {
  const { backend } = nodeOf(t, op).runtime;
  if (backend.readSync === undefined) {
    throw new SynchronousReadError({
      op,
      expected: 'a device that can be read synchronously',
      got: backend.name,
      fix: `use \`await t.${op.replace('Sync', '')}()\`.`,
    });
  }
  const { node, done } = holdDense(t, op);
  try {
    if (node.storage === null || node.shape.size === 0) return hostElements(node);
    const width = bytesPerElement(node.dtype);
    return decode(backend.readSync(node.storage.block, node.offset * width, node.shape.size * width), node.dtype);
  } finally {
    done();
  }
}

/** The elements of a number on the host, or of nothing at all. */
function hostElements(node: Node): ElementArray {
  return decode(encode(node.shape.size === 0 ? [] : [node.value], node.dtype).slice(), node.dtype);
}

/** The one number of a tensor with one element. @throws ShapeError when it has more or none */
export async function item(t: Tensor): Promise<number> {
  requireOneElement(t);
  return (await elementsOf(t, 'item'))[0] ?? NaN;
}

/** The same at once. @throws ShapeError, SynchronousReadError */
export function itemSync(t: Tensor): number {
  requireOneElement(t);
  return elementsOfSync(t, 'itemSync')[0] ?? NaN;
}

function requireOneElement(t: Tensor): void {
  const { shape } = nodeOf(t, 'item');
  if (shape.size !== 1)
    throw new ShapeError({
      op: 'item',
      expected: 'a tensor with one element',
      got: `shape ${showDims(shape.dims)}`,
      fix: 'reduce it first, or use toArray().',
    });
}

/** The elements as nested arrays; a plain number for rank 0. bool comes as 0 and 1. */
export async function toArray(t: Tensor): Promise<NestedNumbers> {
  const { dims } = nodeOf(t, 'toArray').shape;
  return nest(await elementsOf(t, 'toArray'), dims);
}

/** Nests row-major elements by `dims`. */
export function nest(elements: ElementArray, dims: readonly number[]): NestedNumbers {
  let at = 0;
  const build = (axis: number): NestedNumbers => {
    if (axis === dims.length) return elements[at++] ?? NaN;
    return Array.from({ length: dims[axis] ?? 0 }, () => build(axis + 1));
  };
  return build(0);
}
