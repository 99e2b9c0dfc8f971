/**
 * Margins between the scores of classes, and losses of several labels at once: x is `[N, C]` (or `[C]`), losses are `[N]` (or of rank 0).
 * Formulas are PyTorch's.
 */

import {
  ArgumentError,
  DTypeError,
  ShapeError,
  add,
  arange,
  cumsum,
  div,
  equal,
  less,
  logSigmoid,
  logicalAnd,
  max,
  mean,
  mul,
  neg,
  relu,
  requireIndices,
  requireOptions,
  showValue,
  square,
  sub,
  sum,
  toDType,
  unsqueeze,
  where,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireSameShape, requireShape, requireTensors, showShape } from './arguments.ts';
import { reducedLoss } from './calculate.ts';
import type { LossOptions } from './reduction.ts';

/** Options of losses with a weight for each class. */
export interface ClassWeightOptions extends LossOptions {
  /** What each class counts: `[C]`. Default 1. */
  readonly weight?: Tensor;
}

/** Options of {@link multiMargin}. */
export interface MultiMarginOptions extends ClassWeightOptions {
  /** The power of each margin that is missed: 1 (default) or 2. */
  readonly p?: 1 | 2;
  /** Default 1. */
  readonly margin?: number;
}

/** Number of classes. @throws ShapeError unless scores are `[N, C]` or `[C]`, and weights `[C]` */
function requireScores(op: string, scores: Tensor, weight?: Tensor): number {
  requireTensors(op, scores);
  if (scores.rank !== 1 && scores.rank !== 2) throw new ShapeError({ op, expected: 'scores [N, C] or [C]', got: showShape(scores.shape) });
  const classes = scores.shape.at(-1) ?? 0;
  if (weight !== undefined) requireShape(op, 'weight', weight, [classes]);
  return classes;
}

/** @throws DTypeError */
function requireIntegers(op: string, labels: Tensor): void {
  if (!labels.dtype.startsWith('int') && !labels.dtype.startsWith('uint'))
    throw new DTypeError({ op, expected: 'class indices as integers', got: labels.dtype, fix: "target.toDType('int32')" });
}

const classesOf = (x: Tensor): Tensor => arange(x.shape.at(-1) ?? 0, { device: x.device });

/**
 * `Σ_{c≠y} w_y max(0, margin - x_y + x_c)^p / C`. Crammer and Singer, 2001.
 *
 * @param target class indices, `[N]` (or of rank 0)
 * @throws ShapeError, DTypeError, ArgumentError; IndexError for a label out of range, where labels can be looked at (elsewhere its loss is NaN)
 */
export function multiMargin(scores: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor {
  const op = 'multiMargin';
  requireOptions(op, options, '{ margin: 1 }');
  const { p = 1, margin = 1, weight } = options;
  const classes = requireScores(op, scores, weight);
  requireShape(op, 'target', target, scores.shape.slice(0, -1));
  requireIntegers(op, target);
  requireIndices(op, target, { min: 0, max: classes - 1 });
  requireNumber(op, 'margin', margin);
  if (p !== 1 && p !== 2) throw new ArgumentError({ op, expected: 'p of 1 or 2', got: showValue(p) });
  return reducedLoss(op, [scores, target], target.shape, options, (given, labels) => {
    const x = given;
    const chosen = equal(unsqueeze(toDType(labels, 'int32'), -1), classesOf(x));
    const own = sum(where(chosen, x, 0), { axis: -1, keepDims: true });
    const missed = relu(sub(add(x, margin), own));
    const power = p === 1 ? missed : square(missed);
    const of = weight === undefined ? power : mul(power, sum(where(chosen, toDType(weight, x.dtype), 0), { axis: -1, keepDims: true }));
    const loss = div(sum(where(chosen, 0, of), { axis: -1 }), classes);
    return where(max(chosen.toDType('int32'), { axis: -1 }).equal(1), loss, NaN);
  });
}

/**
 * `Σ_j Σ_c max(0, 1 - (x_{y_j} - x_c)) / C` over the labels y_j and the classes c that are none.
 *
 * @param target class indices shaped like the scores: the labels of each example, then -1; what follows a -1 does not count
 * @throws ShapeError, DTypeError, ArgumentError; IndexError for a label out of range, where labels can be looked at
 */
export function multiLabelMargin(scores: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  const op = 'multiLabelMargin';
  const classes = requireScores(op, scores);
  requireSameShape(op, scores, target, 'scores and target');
  requireIntegers(op, target);
  requireIndices(op, target, { min: -1, max: classes - 1 });
  return reducedLoss(op, [scores, target], scores.shape.slice(0, -1), options, (given, padded) => {
    const x = given;
    const labels = toDType(padded, 'int32');
    const before = equal(cumsum(toDType(less(labels, 0), 'int32'), { axis: -1 }), 0);
    // [N, J, C]: is class c the j-th label?
    const chosen = logicalAnd(equal(unsqueeze(labels, -1), classesOf(x)), unsqueeze(before, -1));
    const own = sum(where(chosen, unsqueeze(x, -2), 0), { axis: -1, keepDims: true });
    const isLabel = max(toDType(chosen, 'int32'), { axis: -2, keepDims: true }).equal(1);
    const missed = relu(add(sub(unsqueeze(x, -2), own), 1));
    return div(sum(where(unsqueeze(before, -1), where(isLabel, 0, missed), 0), { axis: [-2, -1] }), classes);
  });
}

/**
 * The mean over classes of `-w_c (t_c log σ(x_c) + (1 - t_c) log σ(-x_c))`.
 *
 * @param target 0 or 1 for each class, shaped like the scores
 * @throws ShapeError, ArgumentError
 */
export function multiLabelSoftMargin(scores: Tensor, target: Tensor, options: ClassWeightOptions = {}): Tensor {
  const op = 'multiLabelSoftMargin';
  requireOptions(op, options, "{ reduction: 'sum' }");
  const { weight } = options;
  requireScores(op, scores, weight);
  requireSameShape(op, scores, target, 'scores and target');
  return reducedLoss(op, [scores, target], scores.shape.slice(0, -1), options, (given, wanted) => {
    const x = given;
    const t = wanted;
    const each = add(mul(t, logSigmoid(x)), mul(sub(1, t), logSigmoid(neg(x))));
    return neg(mean(weight === undefined ? each : mul(each, toDType(weight, x.dtype)), { axis: -1 }));
  });
}
