/**
 * Deciding what is stored: which slots get memory of their own, and which are expressed in line where they are used.
 *
 * - Roots, and whatever a heavy op must find in memory, are stored.
 * - A heavy op (reduce, contraction, …) used in one place only joins that kernel as its **anchor**; otherwise it is stored.
 *   Where that place is a view that can be inverted, the heavy op writes its result the way the view wants it.
 * - An elementwise value used in several kernels is computed again where that is cheap, stored where it is not.
 * - Whatever `StoreFirst` named in an earlier attempt is stored.
 */

import type { Item } from './item.ts';
import { SAME, isInlineNumber } from './item.ts';
import type { Place } from './express.ts';
import type { View } from './view.ts';
import { denseView, isDense } from './view.ts';

/** Elementwise ops above which a value used by several kernels is stored rather than computed again. */
const MAX_REPEATED_OPS = 4;

/** Elementwise ops in one expression before a part of it is stored: keeps generated code and recursion small. */
const MAX_EXPRESSION_OPS = 96;

const HEAVY = 1e6;

/** The outcome. */
export interface Decisions {
  /** 1 for slots with memory of their own. */
  readonly stored: Uint8Array;
  /** For a stored slot, the heavy op at the head of its kernel. */
  readonly anchors: ReadonlyMap<number, number>;
  /** Roots that are views of something placed, and what lies between a heavy op and the view it writes for. */
  readonly aliases: ReadonlySet<number>;
}

/** The views from slot `from` down to slot `to`, outermost first, if each can be inverted; null otherwise. */
export function invertiblePath(items: readonly Item[], from: number, to: number): Item[] | null {
  const path: Item[] = [];
  for (let item = items[from]; item !== undefined; item = items[item.inputs[0] ?? -1]) {
    if (item.slot === to) return path;
    const { lowering } = item.op;
    if (item.flags.leaf || lowering.kind !== 'view' || lowering.invert === undefined) return null;
    path.push(item);
  }
  return null;
}

/** `view`, of the first item of a path, as what lies below the last one sees it. */
export function invertAlong(path: readonly Item[], view: View): View | null {
  let seen: View | null = view;
  for (const { op, site } of path) {
    if (seen === null || op.lowering.kind !== 'view') return null;
    seen = op.lowering.invert?.(seen, site) ?? null;
  }
  return seen;
}

/** Where the result of heavy op `anchor` goes in the memory of the view `host` of it; null where strides cannot say that. */
function hostedView(items: readonly Item[], host: Item, anchor: number): View | null {
  const path = invertiblePath(items, host.slot, anchor);
  return path === null ? null : invertAlong(path, denseView(host.dims));
}

const kindOf = (item: Item): string => (item.flags.leaf ? 'leaf' : item.op.lowering.kind);
const isAnchorKind = (kind: string): boolean => kind === 'reduce' || kind === 'contract' || kind === 'anchor';

/** Decides for the whole program; `forced` slots are stored whatever else holds. */
export function decide(items: readonly Item[], forced: ReadonlySet<number>): Decisions {
  const stored = new Uint8Array(items.length);
  const aliases = new Set<number>();
  for (const slot of forced) stored[slot] = 1;
  const cost = costs(items, stored);
  requirePlaced(items, stored, cost);
  const anchors = assignHomes(items, stored, cost, forced);
  for (const [host, anchor] of anchors) {
    if (host === anchor || stored[anchor] === 1) continue;
    const path = invertiblePath(items, host, anchor);
    if (path === null) continue;
    for (const item of path) if (item.slot !== host) aliases.add(item.slot);
    aliases.add(anchor);
  }
  for (const item of items) {
    const wanted = item.flags.root || item.op === SAME;
    if (!wanted || item.flags.leaf || aliases.has(item.slot)) continue;
    if (kindOf(item) === 'view' && placeIn(items, stored, item.slot) !== null && stored[item.slot] === 0) aliases.add(item.slot);
    else if (item.flags.root) stored[item.slot] = 1;
  }
  return { stored, anchors, aliases };
}

/** Elementwise ops that computing a slot in line takes; more than HEAVY when there is a heavy op among them. */
function costs(items: readonly Item[], stored: Uint8Array): Float64Array {
  const cost = new Float64Array(items.length);
  for (const item of items) {
    const kind = kindOf(item);
    if (kind === 'leaf' || kind === 'constant') continue;
    let sum = kind === 'view' ? 0 : 1;
    for (const input of item.inputs) {
      // A heavy op that is repeated along an axis (a mean) is cheaper to store than what is made of it (the deviations).
      const repeated = kind === 'elementwise' && (cost[input] ?? 0) >= HEAVY && (items[input]?.size ?? 0) < item.size;
      sum += stored[input] === 1 || repeated ? 0 : (cost[input] ?? 0);
    }
    if (isAnchorKind(kind) || kind === 'scatter' || kind === 'concatenate' || kind === 'kernel') sum = HEAVY;
    if (item.op.lowering.kind === 'elementwise' && item.op.lowering.heavy === true) sum = HEAVY;
    if (kind === 'elementwise' && sum % HEAVY > MAX_EXPRESSION_OPS) {
      stored[item.slot] = 1;
      sum = 1;
    }
    cost[item.slot] = sum;
  }
  return cost;
}

/** Stores what must be in memory: operands of heavy kernels, residuals that would be expensive to compute again. */
function requirePlaced(items: readonly Item[], stored: Uint8Array, cost: Float64Array): void {
  const requireView = (slot: number): void => {
    let it = items[slot];
    while (it !== undefined && kindOf(it) === 'view' && stored[it.slot] === 0) it = items[it.inputs[0] ?? -1];
    if (it !== undefined && !it.flags.leaf) stored[it.slot] = 1;
    if (it?.flags.hostScalar === true) return;
    if (placeIn(items, stored, slot) === null) stored[slot] = 1;
  };
  const requireDense = (slot: number): void => {
    requireView(slot);
    const place = placeIn(items, stored, slot);
    if (place !== null && !isDense(place.view)) stored[slot] = 1;
  };
  for (const item of items) {
    if (item.flags.leaf) continue;
    const { lowering } = item.op;
    if (lowering.kind === 'contract') item.inputs.forEach(requireView);
    else if (lowering.kind === 'anchor') item.inputs.forEach(requireDense);
    else if (lowering.kind === 'elementwise') for (const i of lowering.indexed ?? []) requireDense(item.inputs[i] ?? -1);
    else if (lowering.kind === 'kernel') {
      stored[item.slot] = 1;
      for (const operand of lowering.plan(item.site).operands) if ('input' in operand) requireDense(item.inputs[operand.input] ?? -1);
    } else if (lowering.kind === 'scatter') stored[item.slot] = 1;
    else if (lowering.kind === 'concatenate') {
      stored[item.slot] = 1;
      for (const input of item.inputs) {
        let base = items[input];
        while (base !== undefined && kindOf(base) === 'view') base = items[base.inputs[0] ?? -1];
        const kind = base === undefined ? 'leaf' : kindOf(base);
        if (isAnchorKind(kind) || (kind === 'elementwise' && base?.slot === input)) stored[input] = 1;
      }
    }
    if (item.flags.residual) keepResiduals(item, items, stored, cost);
  }
}

function keepResiduals(item: Item, items: readonly Item[], stored: Uint8Array, cost: Float64Array): void {
  const keep = (slot: number): void => {
    let it = items[slot];
    while (it !== undefined && kindOf(it) === 'view') it = items[it.inputs[0] ?? -1];
    if (it !== undefined && !it.flags.leaf && (cost[it.slot] ?? 0) >= HEAVY) stored[it.slot] = 1;
  };
  if (item.op.residuals === 'inputs' || item.op.residuals === 'both') item.inputs.forEach(keep);
  if (item.op.residuals === 'output' || item.op.residuals === 'both') keep(item.slot);
}

/**
 * Backwards: the *home* of a slot is the stored slot whose kernel computes it. One home: in line. Several: stored, or computed in each.
 * Gives each stored slot the anchor of its kernel.
 */
function assignHomes(items: readonly Item[], stored: Uint8Array, cost: Float64Array, forced: ReadonlySet<number>): Map<number, number> {
  const anchors = new Map<number, number>();
  /** Homes of each slot: -1 none yet, -2 several, else the one. */
  const home = new Int32Array(items.length).fill(-1);
  for (let slot = items.length - 1; slot >= 0; slot--) {
    const item = items[slot] as Item;
    if (item.flags.leaf) continue;
    const kind = kindOf(item);
    let mine = -1;
    for (const consumer of item.consumers) {
      const there = stored[consumer] === 1 ? consumer : (home[consumer] ?? -1);
      mine = mine === -1 || mine === there ? there : -2;
    }
    const host = items[mine];
    /** Lies in the memory of a view of it, whose strides can say where: that is a place for a root too. */
    const isHosted = isAnchorKind(kind) && host !== undefined && host.size === item.size && hostedView(items, host, slot) !== null;
    const isRoot = item.flags.root && kind !== 'view';
    if (isRoot && !(isHosted && !anchors.has(mine) && !forced.has(slot))) stored[slot] = 1;
    if (stored[slot] === 0 && kind === 'elementwise' && mine === -2 && (cost[slot] ?? 0) > MAX_REPEATED_OPS) stored[slot] = 1;
    if (stored[slot] === 0 && isAnchorKind(kind)) {
      const joinsEpilogue = host !== undefined && kindOf(host) === 'elementwise' && host.size === item.size;
      const joins = (isHosted || joinsEpilogue) && !anchors.has(mine) && !forced.has(slot);
      if (joins) anchors.set(mine, slot);
      else stored[slot] = 1;
    }
    home[slot] = stored[slot] === 1 ? slot : mine;
  }
  for (const item of items) if (stored[item.slot] === 1 && isAnchorKind(kindOf(item)) && !item.flags.leaf) anchors.set(item.slot, item.slot);
  return anchors;
}

/** Where a slot lies: in its own memory, or as a view in that of another; null when it is expressed in line. */
export function placeIn(items: readonly Item[], stored: Uint8Array, slot: number): Place | null {
  /** Views on the way down, which are applied on the way back: they may be deeper than the engine's stack. */
  const path: Item[] = [];
  for (let item = items[slot]; item !== undefined; item = items[item.inputs[0] ?? -1]) {
    const { slot: at, leafView, op } = item;
    const whole = stored[at] === 1 ? denseView(item.dims) : isInlineNumber(item) ? null : leafView;
    if (whole === null) {
      if (op.lowering.kind !== 'view' || item.flags.leaf) return null;
      path.push(item);
      continue;
    }
    const view = path.reduceRight<View | null>(
      (seen, { op: { lowering }, site }) => (seen === null || lowering.kind !== 'view' ? null : lowering.apply(seen, site)),
      whole,
    );
    return view === null ? null : { slot: at, view };
  }
  return null;
}
