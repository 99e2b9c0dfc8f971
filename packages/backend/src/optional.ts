/**
 * The optional kernels: fast paths for work that the required kernels can express too.
 *
 * A backend claims a kernel by returning true from `supports`; otherwise the core decomposes it and asks again, so none of these
 * is ever needed for correctness. Epilogues (`outputs`) see the finished value of a point as `accumulator(0)`.
 *
 * In `dims`, sizes come first as each kernel states; then the operands as `kernel.ts` says. *Dense* operands are `indexed`:
 * row-major with the stated axes, `offset` and `length` in `dims`.
 */

import type { DType } from './dtype.ts';
import type { FoldKind, KernelBase, Output } from './kernel.ts';

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
 * Normalisations of rows. Sizes in `dims`: `rows, columns`; all operands are dense.
 *
 * forward: operands x `[rows, columns]`, then weight and bias `[columns]` for layerNorm, weight for rmsNorm; then y (`[rows]` for logSumExp).
 * backward: softmax and logSoftmax take y and the gradient of y; logSumExp x, y `[rows]` and the gradient `[rows]`;
 * layerNorm and rmsNorm x, weight and the gradient. They give the gradient of x; those of weight and bias are reduces.
 * Scalar 0 of the norms is eps, added to the (biased) variance or mean square.
 */
export interface RowwiseKernel extends KernelBase {
  readonly kind: 'rowwise';
  readonly function: 'softmax' | 'logSoftmax' | 'logSumExp' | 'layerNorm' | 'rmsNorm';
  readonly pass: 'forward' | 'backward';
}

/**
 * Scaled dot-product attention without the score matrix. Sizes in `dims`: `B, heads, keyHeads, T, S`; all operands are dense.
 *
 * q `[B, heads, T, headDim]`, k and v `[B, keyHeads, S, headDim]` with heads a multiple of keyHeads; with `mask`, a bool operand
 * `[B, T, S]`, true where attention is allowed. forward gives y like q and the row log-sum-exp `[B, heads, T]`.
 * backward takes q, k, v, (mask,) y, that log-sum-exp and the gradient of y, and gives the gradients of q, k and v.
 * `causal` allows key s for query t when `s <= t`. A row with nothing allowed gives 0. Scalar 0 is the scale.
 */
export interface AttentionKernel extends KernelBase {
  readonly kind: 'attention';
  readonly pass: 'forward' | 'backward';
  readonly headDim: number;
  readonly causal: boolean;
  readonly mask: boolean;
}

/**
 * One pass of an optimizer over a flat arena. Size in `dims`: `n`; all operands are dense.
 *
 * Operands: parameters (readWrite), gradients, then the state (readWrite). Scalars, in this order:
 * | algorithm | state | scalars |
 * |---|---|---|
 * | sgd | momentum buffer, if `momentum` | lr, weightDecay, momentum, dampening, first step (bool) |
 * | adam, adamw | first and second moment | lr, weightDecay, beta1, beta2, eps, 1 - beta1^t, 1 - beta2^t |
 */
export interface OptimizerStepKernel extends KernelBase {
  readonly kind: 'optimizerStep';
  readonly algorithm: 'sgd' | 'adam' | 'adamw';
  readonly momentum: boolean;
  readonly nesterov: boolean;
}

/**
 * Matrix product of quantized operands with int32 accumulation. Sizes in `dims`: `M, N, K`; operands 0 and 1 are dense.
 *
 * a is `[M, K]` (int8 or uint8), b `[N, K]` (int8, or int4 packed two a byte, low half first). `aBits: 7` promises values in 0..127.
 * With `group`, b has a scale for each `group` values along K: operand 2, `[N, K / group]`, and the accumulator is a float32 sum of
 * scaled group sums; without, the accumulator is the int32 sum and scales belong to the epilogue.
 */
export interface QuantizedContractKernel extends KernelBase {
  readonly kind: 'quantizedContract';
  readonly aBits: 8 | 7;
  readonly bBits: 8 | 4;
  readonly group: number | null;
  readonly outputs: readonly Output[];
}

/** Running fold along the last axis. Sizes in `dims`: `rows, columns`; operand 0 is x, 1 the result of the same dtype; all dense. */
export interface ScanKernel extends KernelBase {
  readonly kind: 'scan';
  readonly fold: FoldKind;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** Stable sort of rows, NaN last. Sizes in `dims`: `rows, columns`; operands x, sorted values, int32 indices; all dense. */
export interface SortKernel extends KernelBase {
  readonly kind: 'sort';
  readonly descending: boolean;
}

/** The int32 index of each row's first extreme (first NaN, if there is one). Sizes in `dims`: `rows, columns`; operands x, indices `[rows]`; all dense. */
export interface ArgReduceKernel extends KernelBase {
  readonly kind: 'argReduce';
  readonly fold: 'min' | 'max';
}

/** Discrete Fourier transform of rows of interleaved complex numbers, unscaled. Sizes in `dims`: `rows, length`; operands x, result; all dense. */
export interface FftKernel extends KernelBase {
  readonly kind: 'fft';
  readonly inverse: boolean;
}

/** A plug-in's own kernel: `id` names it, `sources` holds its text for the backends that know it. `dims` is whatever its author says. */
export interface CustomKernel extends KernelBase {
  readonly kind: 'custom';
  readonly id: string;
  readonly sources: Readonly<Record<string, string>>;
}
