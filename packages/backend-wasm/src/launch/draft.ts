/** A launch as it is put together: phases, tables, and room in the scratch. */

import type { LaunchPlan, Phase } from './launch.ts';
import { Tables } from './tables.ts';

/** Collects what a launch is made of. */
export class Draft {
  readonly tables: Tables = new Tables();
  readonly #phases: Phase[] = [];
  #scratchBytes = 0;

  /** Room for so many bytes; its offset in the scratch. */
  reserve(bytes: number): number {
    const at = this.#scratchBytes;
    this.#scratchBytes += bytes;
    return at;
  }

  /** Adds a phase; null is one with nothing to do. */
  add(phase: Phase | null): void {
    if (phase !== null) this.#phases.push(phase);
  }

  finish(): LaunchPlan {
    return { phases: this.#phases, scratchBytes: this.#scratchBytes, table: this.tables.finish() };
  }
}
