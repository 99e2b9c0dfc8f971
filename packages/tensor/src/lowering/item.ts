/** What planning knows of a slot: structure only, so that a plan never holds a node. */

import type { DType } from '@gradus/backend';
import type { Node } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { OpRow, OpSite } from '../graph/op.ts';
import { decodeFlags, unalias } from './program.ts';
import type { Program, SlotFlags } from './program.ts';
import type { View } from './view.ts';
import { denseView } from './view.ts';

/** One slot of a program, for planning. */
export interface Item {
  readonly slot: number;
  readonly op: OpRow;
  readonly site: OpSite;
  readonly dims: readonly number[];
  readonly size: number;
  readonly dtype: DType;
  /** Slots. */
  readonly inputs: readonly number[];
  flags: SlotFlags;
  /** Layout of a leaf, relative to its node's offset. */
  readonly leafView: View | null;
  /** Slots that use it. */
  readonly consumers: number[];
  /** Leaves with the same number share memory. */
  readonly memory: number;
}

/** What a slot becomes that computes the same as an earlier one: that one, seen as it is. */
export const SAME: OpRow = /* @__PURE__ */ row({ name: 'same', lowering: { kind: 'view', apply: (view) => view } });

/** Its first input, once its second has been computed: no kernel after it joins one before it. */
export const FENCE: OpRow = /* @__PURE__ */ row({ name: 'fence', lowering: { kind: 'view', apply: (view) => view }, gradient: (g) => [g, null] });

/** Reads the structure off a program's nodes. What is computed twice is computed once: later slots refer to the first. */
export function itemsOf(program: Program): Item[] {
  const items: Item[] = [];
  const known = new Map<string, number>();
  /** For each slot, the first that computes the same. */
  const first: number[] = [];
  program.nodes.forEach((node, slot) => {
    const flags = decodeFlags(program.flags[slot] ?? 0);
    const ownInputs = flags.leaf ? [] : node.inputs.map((input) => first[unalias(input).slot] ?? 0);
    const name = computationOf(program, slot, ownInputs);
    const same = known.get(name) ?? slot;
    known.set(name, same);
    first.push(same);
    const isSame = same !== slot && !flags.leaf;
    const inputs = isSame ? [same] : ownInputs;
    const { dims } = node.shape;
    // An attribute without a number is not structure (a gradient rule, which may hold tensors): no plan keeps it.
    const attribute = node.attribute.id === 0 ? null : node.attribute.value;
    const site: OpSite = { dims, dtype: node.dtype, attribute, inputs: siteInputs(node, flags.leaf) };
    const leafView = flags.leaf ? (node.strides === null ? denseView(dims) : { dims, strides: node.strides, offset: 0 }) : null;
    items.push({
      slot,
      op: isSame ? SAME : node.op,
      site,
      dims,
      size: node.shape.size,
      dtype: node.dtype,
      inputs,
      flags,
      leafView,
      consumers: [],
      memory: program.memory?.[slot] ?? slot,
    });
    const original = items[same];
    if (isSame && original !== undefined) original.flags = joined(original.flags, flags);
    if (!isSame || flags.root) for (const input of inputs) items[input]?.consumers.push(slot);
  });
  return items;
}

/** Names what a slot computes: equal names, equal values. Leaves are themselves, but for numbers that are written in the program. */
function computationOf({ nodes, flags, literals }: Program, slot: number, inputs: readonly number[]): string {
  const { op, attribute, dtype, shape } = nodes[slot] as Node;
  const literal = literals?.get(slot);
  if (literal !== undefined) return `${dtype}=${Object.is(literal, -0) ? '-0' : literal}`;
  return decodeFlags(flags[slot] ?? 0).leaf ? `leaf ${slot}` : `${op.id}:${attribute.id}:${dtype}:${shape.id}:${inputs.join()}`;
}

/** The flags of a slot that stands for another too. */
function joined(a: SlotFlags, b: SlotFlags): SlotFlags {
  return { ...a, root: a.root || b.root, residual: a.residual || b.residual };
}

function siteInputs(node: Node, leaf: boolean): OpSite['inputs'] {
  return leaf ? [] : node.inputs.map((input) => ({ dims: input.shape.dims, dtype: input.dtype }));
}

/** Is it a number that expressions carry along instead of loading: a host scalar or a constant? */
export function isInlineNumber(item: Item): boolean {
  return item.flags.hostScalar || (!item.flags.leaf && item.op.lowering.kind === 'constant');
}
