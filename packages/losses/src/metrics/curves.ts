/**
 * Areas under curves of binary scores, exact: all scores are kept, 16 bytes an example. Equal scores are one point, as in scikit-learn.
 *
 * Labels are 1 for positives and 0 for negatives, shaped like the scores; the larger a score, the surer of a positive.
 */

import { ArgumentError, IndexError, requireOptions, toDType } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireSameShape } from '../arguments.ts';
import { CollectedMetric } from './streaming.ts';

/** How many are positive and negative from here up, at each score, the largest first. */
interface Point {
  readonly positives: number;
  readonly negatives: number;
}

abstract class Curve extends CollectedMetric<number> {
  readonly #op: string;

  constructor(op: string) {
    super(op);
    this.#op = op;
  }

  /** @throws ShapeError; and when it is computed: IndexError for a label that is neither 0 nor 1, ArgumentError for a score that is NaN */
  update(scores: Tensor, labels: Tensor): void {
    const op = this.#op;
    requireSameShape(op, scores, labels, 'scores and labels', 'labels');
    this.count(
      () => [toDType(scores, scores.dtype === 'float64' ? 'float64' : 'float32'), toDType(labels, 'float32')],
      (values, truths) => {
        const pairs: number[] = [];
        for (let i = 0; i < values.length; i++) {
          const [value = NaN, truth = NaN] = [values[i], truths[i]];
          if (truth !== 0 && truth !== 1) throw new IndexError({ op, expected: 'labels of 0 and 1', got: String(truth) });
          if (Number.isNaN(value)) throw new ArgumentError({ op, expected: 'scores that are numbers', got: 'NaN' });
          pairs.push(value, truth);
        }
        return pairs;
      },
    );
  }

  protected override result(numbers: readonly number[]): number {
    const pairs = Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i] ?? NaN, numbers[2 * i + 1] ?? NaN] as const);
    pairs.sort(([a], [b]) => b - a || (a === b ? 0 : NaN));
    const points: Point[] = [];
    let [positives, negatives] = [0, 0];
    pairs.forEach(([score, truth], i) => {
      positives += truth;
      negatives += 1 - truth;
      if (pairs[i + 1]?.[0] !== score) points.push({ positives, negatives });
    });
    return this.area(points, { positives, negatives });
  }

  protected abstract area(points: readonly Point[], all: Point): number;
}

/** The area under the receiver's operating curve: the probability that a positive scores above a negative, ties counting half. NaN without both. */
export class RocAuc extends Curve {
  constructor() {
    super('RocAuc');
  }

  protected override area(points: readonly Point[], all: Point): number {
    let area = 0;
    let before: Point = { positives: 0, negatives: 0 };
    for (const point of points) {
      area += ((point.negatives - before.negatives) * (point.positives + before.positives)) / 2;
      before = point;
    }
    return area / (all.positives * all.negatives);
  }
}

/** Options of {@link PrAuc}. */
export interface PrAucOptions {
  /** Steps (default), which is average precision, or straight lines between points, which is too hopeful (Davis and Goadrich, 2006). */
  readonly interpolation?: 'step' | 'linear';
}

/** The area under the curve of precision over recall. NaN without positives. */
export class PrAuc extends Curve {
  readonly #linear: boolean;

  /** @throws ArgumentError */
  constructor(options: PrAucOptions = {}) {
    requireOptions('PrAuc', options, "{ interpolation: 'linear' }");
    const { interpolation = 'step' } = options;
    if (interpolation !== 'step' && interpolation !== 'linear')
      throw new ArgumentError({ op: 'PrAuc', expected: "interpolation 'step' or 'linear'", got: String(interpolation) });
    super('PrAuc');
    this.#linear = interpolation === 'linear';
  }

  protected override area(points: readonly Point[], all: Point): number {
    let area = 0;
    let before = { positives: 0, precision: 1 };
    for (const { positives, negatives } of points) {
      const precision = positives / (positives + negatives);
      area += (positives - before.positives) * (this.#linear ? (precision + before.precision) / 2 : precision);
      before = { positives, precision };
    }
    return area / all.positives;
  }
}
