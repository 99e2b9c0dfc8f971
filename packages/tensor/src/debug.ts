/** Seeing inside: debug mode, the last flush explained, memory by owner. */

import { verifyKernel, verifyRun } from '@gradus/backend';
import type { PlanStatistics } from './lowering/cache.ts';
import type { FlushReport } from './lowering/report.ts';
import { checkRecorded } from './debug-check.ts';
import type { Compiled } from './compile/compile.ts';
import { debugSettings } from './debug-settings.ts';
import { lastFlushReport } from './lowering/flush.ts';
import { verifyDecisions, verifyItems, verifyPlan } from './lowering/verify-plan.ts';
import { collectedHandles } from './memory/lifetime.ts';
import { defaultRuntime, runtimeOf } from './runtime.ts';
import type { Device, Runtime } from './runtime.ts';

/** What {@link debug} can switch. */
export interface DebugOptions {
  /** Compute after every op, complain where one makes NaN, and keep the stack of its call. Slow. Also turns `verify` on. Default off. */
  readonly eager?: boolean;
  /** Check every plan against the planner's rules, every kernel and launch against the contract's. Default off. */
  readonly verify?: boolean;
}

/** Switches debug mode; what is not named is switched off. Returns a handle that puts the earlier settings back: `using d = debug({ eager: true })`. */
export function debug(options: DebugOptions): Disposable {
  const before = { ...debugSettings };
  const { eager = false, verify = eager } = options;
  debugSettings.recorded = eager ? checkRecorded : null;
  debugSettings.verifyKernel = verify ? verifyKernel : null;
  debugSettings.verifyRun = verify ? verifyRun : null;
  debugSettings.verifyItems = verify ? verifyItems : null;
  debugSettings.verifyDecisions = verify ? verifyDecisions : null;
  debugSettings.verifyPlan = verify ? verifyPlan : null;
  return { [Symbol.dispose]: () => void Object.assign(debugSettings, before) };
}

const runtimeFor = (device: Device | undefined): Runtime => (device === undefined ? defaultRuntime() : runtimeOf(device));

/**
 * What the last flush of a device (default the default device) ran, or the last call of a compiled function: kernels, fusions, blocks,
 * bytes. Null before the first. `String(…)` is a table, `JSON.stringify(…)` its data.
 */
export function explain(what?: Device | Pick<Compiled<unknown>, 'explain'>): FlushReport | null {
  return what !== undefined && 'explain' in what ? what.explain() : lastFlushReport(runtimeFor(what));
}

/** Memory of one device. */
export interface MemoryReport {
  /** Bytes and blocks that tensors and plans hold. */
  readonly liveBytes: number;
  /** Of these, the bytes of state (parameters, optimizer moments, running statistics) and of all other values. */
  readonly byOwner: { readonly state: number; readonly values: number };
  readonly liveBlocks: number;
  /** Bytes of blocks that wait to be used again. */
  readonly pooledBytes: number;
  /** Bytes that the backend has handed out: live and pooled. */
  readonly backendBytes: number;
  /** Blocks that had to be asked from the backend so far. */
  readonly allocations: number;
  /** Programs planned and found again in the plan cache. */
  readonly plans: PlanStatistics;
  /** Tensors that neither a scope nor `dispose()` ended, and the garbage collector did. */
  readonly collected: number;
}

/** Memory of a device, by default the default device. */
export function memory(device?: Device): MemoryReport {
  const runtime = runtimeFor(device);
  const { liveBytes, stateBytes, pooledBytes, liveBlocks, misses } = runtime.pool.statistics();
  return {
    liveBytes,
    byOwner: { state: stateBytes, values: liveBytes - stateBytes },
    liveBlocks,
    pooledBytes,
    backendBytes: runtime.backend.allocatedBytes,
    allocations: misses,
    plans: runtime.plans.statistics(),
    collected: collectedHandles(),
  };
}

/** Gives blocks that wait for reuse back to the device, down to `bytes` (default 0), and keeps no more than `limit` waiting from now on, if given. */
export function trimMemory(options: { readonly device?: Device; readonly bytes?: number; readonly limit?: number } = {}): void {
  const { pool } = runtimeFor(options.device);
  if (options.limit !== undefined) pool.setLimit(options.limit);
  pool.trim(options.bytes ?? 0);
}
