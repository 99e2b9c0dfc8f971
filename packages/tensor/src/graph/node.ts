/**
 * The graph: nodes, and the storage behind those that have a value.
 *
 * A node is *pending* until a flush computes it, then *ready*; it is *released* when nothing refers to it any more.
 * `refs` counts who does: live handles, nodes that have it as input, and pins (state waiting to be written, reads in flight).
 * Nothing outside this file changes a count.
 */

import type { Block, DType } from '@gradus/backend';
import type { Runtime } from '../runtime.ts';
import type { Tensor } from '../tensor.ts';
import type { OpRow } from './op.ts';
import type { Shape } from './shape.ts';

/** Where a value lies: a block shared by all views of it. */
export interface Storage {
  readonly block: Block;
  readonly runtime: Runtime;
  /** Nodes and arenas that hold it; the block returns to the pool at 0. */
  refs: number;
  /** Is or was it the value of a parameter, a moment, a statistic? For `memory()`. */
  isState: boolean;
}

/** A node's attribute, interned: equal attributes of one op are one object. */
export interface Attribute {
  readonly id: number;
  readonly value: unknown;
}

/** Gives a node's value again in a backward pass (see `autograd/checkpoint.ts`). */
export interface Recomputation {
  again(node: Node, after: Tensor): Node;
  forget(): void;
}

/** Life of a node. */
export type NodeState = 'pending' | 'ready' | 'released';

const NO_INPUTS: readonly Node[] = [];
let created = 0;

/** One value in the graph: fixed fields only, made by the thousand. */
export class Node {
  readonly op: OpRow;
  readonly attribute: Attribute;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly runtime: Runtime;
  /** Order of recording: that of its inputs is lower. */
  readonly id: number;
  inputs: readonly Node[];
  state: NodeState = 'pending';
  refs = 0;
  /** How many of `refs` are live handles. */
  handles = 0;
  /** Which gradient traces it takes part in: bit 0 for `requiresGrad`, one bit for each `grad` in progress. */
  traces: number;
  storage: Storage | null = null;
  /** Of the first element, in elements of the storage. */
  offset = 0;
  /** In elements; null for row-major. */
  strides: readonly number[] | null = null;
  /** The value of a host scalar (op `scalar`). */
  value = 0;
  /** The handle that this is the value of, for values that change: state, and leaves that gradients are accumulated in. */
  cell: WeakRef<Tensor> | null = null;
  /** A backward pass has gone through it: its residuals are no longer kept on purpose. */
  consumed = false;
  /** What calculates it again when a gradient rule asks for it; null where its value is kept for that. */
  region: Recomputation | null = null;
  /** Gradient under way, during a backward pass. */
  cotangent: Tensor | null = null;
  /** Scratch of graph traversals: the traversal's number, and the node's slot in it. */
  mark = 0;
  slot = 0;

  constructor(
    op: OpRow,
    inputs: readonly Node[],
    attribute: Attribute,
    shape: Shape,
    dtype: DType,
    runtime: Runtime,
    traces: number,
    id = created++,
  ) {
    this.op = op;
    this.inputs = inputs;
    this.attribute = attribute;
    this.shape = shape;
    this.dtype = dtype;
    this.runtime = runtime;
    this.traces = traces;
    this.id = id;
    for (let i = 0; i < inputs.length; i++) (inputs[i] as Node).refs++;
  }
}

/** Holds a node. */
export function retain(node: Node): void {
  node.refs++;
}

/** Holds a node for a handle. */
export function retainForHandle(node: Node): void {
  node.refs++;
  node.handles++;
}

/** Lets go of a node that a handle held. */
export function releaseFromHandle(node: Node): void {
  node.handles--;
  release(node);
}

/** Lets go of a node; at 0 its storage and inputs go too. */
export function release(node: Node): void {
  if (--node.refs > 0) return;
  const stack = [node];
  for (let dying = stack.pop(); dying !== undefined; dying = stack.pop()) {
    if (dying.state === 'released') continue;
    dying.state = 'released';
    const { inputs } = dying;
    dying.inputs = NO_INPUTS;
    dying.cell = null;
    dropStorage(dying);
    for (const input of inputs) if (--input.refs === 0) stack.push(input);
  }
}

/** Forgets how a node was made; it must have a value. Ends the tape here. */
export function cutInputs(node: Node): void {
  const { inputs } = node;
  node.inputs = NO_INPUTS;
  for (const input of inputs) release(input);
}

/** Gives a node its value. */
export function attachStorage(node: Node, storage: Storage, offset: number, strides: readonly number[] | null): void {
  storage.refs++;
  node.storage = storage;
  node.offset = offset;
  node.strides = strides;
  node.state = 'ready';
}

/** Gives `alias` the value of `node`, which is ready: the same memory, or the same host number. */
export function shareValue(alias: Node, node: Node): void {
  if (node.storage !== null) attachStorage(alias, node.storage, node.offset, node.strides);
  alias.value = node.value;
  alias.state = 'ready';
}

/** Takes a node's hold off its storage. */
export function dropStorage(node: Node): void {
  const { storage } = node;
  if (storage === null) return;
  node.storage = null;
  releaseStorage(storage);
}

/** Lets go of a storage; at 0 its block returns to the pool. */
export function releaseStorage(storage: Storage): void {
  if (--storage.refs > 0) return;
  const { pool } = storage.runtime;
  if (storage.isState) pool.countState(-storage.block.byteLength);
  pool.release(storage.block);
}

/** Counts a node's memory as state. */
export function claimForState(node: Node): void {
  const { storage } = node;
  if (storage === null || storage.isState) return;
  storage.isState = true;
  storage.runtime.pool.countState(storage.block.byteLength);
}

/** Nodes made so far: those made from now on have this id or a later one. */
export function nextNodeId(): number {
  return created;
}

let attributes = 0;
const interned = new Map<string, Attribute>();

/** No attribute. */
export const NO_ATTRIBUTE: Attribute = { id: 0, value: null };

/** The one attribute object for `key`, which must name `value` completely. */
export function intern(key: string, value: unknown): Attribute {
  let attribute = interned.get(key);
  if (attribute === undefined) {
    attribute = { id: ++attributes, value };
    interned.set(key, attribute);
  }
  return attribute;
}
