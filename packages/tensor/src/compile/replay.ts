/**
 * Replaying: a captured function run again with other arguments, without touching the graph.
 *
 * Everything that can be known in advance is prepared once: code, sizes, and memory for all values that do not leave the function. A call
 * fills in what changes (arguments, cells, numbers), runs the kernels in order, and gives cells and results their new values.
 * Results lie in blocks of their own; state is updated in place where nobody else sees its old value, and copied before where somebody does.
 */

import { bytesPerElement } from '@gradus/backend';
import type { Arg, Block, Recording, Run } from '@gradus/backend';
import { debugSettings } from '../debug-settings.ts';
import { NO_ATTRIBUTE, Node, attachStorage, release, releaseStorage } from '../graph/node.ts';
import type { Storage } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { internalError } from '../internal.ts';
import { flush } from '../lowering/flush.ts';
import type { PreparedLaunch } from '../lowering/plan.ts';
import { settleScalar } from '../memory/settle.ts';
import { Tensor } from '../tensor.ts';
import type { Captured, Exit, Leaf } from './capture.ts';
import { moveToCopy, nodeOfCell, ownMemory, samePlace, setCell } from './cells.ts';
import type { Cell } from './cells.ts';
import { layOutApart, layOutInOne } from './memory.ts';
import type { Span } from './memory.ts';

/** The values that a compiled function returns: they have no history. */
const RESULT: OpRow = /* @__PURE__ */ row({ name: 'the result of a compiled function', lowering: { kind: 'leaf' } });

/** An argument of a launch that is filled in for each call. */
interface Slot {
  readonly launch: PreparedLaunch;
  readonly at: number;
  /** Index into the leaves, or into the buffers. */
  readonly leaf: number;
  readonly buffer: number;
  /** Where its offset stands in `dims`, and the offset without the leaf's own. */
  readonly offsetAt: number;
  readonly baseOffset: number;
}

/** A number among the arguments of a launch. */
interface NumberSlot {
  readonly launch: PreparedLaunch;
  readonly at: number;
  readonly leaf: number;
}

/** Memory that is not the function's own: of cells and results. */
interface OuterBuffer {
  readonly index: number;
  readonly bytes: number;
  /** The leaf whose memory is taken over. */
  readonly donor: Leaf | null;
  /** Cells that lie in it, if nothing but cells does, none of which is read: their old memory is written again. */
  readonly recycled: readonly { readonly cell: Cell; readonly exit: Exit }[] | null;
}

/** What one call has at hand. */
interface Call {
  readonly nodes: readonly Node[];
  readonly storages: (Storage | null)[];
}

/** A captured function, ready to be run. */
export class Replay {
  readonly captured: Captured;
  readonly #launches: readonly PreparedLaunch[];
  readonly #slots: readonly Slot[];
  readonly #numbers: readonly NumberSlot[];
  readonly #outer: readonly OuterBuffer[];
  /** Buffers of single numbers, which are read into the host after the run. */
  readonly #onHost: ReadonlySet<number>;
  readonly #own: readonly Block[];
  /** Where the buffers of single numbers lie in the function's own memory. */
  #hostPlaces: ReadonlyMap<number, { readonly block: Block; readonly byteOffset: number }> = new Map();
  #recording: Recording | null = null;
  #recordedArgs: Arg[] = [];
  #disposed = false;

  constructor(captured: Captured) {
    this.captured = captured;
    const { plan, runtime } = captured;
    const { backend } = runtime;
    const exits = [...captured.results, ...captured.changes.flatMap((c) => (c.exit === null ? [] : [c.exit]))];
    const leaving = new Set(exits.flatMap((e) => ('buffer' in e.from ? [e.from.buffer] : [])));
    this.#onHost = new Set(
      [...leaving].filter(
        (index) =>
          backend.readSync !== undefined &&
          plan.buffers[index]?.donor === null &&
          exits.every((e) => !('buffer' in e.from) || e.from.buffer !== index || e.node.shape.rank === 0),
      ),
    );
    this.#launches = plan.steps.flatMap((step) => step.launches);
    this.#outer = [...leaving].filter((index) => !this.#onHost.has(index)).map((index) => this.#describeOuter(index));
    const outer = new Set(this.#outer.map((o) => o.index));
    this.#own = this.#placeOwn(outer);
    this.#slots = this.#findSlots(outer);
    this.#numbers = this.#findNumbers();
  }

  #describeOuter(index: number): OuterBuffer {
    const { plan, leaves, results, changes } = this.captured;
    const { bytes, donor } = plan.buffers[index] ?? internalError('no such buffer');
    const isHere = (exit: Exit | null): exit is Exit => exit !== null && 'buffer' in exit.from && exit.from.buffer === index;
    const cells = changes.flatMap(({ cell, exit }) => (isHere(exit) ? [{ cell, exit }] : []));
    const isRead = (cell: Cell): boolean =>
      leaves.some(({ source }) => source.kind === 'cell' && source.cell.kind === cell.kind && source.cell.handle === cell.handle);
    const recycled = donor === null && !results.some(isHere) && !cells.some(({ cell }) => isRead(cell)) ? cells : null;
    return {
      index,
      bytes,
      donor: donor === null ? null : (leaves.find((l) => l.slot === donor) ?? internalError('a donor that is no leaf')),
      recycled,
    };
  }

  /** Gives the function's own values their places: buffers that nobody sees outside, and temporaries of steps. */
  #placeOwn(outer: ReadonlySet<number>): readonly Block[] {
    const { plan, runtime } = this.captured;
    const { backend, pool } = runtime;
    const spans: Span[] = [];
    const users: { launch: PreparedLaunch; operand: number; span: number }[] = [];
    const spanOf = new Map<number, number>();
    for (const [index, buffer] of plan.buffers.entries()) {
      if (outer.has(index)) continue;
      const last = this.#onHost.has(index) ? plan.steps.length : buffer.last;
      spanOf.set(index, spans.push({ bytes: buffer.bytes, first: Math.min(buffer.first, last), last }) - 1);
    }
    for (const [at, step] of plan.steps.entries()) {
      const temporaries = step.temporaries.map((bytes) => spans.push({ bytes, first: at, last: at }) - 1);
      for (const launch of step.launches) {
        for (const [operand, source] of launch.blocks.entries()) {
          const span = 'temporary' in source ? temporaries[source.temporary] : spanOf.get(plan.bufferOf[source.slot] ?? -1);
          if (span !== undefined) users.push({ launch, operand, span });
        }
      }
    }
    const { subBufferAliasing, bindingAlignment, maxBlockBytes } = backend.capabilities;
    const one = layOutInOne(spans);
    const inOne = subBufferAliasing && 64 % bindingAlignment === 0 && (one.blockBytes[0] ?? 0) <= maxBlockBytes;
    const layout = inOne ? one : layOutApart(spans);
    const blocks = layout.blockBytes.map((bytes) => pool.allocate(bytes));
    for (const { launch, operand, span } of users) {
      const place = layout.places[span] ?? internalError('a span without a place');
      launch.args[operand] = blocks[place.block] ?? internalError('no such block');
      const at = launch.offsets[operand] ?? 0;
      const { dtype } = launch.kernel.operands[operand] ?? internalError('no such operand');
      launch.dims[at] = (launch.baseOffsets[operand] ?? 0) + place.offset / bytesPerElement(dtype);
    }
    this.#hostPlaces = new Map(
      [...this.#onHost].map((index) => {
        const place = layout.places[spanOf.get(index) ?? -1] ?? internalError('a number without a place');
        return [index, { block: blocks[place.block] as Block, byteOffset: place.offset }];
      }),
    );
    return blocks;
  }

  #findSlots(outer: ReadonlySet<number>): readonly Slot[] {
    const { plan, leaves } = this.captured;
    const leafAt = new Map(leaves.map((leaf, i) => [leaf.slot, i]));
    return this.#launches.flatMap((launch) =>
      launch.blocks.flatMap((source, at): Slot[] => {
        if ('temporary' in source) return [];
        const buffer = plan.bufferOf[source.slot] ?? -1;
        if (buffer >= 0 && !outer.has(buffer)) return [];
        const leaf = buffer >= 0 ? -1 : (leafAt.get(source.slot) ?? internalError('a block from nowhere'));
        return [{ launch, at, leaf, buffer, offsetAt: launch.offsets[at] ?? 0, baseOffset: launch.baseOffsets[at] ?? 0 }];
      }),
    );
  }

  /** Fills in the numbers that never change, and finds those that do. */
  #findNumbers(): readonly NumberSlot[] {
    const { leaves } = this.captured;
    const leafAt = new Map(leaves.map((leaf, i) => [leaf.slot, i]));
    const changing: NumberSlot[] = [];
    for (const launch of this.#launches) {
      launch.scalars.forEach(({ source }, i) => {
        const at = launch.blocks.length + i;
        const leaf = 'slot' in source ? (leafAt.get(source.slot) ?? internalError('a number from nowhere')) : -1;
        const from = leaves[leaf]?.source;
        if ('value' in source) launch.args[at] = source.value;
        else if (from?.kind === 'constant') launch.args[at] = from.node.value;
        else changing.push({ launch, at, leaf });
      });
    }
    return changing;
  }

  /** Blocks of its own, and their bytes. */
  get memory(): { readonly blocks: number; readonly bytes: number } {
    return { blocks: this.#own.length, bytes: this.#own.reduce((sum, block) => sum + block.byteLength, 0) };
  }

  /** Do the cells look as they did when this was captured? The host's part must have been gone through before. */
  matches(): boolean {
    const { leaves, known, learns } = this.captured;
    for (const { handle, on } of learns) if (handle.requiresGrad !== on) return false;
    for (const { of, present } of known) if ((Tensor.gradientOf(of) !== null) !== present) return false;
    const memory = new Map<number, Storage>();
    for (const leaf of leaves) {
      if (leaf.source.kind !== 'cell') continue;
      const node = nodeOfCell(leaf.source.cell);
      if (node === null || String(node.strides) !== String(leaf.strides)) return false;
      // A single number that was assigned from outside moves to the host, where the plan has it.
      if (leaf.onHost) settleScalar(node);
      if ((node.storage === null) !== leaf.onHost) return false;
      const { storage } = node;
      if (storage === null) continue;
      const earlier = memory.get(leaf.memory);
      if (earlier !== undefined && earlier !== storage) return false;
      memory.set(leaf.memory, storage);
    }
    return this.#outer.every(({ donor }) => donor === null || this.#isApart(donor, memory));
  }

  /** Does memory that is overwritten begin where its block does, and belong to none of the other cells? */
  #isApart(donor: Leaf, memory: ReadonlyMap<number, Storage>): boolean {
    const mine = memory.get(donor.memory);
    if (donor.source.kind !== 'cell' || nodeOfCell(donor.source.cell)?.offset !== 0) return false;
    for (const [group, storage] of memory) if (group !== donor.memory && storage === mine) return false;
    return true;
  }

  /** Runs the kernels. `numbers` are those of the host's part, by entry. Gives the results, whose handles belong to the current scope. */
  run(args: readonly Node[], numbers: readonly number[]): Tensor[] {
    if (this.#disposed) internalError('a replay that was disposed');
    const { leaves, results, changes } = this.captured;
    this.#settleOutside();
    for (const { donor } of this.#outer) if (donor !== null) this.#makeOwn(donor);
    const call: Call = { nodes: leaves.map((leaf) => this.#valueOf(leaf, args)), storages: [] };
    try {
      for (const outer of this.#outer) call.storages[outer.index] = this.#storageFor(outer, call);
      this.#fill(call, numbers);
      this.#launch();
    } catch (error) {
      for (const storage of call.storages) if (storage) releaseStorage(storage);
      throw error;
    }
    const made = results.map((exit) => new Tensor(this.#exitNode(exit, call)));
    for (const { cell, exit } of changes) {
      if (exit === null) setCell(cell, null);
      else if (!this.#isUnchanged(cell, exit, call)) setCell(cell, this.#exitNode(exit, call));
    }
    for (const storage of call.storages) if (storage) releaseStorage(storage);
    for (const slot of this.#slots) if (slot.leaf >= 0 && leaves[slot.leaf]?.source.kind === 'argument') slot.launch.args[slot.at] = 0;
    return made;
  }

  /** What waits outside may still need the values that are about to change. */
  #settleOutside(): void {
    const { runtime } = this.captured;
    const waiting = runtime.pending.filter((node) => node.state === 'pending' && node.refs > 0);
    if (waiting.length > 0 || runtime.states.length > 0) flush(runtime, waiting);
  }

  /** Memory that is about to be overwritten belongs to the cells of this function alone. */
  #makeOwn(donor: Leaf): void {
    const { changes } = this.captured;
    if (donor.source.kind !== 'cell') return;
    const node = nodeOfCell(donor.source.cell);
    if (node === null || node.storage === null) return;
    const { storage } = node;
    const sharing = changes.filter(({ cell }) => cell.kind === 'state' && nodeOfCell(cell)?.storage === storage).map(({ cell }) => cell);
    if (storage.refs !== sharing.length || sharing.some((cell) => nodeOfCell(cell)?.refs !== 1)) moveToCopy(sharing, storage);
  }

  #valueOf(leaf: Leaf, args: readonly Node[]): Node {
    const { source } = leaf;
    switch (source.kind) {
      case 'argument':
        return args[source.index] ?? internalError('an argument is missing');
      case 'cell':
        return nodeOfCell(source.cell) ?? internalError('a cell without a value');
      case 'constant':
        return source.node;
      case 'number': {
        const entry = this.captured.host[source.index];
        return entry?.kind === 'number' ? entry.node : internalError('a number that is not there');
      }
      default:
        return source satisfies never;
    }
  }

  #storageFor({ donor, bytes, recycled }: OuterBuffer, call: Call): Storage {
    const { runtime, leaves } = this.captured;
    const old = donor !== null ? call.nodes[leaves.indexOf(donor)]?.storage : recycled !== null ? ownMemory(recycled) : null;
    if (old !== null && old !== undefined) {
      old.refs++;
      return old;
    }
    return { block: runtime.pool.allocate(bytes), runtime, refs: 1, isState: false };
  }

  #fill(call: Call, numbers: readonly number[]): void {
    const { leaves } = this.captured;
    let moved = false;
    for (const { launch, at, leaf, buffer, offsetAt, baseOffset } of this.#slots) {
      if (buffer >= 0) {
        launch.args[at] = (call.storages[buffer] ?? internalError('a buffer that is not there')).block;
        continue;
      }
      const node = call.nodes[leaf] as Node;
      launch.args[at] = (node.storage ?? internalError('a leaf without storage')).block;
      const offset = baseOffset + node.offset;
      moved ||= launch.dims[offsetAt] !== offset;
      launch.dims[offsetAt] = offset;
    }
    for (const { launch, at, leaf } of this.#numbers) {
      const source = leaves[leaf]?.source;
      launch.args[at] = source?.kind === 'number' ? (numbers[source.index] ?? NaN) : (call.nodes[leaf] as Node).value;
    }
    if (moved) this.#recording = null;
  }

  #launch(): void {
    const { backend } = this.captured.runtime;
    const { observe, verifyRun } = debugSettings;
    if (verifyRun !== null) for (const { kernel, args, dims } of this.#launches) verifyRun(kernel, args, dims);
    if (backend.record !== undefined && backend.replay !== undefined && observe === null) {
      if (this.#recording === null) {
        const runs = this.#launches.map(({ executable, args, dims }): Run => ({ executable, args, dims }));
        this.#recording = backend.record(runs);
      }
      this.#recordedArgs.length = 0;
      for (const { args } of this.#launches) for (const arg of args) this.#recordedArgs.push(arg);
      backend.replay(this.#recording, this.#recordedArgs);
      return;
    }
    for (const launch of this.#launches) {
      if (observe === null) backend.run(launch.executable, launch.args, launch.dims);
      else observe(this.captured.plan, launch, backend, () => backend.run(launch.executable, launch.args, launch.dims));
    }
  }

  /** Is the new value of a cell where its old one was? */
  #isUnchanged(cell: Cell, exit: Exit, call: Call): boolean {
    if (!('buffer' in exit.from)) return false;
    const node = nodeOfCell(cell);
    const storage = call.storages[exit.from.buffer];
    return node !== null && storage !== undefined && node.storage === storage && samePlace(node, exit);
  }

  /** A node without history for a value that leaves the function. */
  #exitNode({ from, offset, strides, node: { shape, dtype } }: Exit, call: Call): Node {
    const { runtime, leaves } = this.captured;
    const made = new Node(RESULT, [], NO_ATTRIBUTE, shape, dtype, runtime, 0);
    if ('buffer' in from) {
      const place = this.#hostPlaces.get(from.buffer);
      if (place === undefined) {
        attachStorage(made, call.storages[from.buffer] ?? internalError('a result without memory'), offset, strides);
        return made;
      }
      const first = place.byteOffset / bytesPerElement(dtype);
      // Read at once; the handle never has this block.
      attachStorage(made, { block: place.block, runtime, refs: 1, isState: false }, first + offset, null);
      settleScalar(made);
      return made;
    }
    const source = call.nodes[leaves.findIndex((leaf) => leaf.slot === from.leaf)] ?? internalError('a result from nowhere');
    if (source.storage === null) {
      made.value = source.value;
      made.state = 'ready';
    } else {
      attachStorage(made, source.storage, source.offset + offset, strides);
    }
    return made;
  }

  /** Gives its memory back and lets go of constants. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { runtime, leaves } = this.captured;
    for (const block of this.#own) runtime.pool.release(block);
    for (const { source } of leaves) if (source.kind === 'constant') release(source.node);
  }
}
