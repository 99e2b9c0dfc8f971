/**
 * Streaming metrics of classes: accuracy, confusion, precision, recall and F, intersection over union. Meanings are scikit-learn's.
 *
 * Scores are `[N, C]`, or `[N, C, d…]` with classes at axis 1; labels are class indices, shaped like them without the class axis.
 */

import {
  ArgumentError,
  DTypeError,
  IndexError,
  arange,
  argmax,
  equal,
  greater,
  isNaN,
  less,
  logicalAnd,
  logicalOr,
  requireOptions,
  reshape,
  showValue,
  sum,
  toDType,
  unsqueeze,
  where,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireSameShape, requireTensors } from '../arguments.ts';
import { isLabel, requireLabels } from './labels.ts';
import { SummedMetric, requireWhole, totalOf } from './streaming.ts';

/** The share of examples whose label is among the `topK` largest scores; of equal scores the first counts as the larger. NaN of no examples. */
export class Accuracy extends SummedMetric<number> {
  readonly #topK: number;

  /** @param options.topK default 1 @throws ArgumentError */
  constructor(options: { readonly topK?: number } = {}) {
    requireOptions('Accuracy', options, '{ topK: 5 }');
    const { topK = 1 } = options;
    requireWhole('Accuracy', 'topK', topK, 1);
    super(`accuracy(topK: ${topK})`);
    this.#topK = topK;
  }

  /** @throws ShapeError, DTypeError; IndexError for labels out of range, where they can be looked at */
  update(scores: Tensor, labels: Tensor): void {
    requireLabels('Accuracy', 'scores', scores, labels);
    const ranks = (): readonly Tensor[] => {
      const chosen = isLabel('Accuracy', scores, labels);
      const own = sum(where(chosen, scores, 0), { axis: 1, keepDims: true });
      const places = reshape(
        arange(scores.shape[1] ?? 0, { device: scores.device }),
        scores.shape.map((size, i) => (i === 1 ? size : 1)),
      );
      const before = logicalAnd(equal(scores, own), less(places, unsqueeze(toDType(labels, 'int32'), 1)));
      const ahead = sum(toDType(logicalOr(greater(scores, own), before), 'int32'), { axis: 1 });
      // Comparisons with NaN are false: it would be ahead of all.
      const ranked = where(reshape(isNaN(own), labels.shape), scores.shape[1] ?? 0, ahead);
      return [where(equal(sum(toDType(chosen, 'int32'), { axis: 1 }), 1), ranked, -1)];
    };
    this.count(ranks, (read) => {
      let right = 0;
      for (let i = 0; i < read.length; i++) {
        const rank = read[i] ?? -1;
        if (rank < 0) throw new IndexError({ op: 'Accuracy', expected: `labels below ${scores.shape[1] ?? 0}`, got: 'another one' });
        if (rank < this.#topK) right++;
      }
      return [right, read.length];
    });
  }

  protected override result([right = 0, total = 0]: readonly number[]): number {
    return right / total;
  }
}

/** Metrics of how often which class was taken for which. */
abstract class ConfusionCounts<Result> extends SummedMetric<Result> {
  readonly #op: string;
  readonly #classes: number;

  constructor(op: string, settings: string, classes: number) {
    requireWhole(op, 'classes', classes, 1);
    super(`${op}(classes: ${classes}${settings})`);
    this.#op = op;
    this.#classes = classes;
  }

  /**
   * @param predicted scores `[N, C, …]`, whose largest counts, or classes (integers, shaped like the labels)
   * @throws ShapeError, DTypeError
   */
  update(predicted: Tensor, labels: Tensor): void {
    const op = this.#op;
    const classes = this.#classes;
    requireTensors(op, predicted, labels);
    const areClasses = isInteger(predicted);
    if (areClasses) requireSameShape(op, predicted, labels, 'predicted classes and labels', 'labels');
    else requireLabels(op, 'scores', predicted, labels);
    if (!areClasses && predicted.shape[1] !== classes)
      throw new ArgumentError({ op, expected: `scores of ${classes} classes`, got: String(predicted.shape[1]) });
    if (!isInteger(labels)) throw new DTypeError({ op, expected: 'class indices as integers', got: labels.dtype, fix: "labels.toDType('int32')" });
    const chosen = (): readonly Tensor[] => [areClasses ? toDType(predicted, 'int32') : argmax(predicted, { axis: 1 }), toDType(labels, 'int32')];
    this.count(chosen, (guesses, truths) => {
      const counts = Array.from({ length: classes * classes }, () => 0);
      for (let i = 0; i < truths.length; i++) {
        const [guess = -1, truth = -1] = [guesses[i], truths[i]];
        for (const found of [guess, truth])
          if (found < 0 || found >= classes) throw new IndexError({ op, expected: `classes from 0 to ${classes - 1}`, got: String(found) });
        const at = truth * classes + guess;
        counts[at] = (counts[at] ?? 0) + 1;
      }
      return counts;
    });
  }

  protected override result(numbers: readonly number[]): Result {
    const n = this.#classes;
    return this.ofMatrix(Array.from({ length: n }, (_, truth) => Array.from({ length: n }, (__, guess) => numbers[truth * n + guess] ?? 0)));
  }

  protected abstract ofMatrix(matrix: readonly (readonly number[])[]): Result;
}

const isInteger = ({ dtype }: Tensor): boolean => dtype.startsWith('int') || dtype.startsWith('uint');

/** What a class had: right (TP), taken for it (TP + FP), and of it (TP + FN). */
interface ClassCounts {
  readonly right: number;
  readonly predicted: number;
  readonly actual: number;
}

const countsOf = (matrix: readonly (readonly number[])[]): readonly ClassCounts[] =>
  matrix.map((row, i) => ({ right: row[i] ?? 0, predicted: totalOf(matrix.map((other) => other[i] ?? 0)), actual: totalOf(row) }));

/** How often a class (row) was taken for another (column). */
export class ConfusionMatrix extends ConfusionCounts<number[][]> {
  /** @throws ArgumentError */
  constructor(options: { readonly classes: number }) {
    requireOptions('ConfusionMatrix', options, '{ classes: 10 }');
    super('ConfusionMatrix', '', options.classes);
  }

  protected override ofMatrix(matrix: readonly (readonly number[])[]): number[][] {
    return matrix.map((row) => [...row]);
  }
}

/** Options of {@link PrecisionRecall}. */
export interface PrecisionRecallOptions {
  readonly classes: number;
  /** Over all examples at once (`micro`), over classes alike (`macro`, default), or by their numbers of examples (`weighted`). */
  readonly average?: 'micro' | 'macro' | 'weighted';
  /** How many times as much recall counts as precision in F, above 0. Default 1. */
  readonly beta?: number;
}

/** Precision, recall and F of each class and averaged. Shares of nothing are 0, as scikit-learn has it. */
export interface PrecisionRecallResult {
  readonly precision: number;
  readonly recall: number;
  readonly fBeta: number;
  readonly perClass: readonly { readonly precision: number; readonly recall: number; readonly fBeta: number; readonly support: number }[];
}

/** How much of what was taken for a class is of it (precision), how much of a class was found (recall), and their weighted harmonic mean (F). */
export class PrecisionRecall extends ConfusionCounts<PrecisionRecallResult> {
  readonly #average: 'micro' | 'macro' | 'weighted';
  readonly #beta: number;

  /** @throws ArgumentError */
  constructor(options: PrecisionRecallOptions) {
    requireOptions('PrecisionRecall', options, '{ classes: 10 }');
    const { classes, average = 'macro', beta = 1 } = options;
    if (!['micro', 'macro', 'weighted'].includes(average))
      throw new ArgumentError({ op: 'PrecisionRecall', expected: "average 'micro', 'macro' or 'weighted'", got: showValue(average) });
    requireNumber('PrecisionRecall', 'beta', beta, { above: 0 });
    super('PrecisionRecall', '', classes);
    this.#average = average;
    this.#beta = beta;
  }

  protected override ofMatrix(matrix: readonly (readonly number[])[]): PrecisionRecallResult {
    const counts = countsOf(matrix);
    const perClass = counts.map((each) => ({ ...this.#scoresOf(each), support: each.actual }));
    return { ...this.#averaged(counts), perClass };
  }

  #scoresOf({ right, predicted, actual }: ClassCounts): { precision: number; recall: number; fBeta: number } {
    const square = this.#beta ** 2;
    return { precision: share(right, predicted), recall: share(right, actual), fBeta: share((1 + square) * right, square * actual + predicted) };
  }

  #averaged(counts: readonly ClassCounts[]): { precision: number; recall: number; fBeta: number } {
    const total = (of: keyof ClassCounts): number => totalOf(counts.map((each) => each[of]));
    if (this.#average === 'micro') return this.#scoresOf({ right: total('right'), predicted: total('predicted'), actual: total('actual') });
    // As in scikit-learn, a class that neither is nor was predicted counts for nothing among those there are.
    const there = counts.filter(({ predicted, actual }) => predicted + actual > 0);
    const weights = there.map(({ actual }) => (this.#average === 'macro' ? 1 : actual));
    const mean = (of: 'precision' | 'recall' | 'fBeta'): number =>
      share(totalOf(there.map((each, i) => this.#scoresOf(each)[of] * (weights[i] ?? 0))), totalOf(weights));
    return { precision: mean('precision'), recall: mean('recall'), fBeta: mean('fBeta') };
  }
}

/** 0 of nothing. */
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Intersection over union, of each class and the mean of those there are; NaN for a class that neither is nor was predicted. */
export class MeanIoU extends ConfusionCounts<{ readonly mean: number; readonly perClass: readonly number[] }> {
  /** @throws ArgumentError */
  constructor(options: { readonly classes: number }) {
    requireOptions('MeanIoU', options, '{ classes: 21 }');
    super('MeanIoU', '', options.classes);
  }

  protected override ofMatrix(matrix: readonly (readonly number[])[]): { readonly mean: number; readonly perClass: readonly number[] } {
    const perClass = countsOf(matrix).map(({ right, predicted, actual }) => right / (predicted + actual - right));
    const there = perClass.filter((iou) => !Number.isNaN(iou));
    return { mean: totalOf(there) / there.length, perClass };
  }
}
