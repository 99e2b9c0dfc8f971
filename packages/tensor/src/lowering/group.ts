/**
 * Groups: what one kernel computes, and the launch it becomes.
 *
 * A group stores one or more slots over one index space. With an **anchor** (a reduce, a contraction, a convolution, …) the stored
 * expressions are its epilogue; without, the kernel is a map.
 */

import { accumulator, apply, bytesPerElement, cast, isFloat, load, operandPositions } from '@gradus/backend';
import type { Backend, DType, Expression, Kernel, Operand, Output } from '@gradus/backend';
import { internalError, raise } from '../internal.ts';
import type { AnchorPlan, Decomposition } from '../graph/op.ts';
import { invertAlong, invertiblePath } from './decide.ts';
import { Expresser, StoreFirst, denseAccess } from './express.ts';
import type { Access, Place, Placement, Scalar } from './express.ts';
import { finish } from './finish.ts';
import type { Item } from './item.ts';
import { coalesce, join, layoutOf, plainSpace, stridesIn } from './space.ts';
import type { Space } from './space.ts';
import { expandView, permuteView, reshapeView } from './view.ts';
import type { View } from './view.ts';

/** The value of one slot, written into the memory of one (the same, or the concatenation it is part of). */
export interface Store {
  readonly value: number;
  readonly into: number;
  readonly view: View;
}

/** What one kernel computes. `also` are further reduces over the same points, in the same pass. */
export interface Group {
  readonly anchor: number | null;
  readonly also?: readonly number[];
  readonly stores: readonly Store[];
}

/** All heavy ops of a group. */
function anchorsOf({ anchor, also = [] }: Group): readonly number[] {
  return anchor === null ? [] : [anchor, ...also];
}

/** Where a kernel argument comes from when a plan runs. */
type BlockSource = { readonly slot: number } | { readonly temporary: number };

/** One kernel run, ready but for blocks, host scalars and the offsets of leaves. */
export interface Launch {
  readonly kernel: Kernel;
  readonly dims: Int32Array;
  readonly blocks: readonly BlockSource[];
  readonly scalars: readonly Scalar[];
  /** Where each operand's offset stands in `dims`. */
  readonly offsets: readonly number[];
}

/** The launches of one group: one, or several where the backend needs a decomposition. */
export interface Launches {
  readonly launches: readonly Launch[];
  /** Bytes of the temporary blocks that they share. */
  readonly temporaries: readonly number[];
}

/** An output whose old value, a leaf, is overwritten in place: slot to leaf. */
export type Donations = ReadonlyMap<number, number>;

/** A group with its expressions, before its operands are final. */
export interface Expressed {
  readonly group: Group;
  readonly head: Head;
  /** Everything read: by the anchor first, then by the epilogue. */
  readonly reads: readonly Access[];
  readonly outputs: readonly Expression[];
  readonly body: Expresser;
}

/** The anchor's part of a kernel. */
type Head =
  | { readonly kind: 'map'; readonly dims: readonly number[] }
  | {
      readonly kind: 'reduce';
      readonly dims: readonly number[];
      readonly folded: number;
      readonly input: Expresser;
      /** What is folded, and the op that says how: one of each for every fold. */
      readonly values: readonly Expression[];
      readonly items: readonly Item[];
    }
  | { readonly kind: 'contract'; readonly dims: readonly number[]; readonly a: Access; readonly b: Access; readonly dtype: DType }
  | { readonly kind: 'anchor'; readonly dims: readonly number[]; readonly inputs: readonly Access[]; readonly plan: AnchorPlan };

const sameDims = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** Expresses everything a group stores. @throws StoreFirst when some slot has to be in memory first */
export function express(group: Group, placement: Placement): Expressed {
  const scalars: Scalar[] = [];
  const head = expressHead(group, placement, scalars);
  const kept = keptDims(head);
  const own = new Map<number, Expression | null>(group.stores.flatMap((s) => (s.value === s.into ? [[s.value, null] as const] : [])));
  const anchors = anchorsOf(group);
  const finished = anchors.map((slot, i) => anchorValue(head, itemAt(placement, slot), i));
  for (const [i, slot] of anchors.entries()) own.set(slot, finished[i] ?? null);
  const body = new Expresser(placement, own, scalars);
  const outputs = group.stores.map((store) => {
    // Along a path of views, each point of the anchor is one point of the result: nothing to express but where it goes.
    const direct = finished[anchors.findIndex((slot) => invertiblePath(placement.items, store.value, slot) !== null)];
    if (direct !== undefined) return direct;
    if (sameDims(itemAt(placement, store.value).dims, kept)) return body.define(store.value, null);
    return body.define(
      store.value,
      body.startChain((view) => reshapeView(view, kept), group.anchor ?? store.value),
    );
  });
  return { group, head, reads: [...headReads(head), ...body.accesses], outputs, body };
}

/** A view of what is stored, as the kernel's own points see it: back along the views to the anchor, then under the kept sizes. */
function towardKept(view: View, path: readonly Item[] | null, kept: readonly number[]): View | null {
  const below = path === null ? view : invertAlong(path, view);
  return below === null || sameDims(below.dims, kept) ? below : reshapeView(below, kept);
}

function expressHead(group: Group, placement: Placement, scalars: Scalar[]): Head {
  if (group.anchor === null) {
    const [first] = group.stores;
    return { kind: 'map', dims: first === undefined ? [] : itemAt(placement, first.value).dims };
  }
  const item = itemAt(placement, group.anchor);
  const { lowering } = item.op;
  switch (lowering.kind) {
    case 'reduce': {
      const { dims, folded } = foldedSpace(item, placement.items);
      const order = [...dims.keys()].filter((axis) => !folded.includes(axis)).concat(folded);
      const expresser = new Expresser(placement, new Map(), scalars);
      const items = anchorsOf(group).map((slot) => itemAt(placement, slot));
      // One chain for all folds, so that what they share is one expression.
      const chain = expresser.startChain((view) => permuteView(view, order), item.inputs[0] ?? -1);
      const values = items.map(({ inputs: [input = 0] }) => {
        const element = expresser.express(input, chain);
        return cast(element, accumulatorOf(element.dtype, placement));
      });
      return { kind: 'reduce', dims: order.map((axis) => dims[axis] ?? 1), folded: folded.length, input: expresser, values, items };
    }
    case 'contract':
      return contractHead(item, placement);
    case 'anchor': {
      const inputs = item.inputs.map((slot) => denseAccess(itemAt(placement, slot), placement));
      return { kind: 'anchor', dims: item.dims, inputs, plan: lowering.plan(item.site) };
    }
    default:
      return internalError(`${item.op.name} is no anchor`);
  }
}

/** The points that a reduce visits: the sizes of what it folds, and the axes that it folds. */
export function foldedSpace(item: Item, items: readonly Item[]): { readonly dims: readonly number[]; readonly folded: readonly number[] } {
  const { lowering } = item.op;
  const dims = items[item.inputs[0] ?? -1]?.dims ?? [];
  return { dims, folded: lowering.kind === 'reduce' ? lowering.axes(item.site) : internalError(`${item.op.name} is no reduce`) };
}

/** Index space [...batch, m, n, k]; a has stride 0 along n, b along m. */
function contractHead(item: Item, placement: Placement): Head {
  const [left = 0, right = 0] = item.inputs;
  const batch = item.dims.slice(0, -2);
  const placeOf = (slot: number): Place => placement.placeOf(slot) ?? raise(new StoreFirst(slot));
  const spread = (view: View): View => expandView(view, [...batch, ...view.dims.slice(-2)]);
  const first = placeOf(left);
  const second = placeOf(right);
  const a = spread(first.view);
  const b = spread(second.view);
  const m = a.dims.at(-2) ?? 1;
  const k = a.dims.at(-1) ?? 1;
  const n = b.dims.at(-1) ?? 1;
  const dims = [...batch, m, n, k];
  const r = batch.length;
  const aStrides = [...a.strides.slice(0, r), a.strides[r] ?? 0, 0, a.strides[r + 1] ?? 0];
  const bStrides = [...b.strides.slice(0, r), 0, b.strides[r + 1] ?? 0, b.strides[r] ?? 0];
  const access = (slot: number, view: View, strides: number[]): Access => ({
    slot,
    dtype: itemAt(placement, slot).dtype,
    view: { dims, strides, offset: view.offset },
  });
  return {
    kind: 'contract',
    dims,
    a: access(first.slot, a, aStrides),
    b: access(second.slot, b, bStrides),
    dtype: accumulatorOf(item.dtype, placement),
  };
}

/** The dtype that values of `dtype` are added up in. */
function accumulatorOf(dtype: DType, placement: Placement): DType {
  if (placement.capabilities.dtypes[dtype].accumulate) return dtype;
  return isFloat(dtype) ? 'float32' : 'int32';
}

/** What an epilogue sees of its anchor. */
function anchorValue(head: Head, item: Item, index: number): Expression {
  switch (head.kind) {
    case 'reduce':
      return cast(accumulator(head.values[index]?.dtype ?? item.dtype, index), item.dtype);
    case 'contract':
      return cast(accumulator(head.dtype), item.dtype);
    case 'anchor':
      return cast(accumulator(head.plan.accumulate), item.dtype);
    case 'map':
      return internalError('a map has no anchor');
    default:
      return head satisfies never;
  }
}

function keptDims(head: Head): readonly number[] {
  switch (head.kind) {
    case 'reduce':
      return head.dims.slice(0, head.dims.length - head.folded);
    case 'contract':
      return head.dims.slice(0, -1);
    default:
      return head.dims;
  }
}

function headReads(head: Head): readonly Access[] {
  switch (head.kind) {
    case 'reduce':
      return head.input.accesses;
    case 'contract':
      return [head.a, head.b];
    case 'anchor':
      return head.inputs;
    default:
      return [];
  }
}

function itemAt(placement: Placement, slot: number): Item {
  return placement.items[slot] ?? internalError(`no slot ${slot}`);
}

/** Builds the kernel. */
export function launch(expressed: Expressed, placement: Placement, donations: Donations, backend: Backend): Launches {
  const { group, head, outputs: values, body } = expressed;
  const kept = keptDims(head);
  const targets = group.stores.map((store): View => {
    const paths = anchorsOf(group).map((slot) => invertiblePath(placement.items, store.value, slot));
    const path = paths.find((p) => p !== null) ?? null;
    return towardKept(store.view, path, kept) ?? internalError('an output that strides cannot say');
  });
  const { keptSpace, fullSpace } = spacesOf(expressed, targets);

  const operands: Operand[] = [];
  const offsets: number[][] = [];
  const blocks: { slot: number }[] = [];
  const add = (read: Access, access: Operand['access'], space: Operand['space']): number => {
    const { slot, dtype, view } = read;
    const over = space === 'full' ? fullSpace : keptSpace;
    const strides = view === null ? [] : stridesIn(over, view);
    operands.push({ dtype, access, layout: view === null ? 'indexed' : layoutOf(over.sizes, strides), space });
    offsets.push(view === null ? [read.offset ?? 0, read.length ?? 0] : [view.offset, ...strides]);
    return blocks.push({ slot }) - 1;
  };

  const bodySpace = head.kind === 'map' ? 'full' : 'kept';
  const donated = new Map<number, number>();
  const headCount = headReads(head).length;
  const numbers = expressed.reads.map((read, i) => {
    const from = i < headCount ? 'full' : bodySpace;
    const taker = i < headCount ? undefined : group.stores.findIndex((s) => donations.get(s.value) === read.slot);
    const number = add(read, taker === undefined || taker < 0 ? 'read' : 'readWrite', from);
    if (taker !== undefined && taker >= 0) donated.set(taker, number);
    return number;
  });
  const finished = finish(values, {
    operandOf: (access) => numbers[headCount + access] ?? -1,
    positions: body.positions,
    space: keptSpace,
    scalars: body.scalars,
  });
  const outputs = finished.map((value, i): Output => {
    const store = group.stores[i] ?? internalError('an output without a store');
    const target = targets[i] ?? internalError('an output without a target');
    return { operand: donated.get(i) ?? add({ slot: store.into, dtype: value.dtype, view: target }, 'write', bodySpace), value };
  });

  const { kernel, sizes } = kernelOf(head, { operands, outputs, numbers, keptSpace, fullSpace, scalars: body.scalars });
  const dims = Int32Array.from([...sizes, ...offsets.flat()]);
  const whole: Launch = { kernel, dims, blocks, scalars: body.scalars, offsets: operandPositions(kernel).slice(0, -1) };
  if (backend.supports(kernel)) return { launches: [whole], temporaries: [] };
  return decompose(whole, head, backend);
}

function spacesOf(expressed: Expressed, targets: readonly View[]): { keptSpace: Space; fullSpace: Space } {
  const { head, body } = expressed;
  const seen = [...body.accesses.flatMap((a) => (a.view === null ? [] : [a.view])), ...body.positions, ...targets];
  switch (head.kind) {
    case 'map': {
      const space = coalesce(head.dims, 0, head.dims.length, seen);
      return { keptSpace: space, fullSpace: space };
    }
    case 'reduce': {
      const inputs = [...head.input.accesses.flatMap((a) => (a.view === null ? [] : [a.view])), ...head.input.positions];
      const border = head.dims.length - head.folded;
      const keptSpace = coalesce(head.dims, 0, border, [...seen, ...inputs]);
      return { keptSpace, fullSpace: join(keptSpace, coalesce(head.dims, border, head.dims.length, inputs)) };
    }
    case 'contract': {
      const batch = head.dims.length - 3;
      const views = [...seen, ...headReads(head).flatMap((a) => (a.view === null ? [] : [a.view]))];
      const space = join(coalesce(head.dims, 0, batch, views), { sizes: head.dims.slice(batch), axes: [batch, batch + 1, batch + 2] });
      return { keptSpace: { sizes: space.sizes.slice(0, -1), axes: space.axes.slice(0, -1) }, fullSpace: space };
    }
    case 'anchor': {
      const space = plainSpace(head.dims);
      return { keptSpace: space, fullSpace: space };
    }
    default:
      return head satisfies never;
  }
}

interface KernelParts {
  readonly operands: readonly Operand[];
  readonly outputs: readonly Output[];
  /** Operand numbers of the reads. */
  readonly numbers: readonly number[];
  readonly keptSpace: Space;
  readonly fullSpace: Space;
  readonly scalars: Scalar[];
}

function kernelOf(head: Head, parts: KernelParts): { readonly kernel: Kernel; readonly sizes: readonly number[] } {
  const { operands, outputs, fullSpace } = parts;
  const rank = fullSpace.sizes.length;
  const scalarTypes = (): DType[] => parts.scalars.map((s) => s.dtype);
  switch (head.kind) {
    case 'map':
      return { kernel: { kind: 'map', rank, operands, scalars: scalarTypes(), outputs }, sizes: fullSpace.sizes };
    case 'reduce': {
      const finished = finish(head.values, {
        operandOf: (access) => parts.numbers[access] ?? -1,
        positions: head.input.positions,
        space: fullSpace,
        scalars: parts.scalars,
      });
      const folds = finished.map((value, i) => {
        const lowering = head.items[i]?.op.lowering;
        return { fold: lowering?.kind === 'reduce' ? lowering.fold : internalError('a reduce without a fold'), value };
      });
      const folded = rank - parts.keptSpace.sizes.length;
      return { kernel: { kind: 'reduce', rank, folded, operands, scalars: scalarTypes(), folds, outputs }, sizes: fullSpace.sizes };
    }
    case 'contract':
      return { kernel: { kind: 'contract', rank, accumulate: head.dtype, operands, scalars: scalarTypes(), outputs }, sizes: fullSpace.sizes };
    case 'anchor':
      return { kernel: head.plan.kernel(operands, scalarTypes(), outputs), sizes: head.plan.sizes };
    default:
      return head satisfies never;
  }
}

function decompose(whole: Launch, head: Head, backend: Backend): Launches {
  const { kernel } = whole;
  if (kernel.kind === 'contract') {
    const product = apply('multiply', cast(loadOf(kernel, 0), kernel.accumulate), cast(loadOf(kernel, 1), kernel.accumulate));
    const { rank, operands, scalars, outputs } = kernel;
    return {
      launches: [{ ...whole, kernel: { kind: 'reduce', rank, folded: 1, operands, scalars, folds: [{ fold: 'sum', value: product }], outputs } }],
      temporaries: [],
    };
  }
  if (head.kind !== 'anchor') return internalError(`${backend.name} refuses a required kernel, ${kernel.kind}`);
  const { temporaries, runs }: Decomposition = head.plan.decompose(kernel, whole.dims);
  const launches = runs.map((run): Launch => {
    const blocks = run.blocks.map((b): BlockSource => ('operand' in b ? (whole.blocks[b.operand] ?? internalError('a block that is not there')) : b));
    const sizes = run.sizes.map((value): Scalar => ({ dtype: 'int32', source: { value } }));
    return { kernel: run.kernel, dims: run.dims, blocks, scalars: [...whole.scalars, ...sizes], offsets: operandPositions(run.kernel).slice(0, -1) };
  });
  return { launches, temporaries };
}

function loadOf(kernel: Kernel, operand: number): Expression {
  return load(kernel.operands[operand]?.dtype ?? 'float32', operand);
}

/** Bytes of a slot's elements. */
export function bytesOf(item: Item): number {
  return item.size * bytesPerElement(item.dtype);
}
