/** Streaming metrics of numbers against numbers: errors, and how much of the variance is explained. */

import { toDType } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireSameShape } from '../arguments.ts';
import { StreamingMetric } from './streaming.ts';
import type { Numbers } from './streaming.ts';

/** What {@link RegressionErrors} computes. */
export interface RegressionResult {
  /** The mean of |prediction - target|. */
  readonly mae: number;
  /** The mean of its square, and the root of that. */
  readonly mse: number;
  readonly rmse: number;
  /** `1 - Σ (prediction - target)² / Σ (target - mean)²`; of constant targets 1 where all is right, else 0, as scikit-learn has it. */
  readonly r2: number;
  readonly count: number;
}

/** Mean absolute and squared error, its root, and R², of all elements alike. NaN of none. */
export class RegressionErrors extends StreamingMetric<RegressionResult> {
  constructor() {
    super('RegressionErrors');
  }

  /** @throws ShapeError */
  update(prediction: Tensor, target: Tensor): void {
    requireSameShape('RegressionErrors', prediction, target);
    const wide = (x: Tensor): Tensor => toDType(x, x.dtype === 'float64' ? 'float64' : 'float32');
    this.count(
      () => [wide(prediction), wide(target)],
      (guesses, truths) => {
        // Count, Σ|e|, Σe², and the targets' mean and Σ (t - mean)², as Welford has it: a large mean costs no digits.
        let [count, absolute, squared, mean, spread] = [0, 0, 0, 0, 0];
        for (let i = 0; i < truths.length; i++) {
          const truth = truths[i] ?? NaN;
          const error = (guesses[i] ?? NaN) - truth;
          count++;
          absolute += Math.abs(error);
          squared += error ** 2;
          const off = truth - mean;
          mean += off / count;
          spread += off * (truth - mean);
        }
        return [count, absolute, squared, mean, spread];
      },
    );
  }

  /** Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979. */
  protected override combine(into: number[], more: Numbers): void {
    const [n = 0, absolute = 0, squared = 0, mean = 0, spread = 0] = into;
    const [m = 0, moreAbsolute = 0, moreSquared = 0, otherMean = 0, otherSpread = 0] = Array.from(more);
    if (m === 0) return;
    const off = otherMean - mean;
    const both = n + m;
    const merged = [both, absolute + moreAbsolute, squared + moreSquared, mean + (off * m) / both, spread + otherSpread + (off ** 2 * n * m) / both];
    into.splice(0, into.length, ...merged);
  }

  protected override result([count = 0, absolute = 0, squared = 0, , spread = 0]: readonly number[]): RegressionResult {
    const constant = squared === 0 ? 1 : 0;
    const r2 = count === 0 ? NaN : spread === 0 ? constant : 1 - squared / spread;
    return { mae: absolute / count, mse: squared / count, rmse: Math.sqrt(squared / count), r2, count };
  }
}
