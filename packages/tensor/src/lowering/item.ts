/** What planning knows of a slot: structure only, so that a plan never holds a node. */

import type { DType } from '@gradus/backend';
import type { Node } from '../graph/node.ts';
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
  readonly flags: SlotFlags;
  /** Layout of a leaf, relative to its node's offset. */
  readonly leafView: View | null;
  /** Slots that use it. */
  readonly consumers: number[];
  /** Leaves with the same number share memory. */
  readonly memory: number;
}

/** Reads the structure off a program's nodes. */
export function itemsOf(program: Program): Item[] {
  const items: Item[] = [];
  program.nodes.forEach((node, slot) => {
    const flags = decodeFlags(program.flags[slot] ?? 0);
    const inputs = flags.leaf ? [] : node.inputs.map((input) => unalias(input).slot);
    const { dims } = node.shape;
    // An attribute without a number is not structure (a gradient rule, which may hold tensors): no plan keeps it.
    const attribute = node.attribute.id === 0 ? null : node.attribute.value;
    const site: OpSite = { dims, dtype: node.dtype, attribute, inputs: siteInputs(node, flags.leaf) };
    const leafView = flags.leaf ? (node.strides === null ? denseView(dims) : { dims, strides: node.strides, offset: 0 }) : null;
    items.push({
      slot,
      op: node.op,
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
    for (const input of inputs) items[input]?.consumers.push(slot);
  });
  return items;
}

function siteInputs(node: Node, leaf: boolean): OpSite['inputs'] {
  return leaf ? [] : node.inputs.map((input) => ({ dims: input.shape.dims, dtype: input.dtype }));
}

/** Is it a number that expressions carry along instead of loading: a host scalar or a constant? */
export function isInlineNumber(item: Item): boolean {
  return item.flags.hostScalar || (!item.flags.leaf && item.op.lowering.kind === 'constant');
}
