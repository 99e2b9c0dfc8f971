/** What the fast paths of one backend share and keep between calls: multipliers and scratch memory. */

import { floatMultiplier, integerMultiplier } from './contract/product.ts';
import type { Multiplier } from './contract/product.ts';
import { floatScratch, integerScratch } from './memory/scratch.ts';
import type { Scratch } from './memory/scratch.ts';

export interface Workspace {
  readonly float: Multiplier<Float64Array>;
  readonly integer: Multiplier<Int32Array>;
  /** Accumulators while they are summed up: rows padded to whole strips. */
  readonly floatSums: Scratch<Float64Array>;
  readonly integerSums: Scratch<Int32Array>;
  /** Accumulators of a box of the kept space, dense, for the epilogue. */
  readonly finished: Scratch<Float64Array>;
  /** An image in its frame of zeros. */
  readonly frame: Scratch<Float64Array>;
  /** A row of intermediate values. */
  readonly row: Scratch<Float64Array>;
  /** Places within a row. */
  readonly places: Scratch<Int32Array>;
}

export function createWorkspace(): Workspace {
  return {
    float: floatMultiplier(),
    integer: integerMultiplier(),
    floatSums: floatScratch(),
    integerSums: integerScratch(),
    finished: floatScratch(),
    frame: floatScratch(),
    row: floatScratch(),
    places: integerScratch(),
  };
}
