/**
 * A case: one launch of one kernel on known memory, with what should come of it.
 *
 * Cases are data. `build.ts` makes them, `run.ts` runs them on a backend; the oracle's answer is computed once and kept with the case.
 */

import { verifyKernel, verifyRun } from '@gradus/backend';
import type { Arg, DType, Kernel } from '@gradus/backend';
import { interpret } from '../oracle/interpret.ts';
import type { Cells } from '../oracle/launch.ts';
import { encode } from '../oracle/number.ts';
import { EXACT } from '../tolerances.ts';
import type { Tolerance } from '../tolerances.ts';

/** A block and its elements before the launch. */
export interface BlockImage {
  readonly dtype: DType;
  readonly values: Float64Array;
}

/** What a case is made of. */
export interface CaseParts {
  /** Names it within its check: `transposed / 33`. */
  readonly name: string;
  /** The sentence of the contract that it tests. */
  readonly rule: string;
  readonly kernel: Kernel;
  readonly dims: Int32Array;
  readonly blocks: readonly BlockImage[];
  /** The block of each operand. */
  readonly bindings: readonly number[];
  readonly scalars: readonly number[];
  /** For written floats. Default exact. */
  readonly tolerance?: Tolerance;
  /** Absolute error allowed, by element of each block: what a tolerance of ulps cannot say. */
  readonly bounds?: ReadonlyMap<number, Float64Array>;
}

/** A case with its bytes, and with the oracle's answer when it is first asked for. */
export class Case {
  readonly name: string;
  readonly rule: string;
  readonly kernel: Kernel;
  readonly dims: Int32Array;
  readonly blocks: readonly BlockImage[];
  readonly bindings: readonly number[];
  readonly scalars: readonly number[];
  readonly tolerance: Tolerance;
  readonly bounds: ReadonlyMap<number, Float64Array>;
  /** The bytes of each block before the launch. */
  readonly before: readonly Uint8Array[];
  #after: readonly Cells[] | undefined;

  /** Also holds the kit to the rules: a case whose kernel or run is against the contract throws KernelError here. */
  constructor(parts: CaseParts) {
    this.name = parts.name;
    this.rule = parts.rule;
    this.kernel = parts.kernel;
    this.dims = parts.dims;
    this.blocks = parts.blocks;
    this.bindings = parts.bindings;
    this.scalars = parts.scalars;
    this.tolerance = parts.tolerance ?? EXACT;
    this.bounds = parts.bounds ?? new Map();
    this.before = parts.blocks.map(({ dtype, values }) => encode(dtype, values));
    const blocks = this.before.map(({ byteLength }) => ({ byteLength }));
    const args = [...this.bindings.map((block) => blocks[block]), ...this.scalars];
    verifyKernel(this.kernel);
    verifyRun(
      this.kernel,
      args.filter((arg): arg is Arg => arg !== undefined),
      this.dims,
    );
  }

  /** Each block as the oracle leaves it. */
  get after(): readonly Cells[] {
    this.#after ??= this.#interpret();
    return this.#after;
  }

  #interpret(): readonly Cells[] {
    const cells = this.blocks.map(({ values }) => ({ values: values.slice(), written: new Uint8Array(values.length) }));
    const memory = this.bindings.map((block) => cells[block]).filter((c) => c !== undefined);
    interpret(this.kernel, memory, this.dims, this.scalars);
    return cells;
  }
}
