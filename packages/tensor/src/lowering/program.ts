/**
 * A program: the pending part of the graph below some roots, numbered for planning, with a key of integers.
 *
 * - A **slot** is a node's number in the program; inputs come before those who use them.
 * - A **leaf** is a slot that has a value already.
 * - The **key** says everything a plan depends on: ops, attributes, shapes, dtypes, layouts, inputs by slot, roots, residuals and
 *   which leaves may be overwritten. Host scalars and offsets stay outside, so that they never make a new plan.
 * - A slot is **dying** when nothing but this program's finished work refers to it: its memory may be reused or overwritten.
 */

import { ALL_DTYPES } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { copyStridedInputs } from '../graph/dense.ts';
import { intern } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';

/** Bits of the flags in a key. */
const LEAF = 1;
const ROOT = 2;
const RESIDUAL = 4;
const DONATABLE = 8;
const HOST_SCALAR = 16;

/** How a slot takes part. */
export interface SlotFlags {
  readonly leaf: boolean;
  readonly root: boolean;
  /** A gradient rule may still need it or its inputs. */
  readonly residual: boolean;
  /** A leaf whose storage nobody needs after this program. */
  readonly donatable: boolean;
  /** A leaf that is a number on the host. */
  readonly hostScalar: boolean;
}

const DTYPE_INDEX: { readonly [D in DType]: number } = Object.fromEntries(ALL_DTYPES.map((d, i) => [d, i])) as { [D in DType]: number };

let traversals = 0;
/** Words of the key under construction; grown, never shrunk. */
let words: Int32Array = new Int32Array(4096);

/** Traces under way; nodes whose trace bits are none of these need no tape. */
let activeTraces = 1;

/** Says which gradient traces are under way. */
export function setActiveTraces(bits: number): void {
  activeTraces = bits;
}

export function tracesUnderWay(): number {
  return activeTraces;
}

/** Must the node keep its inputs once it has a value? */
export function isTaped(node: Node): boolean {
  return (node.traces & activeTraces) !== 0 && !node.consumed;
}

/** Must the node's value be there for a backward pass, or its inputs', once it has been computed? */
function isKept(node: Node): boolean {
  return isTaped(node) && !isRecomputed(node);
}

/** Has the node no value, and will a backward pass calculate it for itself? */
function isRecomputed(node: Node): boolean {
  return node.region !== null && node.state === 'pending';
}

/** A node, or what it is another name for while it is pending. */
export function unalias(node: Node): Node {
  let it = node;
  while (it.state === 'pending' && it.op.lowering.kind === 'alias') it = it.inputs[0] as Node;
  return it;
}

/** A numbered program. `nodes` must not outlive the flush: plans are cached, programs are not. */
export interface Program {
  readonly nodes: readonly Node[];
  readonly key: Int32Array;
  readonly hash: number;
  readonly dying: Uint8Array;
  /** The flags of each slot, as in the key. */
  readonly flags: Uint8Array;
  /** For leaves whose memory may be overwritten although others see it too: the first leaf with the same memory. By default, each is alone. */
  readonly memory?: Int32Array;
  /** Slots that are numbers written in the program, which never change. */
  readonly literals?: ReadonlyMap<number, number>;
}

/** The flags that a key holds for a slot. */
export function decodeFlags(bits: number): SlotFlags {
  return {
    leaf: (bits & LEAF) !== 0,
    root: (bits & ROOT) !== 0,
    residual: (bits & RESIDUAL) !== 0,
    donatable: (bits & DONATABLE) !== 0,
    hostScalar: (bits & HOST_SCALAR) !== 0,
  };
}

/** Numbers everything pending below `roots` (which are unaliased and distinct) and writes the key. */
export function collect(roots: readonly Node[]): Program {
  const { nodes, isRoot } = numbered(roots);
  const dying = findDying(nodes, isRoot);
  return describe(nodes, isRoot, dying, (node, slot) => {
    if (node.state !== 'ready') return isKept(node) ? RESIDUAL : 0;
    return node.storage !== null && dying[slot] === 1 && node.storage.refs === 1 && node.offset === 0 ? DONATABLE : 0;
  });
}

/**
 * The same for a traced function: gradients keep nothing, and what is no root is gone afterwards. `mayOverwrite` names the leaves whose memory
 * results may take over, `isLiteral` the numbers that never change.
 */
export function collectTraced(roots: readonly Node[], mayOverwrite: (leaf: Node) => boolean, isLiteral: (leaf: Node) => boolean): Program {
  const { nodes, isRoot } = numbered(roots);
  const dying = isRoot.map((root) => 1 - root);
  const program = describe(nodes, isRoot, dying, (node) => (node.state === 'ready' && mayOverwrite(node) && node.offset === 0 ? DONATABLE : 0));
  const first = new Map<unknown, number>();
  const memory = Int32Array.from(nodes, ({ storage }, slot) => {
    if (storage === null) return slot;
    const known = first.get(storage) ?? slot;
    first.set(storage, known);
    return known;
  });
  const literals = new Map(
    nodes.flatMap((node, slot) => (node.state === 'ready' && node.storage === null && isLiteral(node) ? [[slot, node.value] as const] : [])),
  );
  return { ...program, memory, literals };
}

function numbered(roots: readonly Node[]): { readonly nodes: readonly Node[]; readonly isRoot: Uint8Array } {
  const nodes = number(roots, ++traversals);
  const isRoot = new Uint8Array(nodes.length);
  for (const node of roots) isRoot[node.slot] = 1;
  return { nodes, isRoot };
}

/** Writes the key. `more` gives the flags besides leaf, root and host scalar. */
function describe(nodes: readonly Node[], isRoot: Uint8Array, dying: Uint8Array, more: (node: Node, slot: number) => number): Program {
  const count = nodes.length;
  const allFlags = new Uint8Array(count);
  let at = 0;
  let hash = 0x811c9dc5;
  const put = (word: number): void => {
    if (at === words.length) {
      const larger = new Int32Array(words.length * 2);
      larger.set(words);
      words = larger;
    }
    words[at++] = word;
    hash = Math.imul(hash ^ word, 0x01000193);
  };
  for (let slot = 0; slot < count; slot++) {
    const node = nodes[slot] as Node;
    const leaf = node.state === 'ready';
    let flags = (isRoot[slot] === 1 ? ROOT : 0) | more(node, slot);
    if (leaf) flags |= node.storage === null ? LEAF | HOST_SCALAR : LEAF;
    allFlags[slot] = flags;
    put(flags | ((DTYPE_INDEX[node.dtype] + 1) << 8));
    put(node.shape.id);
    if (leaf) {
      put(node.strides === null ? 0 : intern(`strides:${node.strides.join()}`, null).id);
    } else {
      put(node.op.id);
      put(node.attribute.id);
      put(node.inputs.length);
      for (const input of node.inputs) put(unalias(input).slot);
    }
  }
  return { nodes, key: words.slice(0, at), hash: hash >>> 0, dying, flags: allFlags };
}

/**
 * Pending nodes in the order in which they were recorded, each after those leaves that it is the first to use. That order frees the most
 * on the way: a layer's gradients are done before those of the layer below are begun.
 */
function number(roots: readonly Node[], mark: number): Node[] {
  const pending: Node[] = [];
  const reach = (node: Node): void => {
    if (node.state !== 'pending' || node.mark === mark) return;
    node.mark = mark;
    pending.push(node);
  };
  roots.forEach(reach);
  for (let at = 0; at < pending.length; at++) {
    const node = pending[at] as Node;
    copyStridedInputs(node, unalias);
    for (const input of node.inputs) reach(unalias(input));
  }
  pending.sort((a, b) => a.id - b.id);
  const nodes: Node[] = [];
  const place = (node: Node): void => {
    node.slot = nodes.length;
    nodes.push(node);
  };
  const placeLeaf = (node: Node): void => {
    if (node.mark === mark) return;
    node.mark = mark;
    place(node);
  };
  for (const node of pending) {
    for (const input of node.inputs) placeLeaf(unalias(input));
    place(node);
  }
  roots.forEach(placeLeaf);
  return nodes;
}

/** Backwards: a slot dies when all its references come from slots that are computed and cut here, or die too. */
function findDying(nodes: readonly Node[], isRoot: Uint8Array): Uint8Array {
  const count = nodes.length;
  const edges = new Int32Array(count);
  const dying = new Uint8Array(count).fill(1);
  for (let slot = count - 1; slot >= 0; slot--) {
    const node = nodes[slot] as Node;
    const internal = node.refs === edges[slot];
    if (isRoot[slot] === 1 || !internal || isKept(node)) dying[slot] = 0;
    if (node.state !== 'pending') continue;
    const goes = !isTaped(node) && (isRoot[slot] === 1 || dying[slot] === 1);
    for (const input of node.inputs) {
      const below = unalias(input);
      // A reference through an alias is the alias' own: not counted here, so the slot is seen as referred to from outside.
      if (below === input) edges[below.slot] = (edges[below.slot] ?? 0) + 1;
      if (!goes && !isRecomputed(below)) dying[below.slot] = 0;
    }
  }
  return dying;
}
