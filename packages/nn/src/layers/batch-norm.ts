/** Batch normalisation. Ioffe and Szegedy, "Batch Normalization", 2015; semantics of PyTorch. */

import {
  Parameter,
  ShapeError,
  add,
  assign,
  detach,
  div,
  mean,
  mul,
  noGrad,
  ones,
  requireOptions,
  reshape,
  sqrt,
  square,
  sub,
  tensor,
  zeros,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
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
    const perChannel = shape.map((size, axis) => (axis === 1 ? size : 1));
    const wide = (t: Tensor): Tensor => reshape(t, perChannel);
    const { runningMean, runningVar } = this;
    const fixed = !this.training && runningMean !== null && runningVar !== null;
    const { center, variance } = fixed ? { center: wide(runningMean), variance: wide(runningVar) } : this.#statistics(x);
    const normal = div(sub(x, center), sqrt(add(variance, this.eps)));
    return this.weight === null || this.bias === null ? normal : add(mul(normal, wide(this.weight)), wide(this.bias));
  }

  /** Mean and biased variance of the batch; in training they go into the running statistics, the variance unbiased. */
  #statistics(x: Tensor): { center: Tensor; variance: Tensor } {
    const axis = [...x.shape.keys()].filter((a) => a !== 1);
    const count = x.size / this.numFeatures;
    if (this.training && count <= 1) {
      throw new ShapeError({
        op: this.constructor.name,
        expected: 'more than one value for each channel in training',
        got: `[${x.shape.join(', ')}]`,
        fix: 'use a larger batch, or eval().',
      });
    }
    const center = mean(x, { axis, keepDims: true });
    const variance = mean(square(sub(x, center)), { axis, keepDims: true });
    if (this.training) this.#track(center, mul(detach(variance), count / (count - 1)));
    return { center, variance };
  }

  #track(center: Tensor, unbiased: Tensor): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (runningMean === null || runningVar === null || numBatchesTracked === null) return;
    noGrad(() => {
      const count = numBatchesTracked.add(1);
      const weight = this.momentum ?? div(1, count);
      const rest = typeof weight === 'number' ? 1 - weight : sub(1, weight);
      const blend = (old: Tensor, fresh: Tensor): Tensor => add(mul(old, rest), mul(reshape(detach(fresh), [this.numFeatures]), weight));
      const [average, spread] = [blend(runningMean, center), blend(runningVar, unbiased)];
      // All that can fail has been done.
      assign(numBatchesTracked, count);
      assign(runningMean, average);
      assign(runningVar, spread);
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
