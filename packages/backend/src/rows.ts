/**
 * Optional kernels that treat each row of a matrix alone: normalisations, running folds, sorting, places of extremes, Fourier transforms.
 *
 * Sizes in `dims`: `rows, columns`. All operands are dense, see `optional.ts`, and all are in one dtype but where it says otherwise.
 * With no rows nothing is read or written.
 */

import type { FoldKind, KernelBase } from './kernel.ts';

/**
 * Normalisations of rows, and their gradients with respect to x. Dtype: any float.
 *
 * Below, x is a row, C the number of columns, m the largest of x, w the weight, b the bias, g the gradient of y.
 * | function | forward: operands | y |
 * |---|---|---|
 * | softmax | x, y | `exp(x - m) / Σ exp(x - m)` |
 * | logSoftmax | x, y | `x - m - log Σ exp(x - m)` |
 * | logSumExp | x, y `[rows]` | `m + log Σ exp(x - m)`; where m is infinite, `m` |
 * | layerNorm | x, w `[columns]`, b `[columns]`, y | `(x - μ) · r · w + b` with `μ = Σ x / C`, `r = 1 / sqrt(Σ (x - μ)² / C + eps)` |
 * | rmsNorm | x, w `[columns]`, y | `x · r · w` with `r = 1 / sqrt(Σ x² / C + eps)` |
 *
 * | function | backward: operands | gradient of x |
 * |---|---|---|
 * | softmax | y, g, result | `y · (g - Σ g · y)` |
 * | logSoftmax | y, g, result | `g - exp(y) · Σ g` |
 * | logSumExp | x, y `[rows]`, g `[rows]`, result | `g · exp(x - y)` |
 * | layerNorm | x, w, g, result | `r · (h - Σ h / C - n · Σ h · n / C)` with `h = g · w`, `n = (x - μ) · r` |
 * | rmsNorm | x, w, g, result | `r · (h - n · Σ h · n / C)` with `h = g · w`, `n = x · r` |
 *
 * Gradients of weight and bias are reduces. Scalar 0 of the norms, and of nothing else, is eps: float64 for float64, else float32.
 *
 * Arithmetic is in float32 at least (float64 for float64), sums as accurate as those of a reduce; what is stored is rounded once.
 * Variances are taken in two passes, or as accurately. Special values go the way of the formulas: a NaN makes its row NaN; so does an
 * Infinity in softmax and logSoftmax, where a row of -Infinity alone is NaN as well (as in PyTorch). A logSumExp of no columns is -Infinity.
 */
export interface RowwiseKernel extends KernelBase {
  readonly kind: 'rowwise';
  readonly function: 'softmax' | 'logSoftmax' | 'logSumExp' | 'layerNorm' | 'rmsNorm';
  readonly pass: 'forward' | 'backward';
}

/**
 * Running fold along each row. Operands: x, result. Dtype: any but bool.
 *
 * `result[i]` is the fold of `x[0..i]`; with `exclusive`, of `x[0..i)`, so that it begins with the identity; with `reverse`, of `x[i..]` or
 * `x(i..]`. Folds are those of a reduce: integers wrap, NaN wins a minimum or maximum from its place on, -0 is below 0, and every float sum or
 * product is at least as accurate as sequential accumulation in blocks of 4096. It is rounded where it is stored, not on the way.
 */
export interface ScanKernel extends KernelBase {
  readonly kind: 'scan';
  readonly fold: FoldKind;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/**
 * Stable sort of each row. Operands: x, sorted values, and int32 places in the row that they come from. Dtype of the first two: any.
 *
 * NaN counts as greater than everything: last when ascending, first when `descending`. Equal elements, -0 and 0 among them and NaN among each
 * other, stay in the order that they had, descending too. Values are moved, not computed: -0 stays -0.
 */
export interface SortKernel extends KernelBase {
  readonly kind: 'sort';
  readonly descending: boolean;
}

/**
 * The place of each row's first extreme. Operands: x of any dtype, int32 places `[rows]`.
 *
 * The first NaN of a row wins, else the first of its largest (or smallest) elements; -0 and 0 are equal. A row has at least one element:
 * `columns` is 0 only when `rows` is.
 */
export interface ArgReduceKernel extends KernelBase {
  readonly kind: 'argReduce';
  readonly fold: 'min' | 'max';
}

/** Discrete Fourier transform of rows of interleaved complex numbers, unscaled. Sizes in `dims`: `rows, length`; operands x, result; all dense. */
export interface FftKernel extends KernelBase {
  readonly kind: 'fft';
  readonly inverse: boolean;
}
