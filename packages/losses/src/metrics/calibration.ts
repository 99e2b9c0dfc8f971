/**
 * Streaming metrics of probabilities: calibration, negative log likelihood, Brier score.
 *
 * Probabilities are `[N, C]`, or `[N, C, d…]` with classes at axis 1; labels are class indices, shaped like them without the class axis.
 */

import { IndexError, argmax, equal, log, max, neg, requireOptions, square, sub, sum, toDType, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { isLabel, requireLabels } from './labels.ts';
import { CollectedMetric, SummedMetric, requireWhole, totalOf } from './streaming.ts';
import type { Numbers } from './streaming.ts';

/** Options of both calibration errors. */
export interface BinOptions {
  /** Default 15. */
  readonly bins?: number;
}

const wide = (x: Tensor): Tensor => (x.dtype === 'float64' ? x : toDType(x, 'float32'));

/** How sure each prediction was, and 1 where it was right, 0 where not. */
const confidences = (probabilities: Tensor, labels: Tensor): readonly Tensor[] => {
  const p = wide(probabilities);
  return [max(p, { axis: 1 }), toDType(equal(argmax(p, { axis: 1 }), labels), 'float32')];
};

/** @throws ArgumentError */
function binsOf(op: string, options: BinOptions): number {
  requireOptions(op, options, '{ bins: 10 }');
  requireWhole(op, 'bins', options.bins ?? 15, 1);
  return options.bins ?? 15;
}

/**
 * The expected calibration error: `Σ n_b/n |accuracy - confidence|` over bins `(i/bins, (i+1)/bins]` of one width. Guo and others, 2017. NaN of
 * no examples.
 */
export class CalibrationError extends SummedMetric<number> {
  readonly #bins: number;

  /** @throws ArgumentError */
  constructor(options: BinOptions = {}) {
    const bins = binsOf('CalibrationError', options);
    super(`CalibrationError(bins: ${bins})`);
    this.#bins = bins;
  }

  /** @throws ShapeError */
  update(probabilities: Tensor, labels: Tensor): void {
    requireLabels('CalibrationError', 'probabilities', probabilities, labels);
    this.count(
      () => confidences(probabilities, labels),
      (confidence, right) => {
        // For each bin: how many, how sure altogether, how many right.
        const sums = Array.from({ length: 3 * this.#bins }, () => 0);
        for (let i = 0; i < confidence.length; i++) {
          const sure = confidence[i] ?? NaN;
          const bin = Math.min(this.#bins - 1, Math.max(0, Math.ceil(sure * this.#bins) - 1));
          [1, sure, right[i] ?? 0].forEach((value, k) => (sums[3 * bin + k] = (sums[3 * bin + k] ?? 0) + value));
        }
        return sums;
      },
    );
  }

  protected override result(numbers: readonly number[]): number {
    const bins = Array.from({ length: this.#bins }, (_, b) => [0, 1, 2].map((k) => numbers[3 * b + k] ?? 0));
    const gaps = bins.map(([, sure = 0, right = 0]) => Math.abs(right - sure));
    return totalOf(gaps) / totalOf(bins.map(([count = 0]) => count));
  }
}

/**
 * The same over bins of equal numbers of examples, in the order of confidence: the first `n mod bins` have one more. All confidences are kept.
 * Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural language processing models", 2015.
 */
export class AdaptiveCalibrationError extends CollectedMetric<number> {
  readonly #bins: number;

  /** @throws ArgumentError */
  constructor(options: BinOptions = {}) {
    const bins = binsOf('AdaptiveCalibrationError', options);
    super(`AdaptiveCalibrationError(bins: ${bins})`);
    this.#bins = bins;
  }

  /** @throws ShapeError */
  update(probabilities: Tensor, labels: Tensor): void {
    requireLabels('AdaptiveCalibrationError', 'probabilities', probabilities, labels);
    this.count(
      () => confidences(probabilities, labels),
      (confidence, right) => Array.from(confidence).flatMap((sure, i) => [sure, right[i] ?? 0]),
    );
  }

  protected override result(numbers: readonly number[]): number {
    const count = numbers.length / 2;
    const pairs = Array.from({ length: count }, (_, i) => [numbers[2 * i] ?? NaN, numbers[2 * i + 1] ?? 0] as const);
    // Equal confidences by being right, so that the order of examples changes nothing.
    pairs.sort(([a, x], [b, y]) => a - b || x - y);
    const [size, longer] = [Math.floor(count / this.#bins), count % this.#bins];
    let [total, from] = [0, 0];
    for (let b = 0; b < this.#bins; b++) {
      const to = from + size + (b < longer ? 1 : 0);
      total += Math.abs(totalOf(pairs.slice(from, to).map(([sure, right]) => right - sure)));
      from = to;
    }
    return total / count;
  }
}

/** The mean over examples of a score of each. */
abstract class MeanScore extends SummedMetric<number> {
  readonly #op: string;

  constructor(op: string) {
    super(op);
    this.#op = op;
  }

  /** @throws ShapeError, DTypeError; IndexError for labels out of range: at once where they can be looked at, else when it is computed */
  update(probabilities: Tensor, labels: Tensor): void {
    const op = this.#op;
    requireLabels(op, 'probabilities', probabilities, labels);
    const classes = probabilities.shape[1] ?? 0;
    this.count(
      () => {
        const p = wide(probabilities);
        return [this.each(p, isLabel(op, p, labels)), toDType(labels, 'int32')];
      },
      (each: Numbers, truths: Numbers) => {
        for (let i = 0; i < truths.length; i++) {
          const truth = truths[i] ?? -1;
          if (truth < 0 || truth >= classes) throw new IndexError({ op, expected: `labels from 0 to ${classes - 1}`, got: String(truth) });
        }
        return [totalOf(each), each.length];
      },
    );
  }

  protected override result([total = 0, count = 0]: readonly number[]): number {
    return total / count;
  }

  protected abstract each(p: Tensor, isTruth: Tensor): Tensor;
}

/** The mean of -log p at the labels; infinite where one was held impossible. */
export class NegativeLogLikelihood extends MeanScore {
  constructor() {
    super('NegativeLogLikelihood');
  }

  protected override each(p: Tensor, isTruth: Tensor): Tensor {
    return neg(log(sum(where(isTruth, p, 0), { axis: 1 })));
  }
}

/** The mean of Σ (p - y)² over the classes, from 0 to 2; Brier's paper divides by nothing either. */
export class BrierScore extends MeanScore {
  constructor() {
    super('BrierScore');
  }

  protected override each(p: Tensor, isTruth: Tensor): Tensor {
    return sum(square(sub(p, toDType(isTruth, p.dtype))), { axis: 1 });
  }
}
