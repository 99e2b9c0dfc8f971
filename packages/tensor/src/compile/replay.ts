/**
 * Replaying: a captured function run again with other arguments, without touching the graph.
 *
 * A call looks up the values of leaves, fills them and the numbers in, runs the kernels in order, and gives cells and results their new
 * values. Results lie in blocks of their own; state is updated in place where nobody else sees its old value, and moved to a copy before
 * where somebody does.
 */

import { bytesPerElement } from '@gradus/backend';
import type { Arg, Recording, Run } from '@gradus/backend';
import { debugSettings } from '../debug-settings.ts';
import { NO_ATTRIBUTE, Node, attachStorage, release, releaseStorage } from '../graph/node.ts';
import type { Storage } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { internalError } from '../internal.ts';
import { flush } from '../lowering/flush.ts';
import { settleScalar } from '../memory/settle.ts';
import { REQUIRES_GRAD, Tensor, nodeOf } from '../tensor.ts';
import type { Captured, CellChange, Exit, Leaf } from './capture.ts';
import { moveToCopy, nodeOfCell, samePlace, setCell } from './cells.ts';
import type { Cell } from './cells.ts';
import { prepare } from './prepare.ts';
import type { OuterBuffer, Prepared } from './prepare.ts';

/** The values that a compiled function returns: they have no history. */
const RESULT: OpRow = /* @__PURE__ */ row({ name: 'the result of a compiled function', lowering: { kind: 'leaf' } });

const sameStrides = (a: readonly number[] | null, b: readonly number[] | null): boolean => a === b || String(a) === String(b);

/** A captured function, ready to be run. */
export class Replay {
  readonly captured: Captured;
  readonly #prepared: Prepared;
  /** For each leaf, the first one with the same memory. */
  readonly #firstOf: readonly number[];
  /** Leaves that are cells in memory of their own, one for each memory. */
  readonly #memories: readonly number[];
  /** Values of the leaves in the call under way; null for numbers of the host. */
  readonly #nodes: (Node | null)[];
  readonly #storages: (Storage | null)[] = [];
  /** For each outer buffer: do its cells lie where their new values do, so that nothing has to be told them? */
  readonly #isInPlace: boolean[] = [];
  /** Changes that lie in no outer buffer: forgotten gradients, numbers on the host, values handed on. */
  readonly #loose: readonly number[];
  /** State that it reads or writes. */
  readonly #handles: readonly Tensor[];
  #recording: Recording | null = null;
  readonly #recordedArgs: Arg[] = [];
  #disposed = false;

  constructor(captured: Captured) {
    const { leaves } = captured;
    this.captured = captured;
    this.#prepared = prepare(captured);
    this.#firstOf = leaves.map((leaf) => leaves.findIndex((other) => other.memory === leaf.memory));
    this.#memories = this.#firstOf.filter((first, i) => first === i && leaves[i]?.source.kind === 'cell');
    this.#nodes = leaves.map(() => null);
    const read = leaves.flatMap(({ source }) => (source.kind === 'cell' ? [source.cell.handle] : []));
    this.#handles = [...new Set([...read, ...captured.changes.map(({ cell }) => cell.handle), ...captured.learns.map(({ handle }) => handle)])];
    const placed = new Set(this.#prepared.outer.flatMap((buffer) => buffer.changes));
    this.#loose = [...captured.changes.keys()].filter((i) => !placed.has(i));
  }

  /** Blocks of its own, and their bytes. */
  get memory(): { readonly blocks: number; readonly bytes: number } {
    const { own } = this.#prepared;
    return { blocks: own.length, bytes: own.reduce((sum, block) => sum + block.byteLength, 0) };
  }

  /** Has some state that it reads or writes been disposed? Then it is of no more use. */
  get isStale(): boolean {
    for (const handle of this.#handles) if (handle.isDisposed) return true;
    return false;
  }

  /** Looks up the values of leaves. False when the cells do not look as they did when this was captured. The host's part comes before. */
  bind(args: readonly Node[]): boolean {
    const { learns, known, leaves } = this.captured;
    for (const { handle, on } of learns) if (((nodeOf(handle, 'compile').traces & REQUIRES_GRAD) !== 0) !== on) return false;
    for (const { of, present } of known) if ((Tensor.gradientOf(of) !== null) !== present) return false;
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i] as Leaf;
      const { source } = leaf;
      if (source.kind === 'argument') this.#nodes[i] = args[source.index] ?? null;
      else if (source.kind === 'constant') this.#nodes[i] = source.node;
      else if (source.kind === 'cell' && !this.#bindCell(leaf, source.cell, i)) return false;
    }
    return this.#prepared.outer.every(({ donor }) => donor < 0 || this.#isApart(donor));
  }

  #bindCell(leaf: Leaf, cell: Cell, i: number): boolean {
    const node = nodeOfCell(cell);
    if (node === null || !sameStrides(node.strides, leaf.strides)) return false;
    // A single number that was assigned from outside moves to the host, where the plan has it.
    if (leaf.onHost) settleScalar(node);
    if ((node.storage === null) !== leaf.onHost) return false;
    this.#nodes[i] = node;
    const first = this.#firstOf[i] as number;
    return first === i || this.#nodes[first]?.storage === node.storage;
  }

  /** Does memory that is overwritten begin where its block does, and belong to none of the other cells? */
  #isApart(donor: number): boolean {
    const mine = this.#nodes[donor];
    const group = this.#firstOf[donor];
    return mine?.offset === 0 && this.#memories.every((i) => i === group || this.#nodes[i]?.storage !== mine.storage);
  }

  /** Runs the kernels on what was bound. `numbers` are those of the host's part, by entry. The results' handles belong to the current scope. */
  run(args: readonly Node[], numbers: ArrayLike<number>): Tensor[] {
    if (this.#disposed) internalError('a replay that was disposed');
    this.#settleOutside(args);
    const { outer } = this.#prepared;
    try {
      for (let k = 0; k < outer.length; k++) this.#takeMemory(outer[k] as OuterBuffer, k);
      this.#fill(numbers);
      this.#launch();
      return this.#finish(numbers);
    } finally {
      for (let k = 0; k < outer.length; k++) {
        const { index } = outer[k] as OuterBuffer;
        const storage = this.#storages[index];
        if (storage) releaseStorage(storage);
        this.#storages[index] = null;
      }
      this.#nodes.fill(null);
    }
  }

  /** What waits outside may still need values that are about to change; memory that is overwritten must belong to these cells alone. */
  #settleOutside(args: readonly Node[]): void {
    const { runtime } = this.captured;
    if (runtime.pending.length > 0 || runtime.states.length > 0) {
      const waiting = runtime.pending.filter((node) => node.state === 'pending' && node.refs > 0);
      runtime.pending = [];
      if (waiting.length > 0 || runtime.states.length > 0) flush(runtime, waiting);
    }
    let moved = false;
    for (const buffer of this.#prepared.outer) if (buffer.donor >= 0) moved = this.#makeOwn(buffer) || moved;
    if (moved) this.bind(args);
  }

  /** Moves cells to a copy of the memory that is to be overwritten where others see it too. */
  #makeOwn(buffer: OuterBuffer): boolean {
    const storage = this.#nodes[buffer.donor]?.storage ?? null;
    if (storage === null || this.#isOnlyTheirs(buffer, storage)) return false;
    const cells = this.captured.changes.flatMap(({ cell }) => (cell.kind === 'state' && nodeOfCell(cell)?.storage === storage ? [cell] : []));
    if (storage.refs === cells.length && cells.every((cell) => nodeOfCell(cell)?.refs === 1)) return false;
    moveToCopy(cells, storage);
    return true;
  }

  /** Is `storage` held by the cells that lie in this buffer, and by nobody else? */
  #isOnlyTheirs({ changes }: OuterBuffer, storage: Storage): boolean {
    if (storage.refs !== changes.length) return false;
    for (const i of changes) {
      const node = nodeOfCell((this.captured.changes[i] as CellChange).cell);
      if (node === null || node.storage !== storage || node.refs !== 1) return false;
    }
    return true;
  }

  /** Memory for a buffer: that of the cells themselves, or a block from the pool. */
  #takeMemory(buffer: OuterBuffer, k: number): void {
    const { runtime } = this.captured;
    const { donor, recyclable, bytes, index } = buffer;
    const old = donor >= 0 ? (this.#nodes[donor]?.storage ?? null) : recyclable ? this.#recycled(buffer) : null;
    this.#storages[index] = old ?? { block: runtime.pool.allocate(bytes), runtime, refs: 0, isState: false };
    this.#storages[index].refs++;
    this.#isInPlace[k] = old !== null && this.#areThere(buffer, old);
  }

  /** The old memory of cells that are replaced without being read, if it is all theirs and can be written again. */
  #recycled(buffer: OuterBuffer): Storage | null {
    const first = this.captured.changes[buffer.changes[0] ?? -1];
    const storage = first === undefined ? null : (nodeOfCell(first.cell)?.storage ?? null);
    return storage !== null && this.#isOnlyTheirs(buffer, storage) && this.#areThere(buffer, storage) ? storage : null;
  }

  /** Do all cells of a buffer lie in `storage` where their new values will? */
  #areThere({ changes }: OuterBuffer, storage: Storage): boolean {
    for (const i of changes) {
      const { cell, exit } = this.captured.changes[i] as CellChange;
      const node = nodeOfCell(cell);
      if (node === null || exit === null || node.storage !== storage || !samePlace(node, exit)) return false;
    }
    return true;
  }

  #fill(numbers: ArrayLike<number>): void {
    const { blocks, numbers: blanks } = this.#prepared;
    let moved = false;
    for (const { launch, at, leaf, buffer, offsetAt, baseOffset } of blocks) {
      if (buffer >= 0) {
        launch.args[at] = (this.#storages[buffer] as Storage).block;
        continue;
      }
      const { storage, offset } = this.#nodes[leaf] as Node;
      launch.args[at] = (storage as Storage).block;
      if (launch.dims[offsetAt] === baseOffset + offset) continue;
      launch.dims[offsetAt] = baseOffset + offset;
      moved = true;
    }
    for (const { launch, at, leaf, entry } of blanks) launch.args[at] = entry >= 0 ? (numbers[entry] ?? NaN) : (this.#nodes[leaf] as Node).value;
    // A recording holds the offsets it was made with.
    if (moved) this.#recording = null;
  }

  #launch(): void {
    const { runtime, plan } = this.captured;
    const { backend } = runtime;
    const { launches } = this.#prepared;
    const { observe, verifyRun } = debugSettings;
    if (verifyRun !== null) for (const { kernel, args, dims } of launches) verifyRun(kernel, args, dims);
    if (observe !== null) {
      for (const launch of launches) observe(plan, launch, backend, () => backend.run(launch.executable, launch.args, launch.dims));
    } else if (backend.record !== undefined && backend.replay !== undefined) {
      this.#recording ??= backend.record(launches.map(({ executable, args, dims }): Run => ({ executable, args, dims })));
      this.#recordedArgs.length = 0;
      for (const { args } of launches) for (const arg of args) this.#recordedArgs.push(arg);
      backend.replay(this.#recording, this.#recordedArgs);
    } else {
      for (const { executable, args, dims } of launches) backend.run(executable, args, dims);
    }
  }

  /** Gives results and cells their values. */
  #finish(numbers: ArrayLike<number>): Tensor[] {
    const { outer } = this.#prepared;
    const made = this.captured.results.map((exit) => new Tensor(this.#exitNode(exit, numbers)));
    for (let k = 0; k < outer.length; k++) {
      if (this.#isInPlace[k] !== true) for (const i of (outer[k] as OuterBuffer).changes) this.#change(i, numbers);
    }
    for (const i of this.#loose) this.#change(i, numbers);
    return made;
  }

  #change(i: number, numbers: ArrayLike<number>): void {
    const { cell, exit } = this.captured.changes[i] as CellChange;
    setCell(cell, exit === null ? null : this.#exitNode(exit, numbers));
  }

  /** A node without history for a value that leaves the function. */
  #exitNode({ from, offset, strides, node: { shape, dtype } }: Exit, numbers: ArrayLike<number>): Node {
    const { runtime } = this.captured;
    const made = new Node(RESULT, [], NO_ATTRIBUTE, shape, dtype, runtime, 0);
    if ('buffer' in from) {
      const place = this.#prepared.onHost.get(from.buffer);
      if (place === undefined) {
        attachStorage(made, this.#storages[from.buffer] ?? internalError('a result without memory'), offset, strides);
        return made;
      }
      // Read at once: the function's own memory is lent for no longer.
      attachStorage(made, { block: place.block, runtime, refs: 1, isState: false }, offset + place.byteOffset / bytesPerElement(dtype), null);
      settleScalar(made);
      return made;
    }
    const leaf = this.captured.leaves.findIndex(({ slot }) => slot === from.leaf);
    const { source } = this.captured.leaves[leaf] ?? internalError('a result from nowhere');
    if (source.kind === 'number') {
      made.value = numbers[source.index] ?? NaN;
      made.state = 'ready';
      return made;
    }
    const node = this.#nodes[leaf] ?? internalError('a leaf without a value');
    if (node.storage === null) {
      made.value = node.value;
      made.state = 'ready';
    } else {
      attachStorage(made, node.storage, node.offset + offset, strides);
    }
    return made;
  }

  /** Gives its memory back and lets go of constants. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { runtime, leaves } = this.captured;
    for (const block of this.#prepared.own) runtime.pool.release(block);
    for (const { source } of leaves) if (source.kind === 'constant') release(source.node);
  }
}
