/**
 * The optional kernels: fast paths for work that the required kernels can express too.
 *
 * A backend claims a kernel by returning true from `supports`; otherwise the core decomposes it and asks again, so none of these
 * is ever needed for correctness. Epilogues (`outputs`) see the finished value of a point as `accumulator(0)`.
 *
 * In `dims`, sizes come first as each kernel states; then the operands as `kernel.ts` says. *Dense* operands are `indexed`, of space `full`:
 * row-major with the stated axes; `dims` has their `offset` and their `length`, which is the product of those axes. `dense.ts` has all of
 * them as a table, with dtypes and access.
 *
 * Here are products and windows, and the kernel of a plug-in's own; `rows.ts`, `attention.ts` and `optimizer-step.ts` have the others.
 */

import type { DType } from './dtype.ts';
import type { KernelBase, Output } from './kernel.ts';

/**
 * Matrix product: `accumulator(0) = Σ_k a · b` over the index space `[...batch, m, n, k]`.
 *
 * Operands 0 (a, stride 0 along n) and 1 (b, stride 0 along m) have the full space, so any transpose and any broadcast of batches is
 * a matter of strides; all others have the kept space `[...batch, m, n]`. `dims` is that of the reduce
 * `sum(load(0) * load(1))` with `folded: 1`, which is also its decomposition.
 */
export interface ContractKernel extends KernelBase {
  readonly kind: 'contract';
  /** Axes of the index space: batch axes + 3. */
  readonly rank: number;
  /** Dtype of the products and of the accumulator as the epilogue sees it. */
  readonly accumulate: DType;
  readonly outputs: readonly Output[];
}

/** Filter geometry; every array has one entry a spatial axis. */
export interface Window {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Zeros (or, for max pooling, nothing) before the first element. Padding at the end follows from the output size. */
  readonly padding: readonly number[];
}

/**
 * Convolution (cross-correlation) with 1 to 3 spatial axes.
 *
 * x is `[N, C, ...input]`, filter `[O, C/groups, ...size]`, y `[N, O, ...output]`. Sizes in `dims`: `N, C, O, ...input, ...output`.
 * | pass | operand 0 | operand 1 | kept space (the result) |
 * |---|---|---|---|
 * | forward | x | filter | y |
 * | inputGradient | gradient of y | filter | x |
 * | filterGradient | x | gradient of y | filter |
 *
 * Operands 0 and 1 are dense; the others have the kept space.
 */
export interface ConvolutionKernel extends KernelBase {
  readonly kind: 'convolution';
  readonly pass: 'forward' | 'inputGradient' | 'filterGradient';
  readonly window: Window;
  readonly groups: number;
  readonly accumulate: DType;
  readonly outputs: readonly Output[];
}

/**
 * Pooling over 1 to 3 spatial axes. Sizes in `dims`: `N, C, ...input, ...output`. Cells outside the input never win a maximum.
 *
 * The first NaN of a window wins its maximum, else the first largest element.
 * | mode, pass | operand 0 | operand 1 | result |
 * |---|---|---|---|
 * | max, forward | x | values, shaped like x | y: the value at the place of x's maximum (pass x twice for plain max pooling) |
 * | max, backward | x | gradient of y | shaped like x: each gradient added where its window's maximum is |
 * | average, forward | x | – | y: the sum of the window times `1 / divisor` |
 * | average, backward | gradient of y | – | shaped like x |
 *
 * `divisor` is the window's size when `countPadding`, else the number of its cells inside the input.
 * Operands 0 and 1 are dense; the others have the kept space, which is the result's.
 */
export interface PoolKernel extends KernelBase {
  readonly kind: 'pool';
  readonly mode: 'max' | 'average';
  readonly pass: 'forward' | 'backward';
  readonly window: Window;
  readonly countPadding: boolean;
  readonly outputs: readonly Output[];
}

/**
 * Matrix product of quantized operands: `Σ_k a[m, k] · b[n, k]`. Sizes in `dims`: `M, N, K`; the first two or three operands are dense, the
 * others have the kept space `[M, N]`.
 *
 * | operand | shape | dtype |
 * |---|---|---|
 * | 0: a | `[M, K]` | int8 or uint8; `aBits: 7` promises values in 0..127, whichever it is |
 * | 1: b, 8 bits | `[N, K]` | int8 |
 * | 1: b, 4 bits | `[N, ceil(K / 2)]` | uint8: two values of -8..7 (two's complement) a byte, the low half first; every row begins with a byte, and where K is odd its last high half is not looked at |
 * | 2: scales, with `group` | `[N, ceil(K / group)]` | float32 |
 *
 * Without `group`, `accumulator(0)` is the int32 sum, modulo 2³²; scales, zero points and biases belong to the epilogue.
 * With it, every `group` values along K (the last group may have fewer; for 4 bits `group` is even) have a scale, and `accumulator(0)` is float32:
 * beginning with 0, for each group in ascending order, `accumulator + float32(int32 sum of the group) · scale`, where the product and the sum
 * round to float32 or stay wider. Where K is 0, accumulators are 0.
 */
export interface QuantizedContractKernel extends KernelBase {
  readonly kind: 'quantizedContract';
  readonly aBits: 8 | 7;
  readonly bBits: 8 | 4;
  readonly group: number | null;
  readonly outputs: readonly Output[];
}

/** A plug-in's own kernel: `id` names it, `sources` holds its text for the backends that know it. `dims` is whatever its author says. */
export interface CustomKernel extends KernelBase {
  readonly kind: 'custom';
  readonly id: string;
  readonly sources: Readonly<Record<string, string>>;
}
