/**
 * Launches: a kernel made ready for one set of sizes, so that running it is filling in addresses and calling code.
 *
 * Words used here:
 * - **phase**: a function called with a frame and a range of units. Phases run one after the other; the units of a phase are independent of
 *   each other, write disjoint memory and may be done in any order.
 * - **scratch**: memory that lasts for one launch, shared by all launches of a device.
 */

import type { DType } from '@gradus/backend';

/** Code of a phase. */
export interface UnitCode {
  /** Runs units `begin` up to `end` with the frame at this address. */
  readonly run: (frame: number, begin: number, end: number) => void;
  /** The number that worker threads know it by; -1 where they do not. */
  readonly module: number;
}

/** A part of a launch. */
export interface Phase {
  readonly code: UnitCode;
  readonly units: number;
  /** The words of its frame. */
  readonly words: readonly WordSource[];
}

/** Where a word of a frame gets its value from. */
export type WordSource =
  | { readonly kind: 'constant'; readonly value: number }
  /** The address of operand number `operand`, and `offset` bytes. */
  | { readonly kind: 'operand'; readonly operand: number; readonly offset: number }
  | { readonly kind: 'scalar'; readonly index: number; readonly dtype: DType }
  /** An address in the launch's scratch. */
  | { readonly kind: 'scratch'; readonly offset: number }
  /** The address of the launch's table, and `offset` bytes. */
  | { readonly kind: 'table'; readonly offset: number };

/** What makes a launch: its phases, and the memory it wants. */
export interface LaunchPlan {
  readonly phases: readonly Phase[];
  readonly scratchBytes: number;
  /** Numbers that the code looks up, kept in memory as long as the launch. */
  readonly table: Int32Array | null;
}

/** A launch that does nothing: an index space without points. */
export const NOTHING: LaunchPlan = { phases: [], scratchBytes: 0, table: null };

/** A launch of a single phase that needs no memory of its own. */
export function onePhase(phase: Phase): LaunchPlan {
  return { phases: [phase], scratchBytes: 0, table: null };
}
