/**
 * Capturing: what a trace found, as a plan with the places its values come from and go to.
 *
 * Words used here:
 * - A **source** says where a leaf of the plan has its value from in each call.
 * - A **cell** is a place outside that is given a new value: state, or the gradient of a parameter.
 * - A captured **constant** is any other tensor from outside: its value is part of the function, and held as long as that.
 */

import { retain } from '../graph/node.ts';
import type { Node } from '../graph/node.ts';
import type { HostEntry } from '../graph/tracing.ts';
import { flush } from '../lowering/flush.ts';
import { makePlan } from '../lowering/plan.ts';
import type { Plan } from '../lowering/plan.ts';
import { collectTraced, tracesUnderWay, unalias } from '../lowering/program.ts';
import type { Runtime } from '../runtime.ts';
import { Tensor, nodeOf } from '../tensor.ts';
import type { Cell } from './cells.ts';
import { takeApart } from './structure.ts';
import type { Structure } from './structure.ts';
import { Untraceable } from './trace.ts';
import type { Traced } from './trace.ts';
import { TraceError } from '../errors.ts';

/** Where a leaf has its value from. */
type Source =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'cell'; readonly cell: Cell }
  | { readonly kind: 'number'; readonly index: number }
  | { readonly kind: 'constant'; readonly node: Node };

/** A leaf of the plan. */
export interface Leaf {
  readonly slot: number;
  readonly source: Source;
  /** Is it a number on the host? */
  readonly onHost: boolean;
  /** Strides, as the plan has them. */
  readonly strides: readonly number[] | null;
  /** Leaves with the same number share memory. */
  readonly memory: number;
}

/** A value that leaves the function: the part of a buffer, or of a leaf, that it is. */
export interface Exit {
  readonly from: { readonly buffer: number } | { readonly leaf: number };
  readonly offset: number;
  /** Null for row-major; of a leaf as it is: the leaf's. */
  readonly strides: readonly number[] | null;
  readonly node: Pick<Node, 'shape' | 'dtype'>;
}

/** A new value of a cell; null forgets a gradient. */
export interface CellChange {
  readonly cell: Cell;
  readonly exit: Exit | null;
}

/** A compiled function for one set of shapes and decisions. */
export interface Captured {
  readonly runtime: Runtime;
  readonly plan: Plan;
  readonly leaves: readonly Leaf[];
  readonly host: readonly HostEntry[];
  readonly checks: readonly { readonly argument: number; readonly look: (node: Node) => void }[];
  readonly structure: Structure;
  readonly results: readonly Exit[];
  readonly changes: readonly CellChange[];
  /** State that it calculates with: does it require gradients? */
  readonly learns: readonly { readonly handle: Tensor; readonly on: boolean }[];
  /** Gradients that must be there, or must not. */
  readonly known: readonly { readonly of: Tensor; readonly present: boolean }[];
}

/** Turns what a trace found into something to run again. @throws Untraceable, TraceError for two devices */
export function capture(traced: Traced, args: readonly Node[], runtime: Runtime, since: number): Captured {
  const { structure, tensors } = takeApart(traced.result);
  const results = tensors.map((t) => nodeOf(t, 'compile'));
  const changes = traced.changes.filter((c) => c.after !== c.before);
  const gradients = traced.gradients.filter((g) => g.after !== g.before);
  const outputs = [...results, ...changes.map((c) => c.after), ...gradients.flatMap((g) => (g.after === null ? [] : [g.after]))];
  requireOneRuntime(outputs, runtime);
  computeOutside(outputs, runtime, since);

  const roots = [...new Set(outputs.map(unalias))];
  const cells = cellsOf(traced);
  const written = new Set<unknown>(changes.map((c) => c.before.storage));
  const stateNodes = new Map([...cells].filter(([, cell]) => cell.kind === 'state'));
  const find = (node: Node): Source => sourceOf(node, args, cells, traced.host);
  const program = collectTraced(
    roots,
    (leaf) => leaf.storage !== null && written.has(leaf.storage) && stateNodes.has(leaf),
    (leaf) => find(leaf).kind === 'constant',
  );
  const leaves = program.nodes.flatMap((node, slot): Leaf[] =>
    node.state === 'ready'
      ? [
          {
            slot,
            source: find(node),
            onHost: node.storage === null,
            strides: node.strides,
            memory: program.memory?.[slot] ?? slot,
          },
        ]
      : [],
  );
  const plan = makePlan(program, runtime.backend);
  for (const { source } of leaves) if (source.kind === 'constant') retain(source.node);
  const exitOf = exits(plan);
  return {
    runtime,
    plan,
    leaves,
    host: traced.host,
    checks: traced.checks.flatMap(({ node, look }) => (args.includes(node) ? [{ argument: args.indexOf(node), look }] : [])),
    structure,
    results: results.map(exitOf),
    changes: [
      ...changes.map((c) => ({ cell: { kind: 'state' as const, handle: c.handle }, exit: exitOf(c.after) })),
      ...gradients.map((g) => ({ cell: { kind: 'gradient' as const, handle: g.of }, exit: g.after === null ? null : exitOf(g.after) })),
    ],
    learns: [...traced.uses].flatMap(([weak, on]) => {
      const handle = weak.deref();
      return handle !== undefined && Tensor.isState(handle) ? [{ handle, on }] : [];
    }),
    known: traced.gradients.filter((g) => g.known).map((g) => ({ of: g.of, present: g.before !== null })),
  };
}

/** Cells by the node that each had when the function began. */
function cellsOf(traced: Traced): Map<Node, Cell> {
  const cells = new Map<Node, Cell>();
  for (const { of, before, known } of traced.gradients) if (known && before !== null) cells.set(before, { kind: 'gradient', handle: of });
  for (const { handle, before } of traced.changes) cells.set(before, { kind: 'state', handle });
  return cells;
}

function sourceOf(node: Node, args: readonly Node[], cells: Map<Node, Cell>, host: readonly HostEntry[]): Source {
  const index = args.indexOf(node);
  if (index >= 0) return { kind: 'argument', index };
  const entry = host.findIndex((e) => e.kind === 'number' && e.node === node);
  if (entry >= 0) return { kind: 'number', index: entry };
  const cell = cells.get(node);
  if (cell !== undefined) return { kind: 'cell', cell };
  const handle = node.cell?.deref();
  if (handle !== undefined && Tensor.isState(handle) && nodeOf(handle, 'compile') === node) return { kind: 'cell', cell: { kind: 'state', handle } };
  // Gradients would be lost without a word: what was made by a plan has no history.
  if ((node.traces & tracesUnderWay()) !== 0) throw new Untraceable('it uses a tensor from outside that is being differentiated');
  return { kind: 'constant', node };
}

/** Values from outside that are still to be computed are computed now: they are no part of the function. */
function computeOutside(outputs: readonly Node[], runtime: Runtime, since: number): void {
  const outside: Node[] = [];
  const seen = new Set<Node>();
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || node.state !== 'pending') continue;
    seen.add(node);
    if (node.id < since) outside.push(node);
    else stack.push(...node.inputs);
  }
  if (outside.length > 0) flush(runtime, outside);
}

function requireOneRuntime(nodes: readonly Node[], runtime: Runtime): void {
  const other = nodes.find((node) => node.runtime !== runtime);
  if (other === undefined) return;
  throw new TraceError({
    op: 'compile',
    expected: `everything on one device, ${runtime.backend.name}`,
    got: `a result on ${other.runtime.backend.name}`,
    fix: 'compile a function for each device.',
  });
}

/** Where the value of a root is after a run. */
function exits(plan: Plan): (node: Node) => Exit {
  const places = new Map(plan.results.map((r) => [r.slot, r]));
  return (node) => {
    const root = unalias(node);
    const place = places.get(root.slot);
    const { shape, dtype } = node;
    if (place === undefined) return { from: { leaf: root.slot }, offset: 0, strides: root.strides, node: { shape, dtype } };
    return { from: place.from, offset: place.offset, strides: place.strides, node: { shape, dtype } };
  };
}
