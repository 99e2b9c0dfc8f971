/**
 * The core's side of a device: its block pool, its plans, and what waits for the next flush.
 *
 * A device is the `Backend` object that the user made; a runtime is found by it and lives as long.
 */

import { assertContract } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { cpu } from '@gradus/backend-cpu';
import type { Node } from './graph/node.ts';
import { PlanCache } from './lowering/cache.ts';
import type { Plan } from './lowering/plan.ts';
import { BlockPool } from './memory/pool.ts';

/** A device: an object that the user makes and passes, such as `cpu()` or `await wasm({ threads: 2 })`. */
export type Device = Backend;

/** Everything the core keeps for one device. */
export class Runtime {
  readonly backend: Backend;
  readonly pool: BlockPool;
  readonly plans: PlanCache;
  /** Assigned state that is not written yet; each is pinned. */
  states: Node[] = [];
  /** Pending rank-0 nodes: losses and metrics, computed by whichever flush comes next. */
  scalars: Node[] = [];
  /** Pending nodes, for the safety valve; swept of those that are gone when it grows to `nextSweep`. */
  pending: Node[] = [];
  nextSweep = 256;
  /** Numbers that outlived their scopes on a device that cannot be read at once; see `memory/settle.ts`. */
  unsettled: Node[] = [];
  /** What the last flush ran, for `explain`. */
  lastFlush: { readonly plan: Plan; readonly nodes: number; readonly blocks: number; readonly planHit: boolean } | null = null;

  constructor(backend: Backend) {
    assertContract(backend);
    this.backend = backend;
    this.pool = new BlockPool(backend);
    this.plans = new PlanCache();
  }
}

const runtimes = new WeakMap<Backend, Runtime>();

/** The runtime of a device. @throws ContractVersionError when it was built for another contract */
export function runtimeOf(device: Device): Runtime {
  let runtime = runtimes.get(device);
  if (runtime === undefined) {
    runtime = new Runtime(device);
    runtimes.set(device, runtime);
  }
  return runtime;
}

let chosen: Runtime | null = null;

/** Makes `device` the one that new tensors go to. @throws ContractVersionError */
export function setDefaultDevice(device: Device): void {
  chosen = runtimeOf(device);
}

/** The runtime that new tensors go to: the cpu backend until another is set. */
export function defaultRuntime(): Runtime {
  chosen ??= runtimeOf(cpu());
  return chosen;
}

/** The device that new tensors go to. */
export function defaultDevice(): Device {
  return defaultRuntime().backend;
}
