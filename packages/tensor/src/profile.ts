/** Profiling: the time of every kernel that a function runs, with the ops it was made of; as a table and as a trace for Chrome's viewer. */

import { debugSettings } from './debug-settings.ts';
import type { Backend } from '@gradus/backend';
import type { Plan, PreparedLaunch, Step } from './lowering/plan.ts';
import { describeStep } from './lowering/report.ts';

/** One launch of a kernel. */
export interface KernelEvent {
  /** `map`, `reduce`, `contract`, … */
  readonly kernel: string;
  /** The ops in it, the heavy one first. */
  readonly ops: readonly string[];
  /** dtype and shape of what it writes. */
  readonly outputs: readonly string[];
  /** Since the beginning of the profile, in ms. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** Launches of the same kernel for the same ops and shapes, added up. */
export interface KernelTotal {
  readonly kernel: string;
  readonly ops: readonly string[];
  readonly outputs: readonly string[];
  readonly calls: number;
  readonly totalMs: number;
  /** Of the time of all kernels, from 0 to 1. */
  readonly share: number;
}

/** What {@link profile} found. */
export interface Profile {
  /** From the beginning to the end of the function, in ms. */
  readonly totalMs: number;
  /** In kernels, in ms; the rest is JavaScript around them. */
  readonly kernelMs: number;
  readonly events: readonly KernelEvent[];
  /** Most time first. */
  readonly kernels: readonly KernelTotal[];
  /** The events as the text of a trace file: save it as `.json` and open it in `chrome://tracing` or https://ui.perfetto.dev. */
  chromeTrace(): string;
  /** The totals as a table. */
  toString(): string;
}

/** Milliseconds, as finely as the engine tells. */
const now = (): number => (globalThis as unknown as { readonly performance: { now(): number } }).performance.now();

/**
 * Runs `fn`, which may be asynchronous, and measures every kernel that it launches, and what it leaves pending is not.
 *
 * Each kernel is waited for where the device can be read at once (cpu, wasm); elsewhere its time is that of handing it over.
 */
export async function profile(fn: () => unknown): Promise<Profile> {
  const events: KernelEvent[] = [];
  const before = debugSettings.observe;
  const start = now();
  debugSettings.observe = (plan, launch, backend, run) => {
    const begin = now();
    run();
    waitFor(backend, launch);
    const end = now();
    events.push({ ...describe(plan, launch), startMs: begin - start, durationMs: end - begin });
  };
  try {
    await fn();
  } finally {
    debugSettings.observe = before;
  }
  return report(events, now() - start);
}

/** Waits until a launch has run, by reading nothing of what it writes. */
function waitFor(backend: Backend, { kernel, args }: PreparedLaunch): void {
  const block = args[kernel.operands.findIndex((operand) => operand.access !== 'read')];
  if (typeof block === 'object') backend.readSync?.(block, 0, 0);
}

const descriptions = new WeakMap<Step, Pick<KernelEvent, 'ops' | 'outputs'>>();

function describe(plan: Plan, launch: PreparedLaunch): Pick<KernelEvent, 'kernel' | 'ops' | 'outputs'> {
  const step = plan.steps.find((s) => s.launches.includes(launch));
  const kernel = launch.kernel.kind;
  if (step === undefined) return { kernel, ops: [], outputs: [] };
  let known = descriptions.get(step);
  if (known === undefined) {
    const { anchor, fused, outputs } = describeStep(plan, step);
    known = { ops: [...(anchor === null ? [] : [anchor]), ...fused], outputs: outputs.map((o) => `${o.dtype}[${o.dims.join(', ')}]`) };
    descriptions.set(step, known);
  }
  return { kernel, ...known };
}

function report(events: readonly KernelEvent[], totalMs: number): Profile {
  const kernelMs = events.reduce((sum, e) => sum + e.durationMs, 0);
  const totals = new Map<string, { first: KernelEvent; calls: number; totalMs: number }>();
  for (const event of events) {
    const name = JSON.stringify([event.kernel, event.ops, event.outputs]);
    const total = totals.get(name) ?? { first: event, calls: 0, totalMs: 0 };
    totals.set(name, { ...total, calls: total.calls + 1, totalMs: total.totalMs + event.durationMs });
  }
  const kernels = [...totals.values()]
    .toSorted((a, b) => b.totalMs - a.totalMs)
    .map(({ first: { kernel, ops, outputs }, calls, totalMs: ms }): KernelTotal => ({
      kernel,
      ops,
      outputs,
      calls,
      totalMs: ms,
      share: ms / kernelMs,
    }));
  const facts = { totalMs, kernelMs, events, kernels };
  return { ...facts, chromeTrace: () => traceOf(events), toString: () => tableOf(facts) };
}

const labelOf = ({ kernel, ops }: Pick<KernelEvent, 'kernel' | 'ops'>): string => ops.join(' + ') || kernel;

/** The Trace Event Format: complete events, in µs. */
function traceOf(events: readonly KernelEvent[]): string {
  const traceEvents = events.map((e) => ({
    name: labelOf(e),
    cat: e.kernel,
    ph: 'X',
    ts: e.startMs * 1000,
    dur: e.durationMs * 1000,
    pid: 1,
    tid: 1,
    args: { kernel: e.kernel, outputs: e.outputs },
  }));
  return JSON.stringify({ traceEvents, displayTimeUnit: 'ms' });
}

function tableOf({ totalMs, kernelMs, events, kernels }: Pick<Profile, 'totalMs' | 'kernelMs' | 'events' | 'kernels'>): string {
  const lines = kernels.map(
    (k) =>
      `${k.totalMs.toFixed(3).padStart(10)} ${(100 * k.share).toFixed(1).padStart(5)} % ${String(k.calls).padStart(6)}  ${k.kernel.padEnd(12)} ${labelOf(k)} -> ${k.outputs.join(', ')}`,
  );
  const head = `${events.length} launches, ${kernelMs.toFixed(3)} ms in kernels, ${totalMs.toFixed(3)} ms in all`;
  return [head, '        ms  share  calls  kernel       ops -> outputs', ...lines].join('\n');
}
