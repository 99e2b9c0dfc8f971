/**
 * The rules of planning, checked after each pass in debug mode: `debug({ verify: true })`. Kernels are checked by the contract's verifier.
 *
 * Items: inputs come before those who use them, and a slot that stands for an earlier one has its shape and dtype.
 * Decisions: a kernel has one heavy op at its head, which no other has, and is stored; roots are stored, or lie in the memory of something that is.
 *
 * Plans, when everything is scheduled and has its memory:
 * 1. What a launch reads is a leaf, a temporary that an earlier launch of its step wrote, or a slot that was written before, in memory that
 *    has been allocated and not been given back.
 * 2. A leaf whose memory is taken over is read by nothing after the launch that writes there.
 * 3. Every root has a value when the plan has run.
 */

import { internalError } from '../internal.ts';
import type { Decisions } from './decide.ts';
import { SAME } from './item.ts';
import type { Item } from './item.ts';
import type { Plan, PreparedLaunch } from './plan.ts';

const reads = (l: PreparedLaunch, operand: number): boolean => l.kernel.operands[operand]?.access !== 'write';
const writes = (l: PreparedLaunch, operand: number): boolean => l.kernel.operands[operand]?.access !== 'read';

/** Throws an internal error when the items break a rule. */
export function verifyItems(items: readonly Item[]): void {
  for (const { slot, inputs, op, dims, dtype } of items) {
    if (inputs.some((input) => input >= slot)) internalError(`${op.name} comes before what it is made of`);
    const first = op === SAME ? items[inputs[0] ?? -1] : null;
    if (first !== null && (first?.dtype !== dtype || String(first.dims) !== String(dims))) internalError(`slot ${slot} is not the same as its first`);
  }
}

/** Throws an internal error when the decisions break a rule. */
export function verifyDecisions(items: readonly Item[], { stored, anchors, aliases }: Decisions): void {
  const heads = [...anchors.values()];
  if (new Set(heads).size !== heads.length) internalError('a heavy op at the head of two kernels');
  for (const host of anchors.keys()) if (stored[host] !== 1) internalError(`slot ${host} has a kernel and no memory`);
  for (const { slot, flags, op } of items)
    if (flags.root && !flags.leaf && stored[slot] !== 1 && !aliases.has(slot)) internalError(`${op.name} is wanted and has no place`);
}

/** Throws an internal error when the plan breaks a rule. */
export function verifyPlan(plan: Plan): void {
  verifyOrder(plan);
  verifyDonations(plan);
  const placed = new Set(plan.results.map((r) => r.slot));
  for (const { slot, flags, op } of plan.items)
    if (flags.root && !flags.leaf && !placed.has(slot)) internalError(`${op.name} is wanted and has no place`);
}

function verifyOrder({ items, steps, buffers, bufferOf, startsAt, endsAt }: Plan): void {
  const written = new Set(buffers.flatMap((b, i) => (b.donor === null ? [] : [i])));
  const alive = new Set<number>();
  steps.forEach((step, at) => {
    for (const buffer of startsAt[at] ?? []) alive.add(buffer);
    const temporaries = new Set<number>();
    for (const l of step.launches) {
      for (const [operand, source] of l.blocks.entries()) {
        if ('temporary' in source) {
          if (reads(l, operand) && !temporaries.has(source.temporary)) internalError('a temporary is read before it is written');
          continue;
        }
        const buffer = bufferOf[source.slot] ?? -1;
        if (buffer < 0 && items[source.slot]?.flags.leaf !== true) internalError(`slot ${source.slot} is used and has no memory`);
        if (buffer >= 0 && !alive.has(buffer)) internalError(`slot ${source.slot} is used when its memory is not there`);
        if (buffer >= 0 && reads(l, operand) && !written.has(buffer)) internalError(`slot ${source.slot} is read before it is written`);
      }
      for (const [operand, source] of l.blocks.entries()) {
        if (!writes(l, operand)) continue;
        if ('temporary' in source) temporaries.add(source.temporary);
        else written.add(bufferOf[source.slot] ?? -1);
      }
    }
    for (const buffer of endsAt[at] ?? []) alive.delete(buffer);
  });
}

function verifyDonations({ items, steps, buffers, bufferOf }: Plan): void {
  for (const [index, { donor }] of buffers.entries()) {
    if (donor === null) continue;
    const memory = items[donor]?.memory;
    let overwritten = false;
    for (const l of steps.flatMap((step) => step.launches)) {
      const slots = l.blocks.map((source) => ('slot' in source ? source.slot : -1));
      const looks = slots.some((slot, operand) => slot >= 0 && (bufferOf[slot] ?? -1) < 0 && items[slot]?.memory === memory && reads(l, operand));
      if (overwritten && looks) internalError('a leaf is read after its memory was taken over');
      overwritten ||= slots.some((slot, operand) => slot >= 0 && bufferOf[slot] === index && writes(l, operand));
      overwritten ||= slots.some((slot, operand) => slot === donor && writes(l, operand));
    }
  }
}
