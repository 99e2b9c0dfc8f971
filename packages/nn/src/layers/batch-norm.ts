/** Batch normalisation. Ioffe and Szegedy, "Batch Normalization", 2015; semantics of PyTorch. */

import {
  Parameter,
  ShapeError,
  add,
  assign,
  batchNorm,
  batchStatistics,
  detach,
  div,
  mul,
  noGrad,
  ones,
  requireOptions,
  sub,
  tensor,
  toDType,
  zeros,
} from '@gradus/tensor';
import type { BatchStatistics, Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';
import type { Buffer } from '../module.ts';
import { requireDTypeOf, requireSizes } from './input.ts';

/** Options of batch norms. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Weight of the new batch in the running statistics; null averages over all batches. Default 0.1. */
  readonly momentum?: number | null;
  /** Learn a scale and a shift for each channel. Default true. */
  readonly affine?: boolean;
  /** Keep running statistics for evaluation. Default true. */
  readonly trackRunningStats?: boolean;
}

/** What the batch norms of all ranks share: x is `[N, C, ...]`, statistics are over all axes but the channels. */
abstract class BatchNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Buffer | null;
  readonly runningVar: Buffer | null;
  readonly numBatchesTracked: Buffer | null;
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;

  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super();
    requireSizes(new.target.name, { numFeatures }, 0);
    requireOptions(new.target.name, options, '{ momentum: 0.01 }');
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? this.buffer(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? this.buffer(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? this.buffer(tensor(0, { dtype: 'int32' })) : null;
  }

  /** Ranks that x may have. */
  protected abstract readonly ranks: readonly number[];

  /**
   * @throws ShapeError for another rank or number of channels, or in training when a channel has only one value; DTypeError for another
   * dtype than that of its own tensors
   */
  forward(x: Tensor): Tensor {
    const { shape } = x;
    if (!this.ranks.includes(shape.length) || shape[1] !== this.numFeatures) {
      throw new ShapeError({
        op: this.constructor.name,
        expected: `x of rank ${this.ranks.join(' or ')} with ${this.numFeatures} channels`,
        got: `[${shape.join(', ')}]`,
      });
    }
    const own = this.weight ?? this.runningMean;
    if (own !== null) requireDTypeOf(this.constructor.name, x, own);
    const { runningMean, runningVar, weight, bias, eps } = this;
    const fixed = !this.training && runningMean !== null && runningVar !== null;
    const { mean, variance } = fixed ? { mean: runningMean, variance: runningVar } : this.#statistics(x);
    return batchNorm(x, mean, variance, { weight, bias, eps });
  }

  /** Mean and biased variance of the batch; in training they go into the running statistics, the variance unbiased. */
  #statistics(x: Tensor): BatchStatistics {
    const count = x.size / this.numFeatures;
    if (this.training && count <= 1) {
      throw new ShapeError({
        op: this.constructor.name,
        expected: 'more than one value for each channel in training',
        got: `[${x.shape.join(', ')}]`,
        fix: 'use a larger batch, or eval().',
      });
    }
    const statistics = batchStatistics(x);
    if (this.training) this.#track(statistics.mean, mul(detach(statistics.variance), count / (count - 1)));
    return statistics;
  }

  #track(center: Tensor, unbiased: Tensor): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (runningMean === null || runningVar === null || numBatchesTracked === null) return;
    noGrad(() => {
      const count = numBatchesTracked.add(1);
      const weight = this.momentum ?? div(1, count);
      const rest = typeof weight === 'number' ? 1 - weight : sub(1, weight);
      const blend = (old: Tensor, fresh: Tensor): Tensor => toDType(add(mul(old, rest), mul(detach(fresh), weight)), old.dtype);
      const [average, spread] = [blend(runningMean, center), blend(runningVar, unbiased)];
      // All that can fail has been done.
      assign(numBatchesTracked, count);
      assign(runningMean, average);
      assign(runningVar, spread);
      // Single numbers outlive their scopes, and this one is nobody's.
      count.dispose();
    });
  }

  protected override describe(): string {
    return String(this.numFeatures);
  }
}

/** Batch norm of vectors or sequences: x `[N, C]` or `[N, C, L]`. */
export class BatchNorm1d extends BatchNorm {
  protected readonly ranks: readonly number[] = [2, 3];
}

/** Batch norm of images: x `[N, C, H, W]`. */
export class BatchNorm2d extends BatchNorm {
  protected readonly ranks: readonly number[] = [4];
}
