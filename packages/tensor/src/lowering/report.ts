/** What `explain` shows: for each kernel of a flush, the ops that went into it, and the memory it took. */

import type { Plan, Step } from './plan.ts';

/** One kernel, as explained. */
export interface StepReport {
  /** `map`, `reduce`, `contract`, … of each launch; more than one where the backend needs a decomposition. */
  readonly kernels: readonly string[];
  /** The heavy op at its head, if any. */
  readonly anchor: string | null;
  /** Elementwise ops computed in it, the epilogue's included. */
  readonly fused: readonly string[];
  /** What it stores: op and shape. */
  readonly outputs: readonly { readonly op: string; readonly dims: readonly number[]; readonly dtype: string }[];
  /** Blocks read. */
  readonly reads: number;
  /** Outputs that overwrite a value nobody needs any more. */
  readonly inPlace: number;
}

/** A flush, explained. */
export interface FlushReport {
  readonly device: string;
  readonly kernels: readonly StepReport[];
  /** Kernel launches. */
  readonly launches: number;
  /** Nodes of the graph that the flush covered. */
  readonly nodes: number;
  /** Ops that share a kernel with another instead of having one of their own. */
  readonly fusedOps: number;
  readonly blocks: number;
  /** Bytes of those blocks. */
  readonly bytes: number;
  /** Was the plan found in the cache? */
  readonly planHit: boolean;
  /** The same as a table. */
  toString(): string;
}

/** Describes one step of a plan. */
export function describeStep({ items, stored }: Plan, { anchor, outputs, launches }: Step): StepReport {
  const fused: string[] = [];
  const seen = new Set<number>();
  const stack = outputs.toReversed();
  for (let slot = stack.pop(); slot !== undefined; slot = stack.pop()) {
    const item = items[slot];
    if (item === undefined || item.flags.leaf || seen.has(slot)) continue;
    seen.add(slot);
    const { kind } = item.op.lowering;
    if (kind === 'elementwise') fused.push(item.op.name);
    for (const input of item.inputs.toReversed()) if (stored[input] !== 1 || outputs.includes(input)) stack.push(input);
  }
  const describe = (slot: number): StepReport['outputs'][number] => ({
    op: items[slot]?.op.name ?? '',
    dims: items[slot]?.dims ?? [],
    dtype: items[slot]?.dtype ?? '',
  });
  const operands = launches.flatMap(({ kernel, blocks }) => kernel.operands.map((o, i) => ({ access: o.access, block: JSON.stringify(blocks[i]) })));
  return {
    kernels: launches.map((l) => l.kernel.kind),
    anchor: anchor === null ? null : (items[anchor]?.op.name ?? null),
    fused,
    outputs: outputs.map(describe),
    reads: new Set(operands.flatMap((o) => (o.access === 'write' ? [] : [o.block]))).size,
    inPlace: launches[0]?.kernel.kind === 'map' ? operands.filter((o) => o.access === 'readWrite').length : 0,
  };
}

/** Puts the report of one flush together. */
export function flushReport(facts: Omit<FlushReport, 'toString' | 'fusedOps' | 'launches'>): FlushReport {
  const launches = facts.kernels.reduce((n, k) => n + k.kernels.length, 0);
  const fusedOps = facts.kernels.reduce((n, k) => n + Math.max(0, k.fused.length + (k.anchor === null ? 0 : 1) - 1), 0);
  return { ...facts, launches, fusedOps, toString: () => table(facts, launches, fusedOps) };
}

function table(facts: Omit<FlushReport, 'toString' | 'fusedOps' | 'launches'>, launches: number, fusedOps: number): string {
  const lines = facts.kernels.map((k, i) => {
    const ops = [...(k.anchor === null ? [] : [k.anchor]), ...k.fused].join(' + ') || 'copy';
    const outputs = k.outputs.map((o) => `${o.dtype}[${o.dims.join(', ')}]`).join(', ');
    return `${String(i).padStart(3)}  ${k.kernels.join(', ').padEnd(12)} ${ops} -> ${outputs}`;
  });
  const head = `${launches} ${launches === 1 ? 'kernel' : 'kernels'} on ${facts.device} for ${facts.nodes} nodes (${fusedOps} ops fused, plan ${facts.planHit ? 'from cache' : 'new'})`;
  return [head, ...lines, `${facts.blocks} blocks, ${facts.bytes} bytes`].join('\n');
}
