/**
 * Flushing: computes what is wanted of the graph. The one way from nodes to kernels.
 *
 * A flush covers its roots, all assigned state, and every pending rank-0 value with a live handle (losses are what people read next).
 * It finds or makes a plan, runs it, gives nodes their storage, and cuts the inputs of those that no gradient needs any more.
 */

import type { Block } from '@gradus/backend';
import { debugSettings } from '../debug-settings.ts';
import { attachStorage, claimForState, cutInputs, release, releaseStorage, retain, shareValue } from '../graph/node.ts';
import type { Node, Storage } from '../graph/node.ts';
import { tracing } from '../graph/tracing.ts';
import { internalError } from '../internal.ts';
import type { Runtime } from '../runtime.ts';
import { makePlan } from './plan.ts';
import type { Plan, PreparedLaunch, Step } from './plan.ts';
import { collect, isTaped, unalias } from './program.ts';
import type { Program } from './program.ts';
import { describeStep, flushReport } from './report.ts';
import type { FlushReport } from './report.ts';

/** Nodes made without a flush before the runtime flushes by itself. */
const MAX_PENDING_NODES = 16384;

/** New nodes after which the list of pending ones is swept. */
const SWEEP_AFTER = 256;

/** Computes `wanted` (nodes of one runtime), and all that waits on their device. */
export function flush(runtime: Runtime, wanted: readonly Node[]): void {
  // What a trace records is computed when it has been planned.
  if (tracing.active !== null) return;
  const { scalars } = runtime;
  // State that was assigned again before it was written has nobody left but its pin.
  const states = runtime.states.filter((node) => node.refs > 1 || (release(node), false));
  runtime.states = [];
  runtime.scalars = [];
  runtime.pending = [];
  const alive = scalars.filter((node) => node.state === 'pending' && node.handles > 0);
  const named = [...wanted, ...states, ...alive].filter((node) => node.state === 'pending');
  const roots = distinct(named.map(unalias));
  // Roots must survive the run even where only a pin or an alias holds them.
  for (const node of named) retain(node);
  for (const root of roots) retain(root);
  try {
    if (roots.some((root) => root.state === 'pending')) runProgram(runtime, roots);
    for (const node of named) if (node.state === 'pending') bindAlias(node);
  } catch (error) {
    // Nothing was computed: assigned state stays assigned, and a later flush tries again.
    runtime.states = [...states, ...runtime.states];
    throw error;
  } finally {
    for (const root of roots) release(root);
    for (const node of named) release(node);
  }
  for (const node of states) {
    claimForState(node);
    release(node);
  }
}

/** Registers a new pending node, and flushes when too many wait. */
export function notePending(node: Node): void {
  if (tracing.active !== null) return;
  const { runtime } = node;
  if (node.shape.rank === 0) runtime.scalars.push(node);
  if (runtime.pending.push(node) < runtime.nextSweep) return;
  // Most are gone by now: they must not be kept alive by this list.
  runtime.pending = runtime.pending.filter((each) => each.state === 'pending' && each.refs > 0);
  runtime.nextSweep = 2 * runtime.pending.length + SWEEP_AFTER;
  if (runtime.pending.length < MAX_PENDING_NODES) return;
  // Values that have nothing to do with each other are flushed apart, so that a thousand like requests share one small plan.
  for (const roots of independentRoots(runtime.pending)) flush(runtime, roots);
}

/** The pending nodes that no other uses, in groups that share nothing. */
function independentRoots(nodes: readonly Node[]): Node[][] {
  const used = new Set(nodes.flatMap((node) => node.inputs));
  /** Union-find: each node's representative so far. */
  const parent = new Map<Node, Node>(nodes.map((node) => [node, node]));
  const find = (node: Node): Node => {
    let top = node;
    for (let next = parent.get(top); next !== undefined && next !== top; next = parent.get(top)) top = next;
    parent.set(node, top);
    return top;
  };
  for (const node of nodes) for (const input of node.inputs) if (parent.has(input)) parent.set(find(input), find(node));
  const groups = new Map<Node, Node[]>();
  for (const root of nodes.filter((node) => !used.has(node))) {
    const group = groups.get(find(root)) ?? [];
    group.push(root);
    groups.set(find(root), group);
  }
  return [...groups.values()];
}

function distinct(nodes: readonly Node[]): Node[] {
  return [...new Set(nodes)];
}

/** An alias takes the storage of what it names. */
function bindAlias(node: Node): void {
  const target = unalias(node);
  if (target.state !== 'ready') internalError(`${target.op.name} has no value after a flush`);
  shareValue(node, target);
  if (!isTaped(node) || node.cell !== null) cutInputs(node);
}

function runProgram(runtime: Runtime, roots: readonly Node[]): void {
  const program = collect(roots);
  let plan = runtime.plans.find(program.key, program.hash);
  const planHit = plan !== undefined;
  if (plan === undefined) {
    plan = makePlan(program, runtime.backend);
    runtime.plans.add(program.hash, plan);
  }
  const blocks = new Run(runtime, program, plan).run();
  runtime.lastFlush = { plan, nodes: program.nodes.length, blocks, planHit };
}

/** What a device's last flush ran, described; null before the first. */
export function lastFlushReport(runtime: Runtime): FlushReport | null {
  if (runtime.lastFlush === null) return null;
  const { plan, nodes, blocks, planHit } = runtime.lastFlush;
  const bytes = plan.buffers.reduce((sum, b) => sum + (b.donor === null ? b.bytes : 0), 0);
  return flushReport({ device: runtime.backend.name, kernels: plan.steps.map((step) => describeStep(plan, step)), nodes, blocks, bytes, planHit });
}

/** One run of a plan. */
class Run {
  readonly #runtime: Runtime;
  readonly #nodes: readonly Node[];
  readonly #dying: Uint8Array;
  readonly #plan: Plan;
  readonly #storages: (Storage | null)[];
  #allocated = 0;

  constructor(runtime: Runtime, program: Program, plan: Plan) {
    this.#runtime = runtime;
    this.#nodes = program.nodes;
    this.#dying = program.dying;
    this.#plan = plan;
    this.#storages = plan.buffers.map(() => null);
  }

  run(): number {
    const { steps } = this.#plan;
    try {
      steps.forEach((step, at) => {
        for (const buffer of this.#plan.startsAt[at] ?? []) this.#allocate(buffer);
        this.#runStep(step);
        for (const buffer of this.#plan.endsAt[at] ?? []) this.#freeIfTransient(buffer);
      });
      for (const buffer of this.#plan.startsAt[steps.length] ?? []) this.#allocate(buffer);
    } catch (error) {
      for (const storage of this.#storages) if (storage !== null) releaseStorage(storage);
      throw error;
    }
    this.#finish();
    return this.#allocated;
  }

  #allocate(index: number): void {
    const { donor, bytes } = this.#plan.buffers[index] ?? internalError('no such buffer');
    if (donor !== null) {
      const taken = this.#nodes[donor]?.storage ?? internalError('a donor without storage');
      taken.refs++;
      this.#storages[index] = taken;
      return;
    }
    this.#allocated++;
    this.#storages[index] = { block: this.#runtime.pool.allocate(bytes), runtime: this.#runtime, refs: 1, isState: false };
  }

  /** A buffer whose slots nobody refers to any more goes back right after its last use. */
  #freeIfTransient(index: number): void {
    const storage = this.#storages[index];
    const buffer = this.#plan.buffers[index];
    if (storage === null || storage === undefined || buffer === undefined) return;
    if (buffer.slots.some((slot) => this.#dying[slot] !== 1)) return;
    this.#storages[index] = null;
    releaseStorage(storage);
  }

  #runStep(step: Step): void {
    const { pool } = this.#runtime;
    const temporaries = step.temporaries.map((bytes) => pool.allocate(bytes));
    try {
      for (const launch of step.launches) this.#launch(launch, temporaries);
    } finally {
      for (const block of temporaries) pool.release(block);
    }
  }

  #launch(launch: PreparedLaunch, temporaries: readonly Block[]): void {
    const { args, dims, blocks, scalars } = launch;
    for (let i = 0; i < blocks.length; i++) {
      const source = blocks[i];
      if (source === undefined) continue;
      if ('temporary' in source) {
        args[i] = temporaries[source.temporary] ?? internalError('no such temporary');
        continue;
      }
      const buffer = this.#plan.bufferOf[source.slot] ?? -1;
      if (buffer >= 0) {
        args[i] = (this.#storages[buffer] ?? internalError('a buffer that is not there')).block;
        continue;
      }
      const leaf = this.#nodes[source.slot];
      args[i] = (leaf?.storage ?? internalError('a leaf without storage')).block;
      dims[launch.offsets[i] ?? 0] = (launch.baseOffsets[i] ?? 0) + (leaf?.offset ?? 0);
    }
    for (let i = 0; i < scalars.length; i++) {
      const source = scalars[i]?.source ?? internalError('no such scalar');
      args[blocks.length + i] = 'slot' in source ? (this.#nodes[source.slot]?.value ?? 0) : source.value;
    }
    debugSettings.verifyRun?.(launch.kernel, args, dims);
    const { observe } = debugSettings;
    const { backend } = this.#runtime;
    if (observe === null) backend.run(launch.executable, args, dims);
    else observe(this.#plan, launch, backend, () => backend.run(launch.executable, args, dims));
    // Arguments are this plan's own array: it must not keep blocks alive.
    args.fill(0);
  }

  /** Gives nodes their values, then lets go of what they were made from. */
  #finish(): void {
    for (const { slot, from, offset, strides } of this.#plan.results) {
      const node = this.#nodes[slot];
      const storage = 'buffer' in from ? this.#storages[from.buffer] : this.#nodes[from.leaf]?.storage;
      if (node === undefined || storage === null || storage === undefined) continue;
      const base = 'leaf' in from ? (this.#nodes[from.leaf]?.offset ?? 0) : 0;
      attachStorage(node, storage, offset + base, strides);
    }
    for (const storage of this.#storages) if (storage !== null) releaseStorage(storage);
    for (const { slot } of this.#plan.results) {
      const node = this.#nodes[slot];
      if (node !== undefined && node.state === 'ready' && !isTaped(node)) cutInputs(node);
    }
  }
}
