/**
 * Kernels: the work a backend does, as data.
 *
 * Words used here:
 * - **index space**: the grid of points a kernel visits. Its axes are *kept* or, in a reduce, *folded*; kept axes come first.
 * - **operand**: one block argument, seen through strides (`contiguous`, `broadcast`, `strided`) or as a flat list of elements
 *   that expressions address by position (`indexed`).
 * - **structure**: everything in a kernel object. Two kernels of equal {@link kernelKey} may share code.
 * - **dims**: an `Int32Array` with what changes from run to run: sizes, offsets, strides and lengths, in elements.
 *
 * Layout of `dims` for `map`, `reduce`, `scatter` and `contract`: the size of every axis of the index space; then for each operand
 * its `offset` followed by one stride for each axis of its space (strided operands), or by its `length` (indexed operands).
 * The other optional kernels state their own sizes; their operands follow in the same way.
 *
 * Rules, which {@link verifyKernel} and {@link verifyRun} check:
 * - Distinct points write distinct elements: a written operand is never broadcast.
 * - A written range overlaps no other operand's range, except that a `readWrite` operand reads its own element before writing it.
 * - Index spaces may be empty; then nothing is read or written, except that an empty fold gives its identity.
 */

import type { AttentionKernel } from './attention.ts';
import type { DType } from './dtype.ts';
import type { Expression } from './expression.ts';
import type { ContractKernel, ConvolutionKernel, CustomKernel, PoolKernel, QuantizedContractKernel } from './optional.ts';
import type { OptimizerStepKernel } from './optimizer-step.ts';
import type { ArgReduceKernel, FftKernel, RowwiseKernel, ScanKernel, SortKernel } from './rows.ts';

/** Most axes an index space can have. */
export const MAX_RANK = 12;

/**
 * How an operand's elements lie over its space.
 * - `contiguous`: row-major and dense; the strides in `dims` say so too.
 * - `{ broadcast }`: stride 0 along the marked axes, row-major and dense over the others.
 * - `strided`: any strides, negative and 0 included (0 only when read).
 * - `indexed`: no strides; addressed by position in `[0, length)` after the offset.
 */
export type Layout = 'contiguous' | 'strided' | 'indexed' | BroadcastLayout;

/** Stride 0 along every axis marked true; dense and row-major over the rest. */
export interface BroadcastLayout {
  readonly broadcast: readonly boolean[];
}

/** One block argument of a kernel. */
export interface Operand {
  readonly dtype: DType;
  readonly access: 'read' | 'write' | 'readWrite';
  readonly layout: Layout;
  /** The axes that its strides run over: all of the index space, or only the kept axes (outputs and epilogue operands of folding kernels). */
  readonly space: 'full' | 'kept';
}

/** A value stored to a written operand at every kept point. */
export interface Output {
  readonly operand: number;
  readonly value: Expression;
}

/** What all kernels have. Blocks are passed in the order of `operands`, then numbers in the order of `scalars`. */
export interface KernelBase {
  readonly operands: readonly Operand[];
  /** The dtypes of the scalar arguments. */
  readonly scalars: readonly DType[];
}

/** For each point, evaluate the outputs' expressions and store them. All loads of a point happen before its stores. */
export interface MapKernel extends KernelBase {
  readonly kind: 'map';
  readonly rank: number;
  readonly outputs: readonly Output[];
}

/** How values are folded. The identities are 0, 1, the dtype's largest value (Inf for floats) and its smallest (-Inf). */
export type FoldKind = 'sum' | 'prod' | 'min' | 'max';

/** One fold of a reduce: `value` over the folded axes. The accumulator has the value's dtype. */
export interface Fold {
  readonly fold: FoldKind;
  readonly value: Expression;
}

/**
 * For each point of the first `rank - folded` axes, fold over the last `folded` axes in row-major order, then evaluate the epilogue.
 *
 * Float sums and products must be at least as accurate as sequential accumulation in blocks of 4096; cpu accumulates in float64.
 * They may be reassociated at fixed block sizes, never by thread count. `min` and `max` fold as the opcodes do: NaN wins, -0 is below 0.
 * Each accumulator is rounded to its dtype before the epilogue sees it.
 */
export interface ReduceKernel extends KernelBase {
  readonly kind: 'reduce';
  readonly rank: number;
  readonly folded: number;
  readonly folds: readonly Fold[];
  /** The epilogue: expressions over accumulators and operands of space `kept`. */
  readonly outputs: readonly Output[];
}

/** How a scatter combines what is there with what comes; `add` and `max` as the opcodes do. */
export type ScatterMode = 'set' | 'add' | 'max';

/**
 * For each point, in row-major order, combine `value` into element `position` of the indexed operand `target`.
 * Positions outside `[0, length)` are skipped. Duplicates apply in source order, except when `deterministic` is false.
 */
export interface ScatterKernel extends KernelBase {
  readonly kind: 'scatter';
  readonly rank: number;
  readonly mode: ScatterMode;
  /** The operand written to: indexed, `readWrite`. */
  readonly target: number;
  readonly position: Expression;
  readonly value: Expression;
  readonly deterministic: boolean;
}

/** The three kernels that every backend runs. */
export type RequiredKernel = MapKernel | ReduceKernel | ScatterKernel;

/** The fast paths; a backend claims each through `supports`. */
export type OptionalKernel =
  | ContractKernel
  | ConvolutionKernel
  | PoolKernel
  | RowwiseKernel
  | AttentionKernel
  | OptimizerStepKernel
  | QuantizedContractKernel
  | ScanKernel
  | SortKernel
  | ArgReduceKernel
  | FftKernel
  | CustomKernel;

/** Any kernel. */
export type Kernel = RequiredKernel | OptionalKernel;

/** Is this one of the three kernels that every backend must run? */
export function isRequired(kernel: Kernel): kernel is RequiredKernel {
  return kernel.kind === 'map' || kernel.kind === 'reduce' || kernel.kind === 'scatter';
}
