/**
 * What debug mode hooks into the core. The hooks are set by `debug.ts`, which brings the code behind them: programs that never call
 * `debug` do not carry it.
 */

import type { Arg, Backend, Kernel } from '@gradus/backend';
import type { Node } from './graph/node.ts';
import type { Decisions } from './lowering/decide.ts';
import type { Item } from './lowering/item.ts';
import type { Plan, PreparedLaunch } from './lowering/plan.ts';

/** The hooks; null while they are off. */
export interface DebugSettings {
  /** Sees every node that an op makes. */
  recorded: ((node: Node) => void) | null;
  /** Checks a kernel's structure. */
  verifyKernel: ((kernel: Kernel) => void) | null;
  /** Checks the arguments and sizes of a launch. */
  verifyRun: ((kernel: Kernel, args: readonly Arg[], dims: Int32Array) => void) | null;
  /** Check what each pass of the planner has made. */
  verifyItems: ((items: readonly Item[]) => void) | null;
  verifyDecisions: ((items: readonly Item[], decisions: Decisions) => void) | null;
  /** Checks a plan just made. */
  verifyPlan: ((plan: Plan) => void) | null;
  /** Stands around every launch, which `run` makes. */
  observe: ((plan: Plan, launch: PreparedLaunch, backend: Backend, run: () => void) => void) | null;
}

/** The settings in force. */
export const debugSettings: DebugSettings = {
  recorded: null,
  verifyKernel: null,
  verifyRun: null,
  verifyItems: null,
  verifyDecisions: null,
  verifyPlan: null,
  observe: null,
};
