/**
 * Preparing a captured function: all that can be known before it is called.
 *
 * Values that never leave the function get places in memory of its own; every argument of every launch is either filled in for good or
 * listed as a blank to be filled in by each call.
 */

import { bytesPerElement } from '@gradus/backend';
import type { Block, Capabilities } from '@gradus/backend';
import { internalError } from '../internal.ts';
import type { PreparedLaunch } from '../lowering/plan.ts';
import type { Captured, CellChange, Exit } from './capture.ts';
import type { Cell } from './cells.ts';
import { layOutApart, layOutInOne } from './memory.ts';
import type { MemoryLayout, Span } from './memory.ts';

/** A block among the arguments of a launch that each call fills in: that of a leaf, or of an outer buffer (the other is -1). */
interface BlockBlank {
  readonly launch: PreparedLaunch;
  readonly at: number;
  readonly leaf: number;
  readonly buffer: number;
  /** Where its offset stands in `dims`, and the offset without the leaf's own. */
  readonly offsetAt: number;
  readonly baseOffset: number;
}

/** A number among the arguments of a launch that each call fills in: from the host's part, or the value of a leaf on the host. */
interface NumberBlank {
  readonly launch: PreparedLaunch;
  readonly at: number;
  readonly leaf: number;
  /** The entry of the host's part, or -1. */
  readonly entry: number;
}

/** Memory that is not the function's own: of cells and results. */
export interface OuterBuffer {
  /** Index among the plan's buffers. */
  readonly index: number;
  readonly bytes: number;
  /** The leaf whose memory is taken over, or -1. */
  readonly donor: number;
  /** Numbers of the changes whose values lie in it. */
  readonly changes: readonly number[];
  /** Does nothing but cells lie in it, none of which is read? Then their old memory is written again. */
  readonly recyclable: boolean;
}

/** A place in the function's own memory. */
interface Place {
  readonly block: Block;
  readonly byteOffset: number;
}

/** What a call needs. */
export interface Prepared {
  readonly launches: readonly PreparedLaunch[];
  readonly blocks: readonly BlockBlank[];
  readonly numbers: readonly NumberBlank[];
  readonly outer: readonly OuterBuffer[];
  /** Where single numbers lie that are read into the host after the run, by buffer. */
  readonly onHost: ReadonlyMap<number, Place>;
  /** The function's own memory. */
  readonly own: readonly Block[];
}

/** Prepares a function; its memory comes from the pool. */
export function prepare(captured: Captured): Prepared {
  const launches = captured.plan.steps.flatMap((step) => step.launches);
  const { outside, onHost } = leavingBuffers(captured);
  const places = placeOwn(captured, outside, onHost);
  const leafAt = new Map(captured.leaves.map((leaf, i) => [leaf.slot, i]));
  return {
    launches,
    outer: [...outside].map((index) => describeOuter(captured, index, leafAt)),
    blocks: findBlocks(captured, launches, outside, leafAt),
    numbers: fillNumbers(captured, launches, leafAt),
    onHost: places.numbers,
    own: places.blocks,
  };
}

const isIn = (exit: Exit | null, buffer: number): exit is Exit => exit !== null && 'buffer' in exit.from && exit.from.buffer === buffer;

/** Buffers whose values leave the function. Single numbers move to the host, where that can be done at once: their buffers stay. */
function leavingBuffers({ plan, runtime, results, changes }: Captured): {
  readonly outside: ReadonlySet<number>;
  readonly onHost: ReadonlySet<number>;
} {
  const exits = [...results, ...changes.flatMap((c) => (c.exit === null ? [] : [c.exit]))];
  const leaving = new Set(exits.flatMap((e) => ('buffer' in e.from ? [e.from.buffer] : [])));
  const isNumber = (buffer: number): boolean =>
    runtime.backend.readSync !== undefined &&
    plan.buffers[buffer]?.donor === null &&
    exits.every((exit) => !isIn(exit, buffer) || exit.node.shape.rank === 0);
  const onHost = new Set([...leaving].filter(isNumber));
  return { outside: new Set([...leaving].filter((buffer) => !onHost.has(buffer))), onHost };
}

function describeOuter({ plan, leaves, results, changes }: Captured, index: number, leafAt: ReadonlyMap<number, number>): OuterBuffer {
  const { bytes, donor } = plan.buffers[index] ?? internalError('no such buffer');
  const mine = [...changes.keys()].filter((i) => isIn(changes[i]?.exit ?? null, index));
  const isRead = (cell: Cell): boolean =>
    leaves.some(({ source }) => source.kind === 'cell' && source.cell.kind === cell.kind && source.cell.handle === cell.handle);
  const alone = !results.some((exit) => isIn(exit, index));
  const recyclable = donor === null && alone && !mine.some((i) => isRead((changes[i] as CellChange).cell));
  const from = donor === null ? -1 : (leafAt.get(donor) ?? internalError('a donor that is no leaf'));
  return { index, bytes, donor: from, changes: mine, recyclable };
}

/** Gives the function's own values their places, and fills them in: buffers that nobody sees outside, and temporaries of steps. */
function placeOwn(
  { plan, runtime }: Captured,
  outside: ReadonlySet<number>,
  onHost: ReadonlySet<number>,
): { readonly blocks: readonly Block[]; readonly numbers: ReadonlyMap<number, Place> } {
  const spans: Span[] = [];
  const spanOf = new Map<number, number>();
  for (const [index, { bytes, first, last }] of plan.buffers.entries()) {
    if (outside.has(index)) continue;
    const end = onHost.has(index) ? plan.steps.length : last;
    spanOf.set(index, spans.push({ bytes, first: Math.min(first, end), last: end }) - 1);
  }
  const users: { readonly launch: PreparedLaunch; readonly operand: number; readonly span: number }[] = [];
  for (const [at, step] of plan.steps.entries()) {
    const temporaries = step.temporaries.map((bytes) => spans.push({ bytes, first: at, last: at }) - 1);
    for (const launch of step.launches) {
      for (const [operand, source] of launch.blocks.entries()) {
        const span = 'temporary' in source ? temporaries[source.temporary] : spanOf.get(plan.bufferOf[source.slot] ?? -1);
        if (span !== undefined) users.push({ launch, operand, span });
      }
    }
  }
  const layout = layOut(spans, runtime.backend.capabilities);
  const blocks = layout.blockBytes.map((bytes) => runtime.pool.allocate(bytes));
  const placeOf = (span: number): Place => {
    const { block, offset } = layout.places[span] ?? internalError('a span without a place');
    return { block: blocks[block] ?? internalError('no such block'), byteOffset: offset };
  };
  for (const { launch, operand, span } of users) {
    const { block, byteOffset } = placeOf(span);
    const { dtype } = launch.kernel.operands[operand] ?? internalError('no such operand');
    launch.args[operand] = block;
    launch.dims[launch.offsets[operand] ?? 0] = (launch.baseOffsets[operand] ?? 0) + byteOffset / bytesPerElement(dtype);
  }
  return { blocks, numbers: new Map([...onHost].map((index) => [index, placeOf(spanOf.get(index) ?? -1)])) };
}

function layOut(spans: readonly Span[], { subBufferAliasing, bindingAlignment, maxBlockBytes }: Capabilities): MemoryLayout {
  const one = layOutInOne(spans, bindingAlignment);
  return subBufferAliasing && (one.blockBytes[0] ?? 0) <= maxBlockBytes ? one : layOutApart(spans);
}

function findBlocks(
  { plan }: Captured,
  launches: readonly PreparedLaunch[],
  outside: ReadonlySet<number>,
  leafAt: ReadonlyMap<number, number>,
): BlockBlank[] {
  return launches.flatMap((launch) =>
    launch.blocks.flatMap((source, at): BlockBlank[] => {
      if ('temporary' in source) return [];
      const buffer = plan.bufferOf[source.slot] ?? -1;
      if (buffer >= 0 && !outside.has(buffer)) return [];
      const leaf = buffer >= 0 ? -1 : (leafAt.get(source.slot) ?? internalError('a block from nowhere'));
      return [{ launch, at, leaf, buffer, offsetAt: launch.offsets[at] ?? 0, baseOffset: launch.baseOffsets[at] ?? 0 }];
    }),
  );
}

/** Fills in the numbers that never change, and finds those that do. */
function fillNumbers({ leaves }: Captured, launches: readonly PreparedLaunch[], leafAt: ReadonlyMap<number, number>): NumberBlank[] {
  const blanks: NumberBlank[] = [];
  for (const launch of launches) {
    for (const [i, { source }] of launch.scalars.entries()) {
      const at = launch.blocks.length + i;
      if ('value' in source) {
        launch.args[at] = source.value;
        continue;
      }
      const leaf = leafAt.get(source.slot) ?? internalError('a number from nowhere');
      const from = leaves[leaf]?.source;
      if (from?.kind === 'constant') launch.args[at] = from.node.value;
      else blanks.push({ launch, at, leaf, entry: from?.kind === 'number' ? from.index : -1 });
    }
  }
  return blanks;
}
