/**
 * Losses of overlap, for segmentation: one minus how much of two regions lies in both, for each example.
 *
 * With p the probabilities and t the target, TP = Σ p t, FP = Σ p (1 - t), FN = Σ (1 - p) t, summed over all axes but the first:
 * Tversky's index is `(TP + s) / (TP + α FP + β FN + s)`, and Dice's is that with α = β = ½, `2 TP / (Σ p + Σ t)`.
 */

import { ShapeError, add, div, mul, reciprocal, requireOptions, reshape, square, sub, sum, toDType } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireSameShape, showShape } from './arguments.ts';
import { reducedLoss } from './calculate.ts';
import type { LossOptions } from './reduction.ts';

/** Options of {@link dice}. */
export interface OverlapOptions extends LossOptions {
  /** Added above and below, so that nothing predicted of nothing there is no loss; at least 0. Default 1e-7. */
  readonly smooth?: number;
  /** Is there an overlap of each class, the axis after the examples? The losses are `[N, C]` then. Default false: `[N]`. */
  readonly perClass?: boolean;
}

/** Options of {@link tversky}. */
export interface TverskyOptions extends OverlapOptions {
  /** What false positives count, at least 0. Default 0.5. */
  readonly alpha?: number;
  /** What false negatives count, at least 0. Default 0.5. */
  readonly beta?: number;
}

/** @throws ShapeError, ArgumentError */
function requireRegions(op: string, prediction: Tensor, target: Tensor, options: OverlapOptions, rank: number): void {
  requireOptions(op, options, '{ smooth: 1 }');
  requireSameShape(op, prediction, target);
  if (prediction.rank < rank)
    throw new ShapeError({
      op,
      expected: rank === 2 ? 'examples and more axes: [N, …]' : 'examples, classes and places: [N, C, …]',
      got: showShape(prediction.shape),
    });
  requireNumber(op, 'smooth', options.smooth ?? 1e-7, { min: 0 });
}

/** `[N, places]`, or `[N, C, places]`. */
const flat = (x: Tensor, kept: number): Tensor => reshape(x, [...x.shape.slice(0, kept), x.shape.slice(kept).reduce((n, size) => n * size, 1)]);

function overlap(
  op: string,
  prediction: Tensor,
  target: Tensor,
  options: OverlapOptions,
  index: (p: Tensor, t: Tensor, total: (x: Tensor) => Tensor) => Tensor,
): Tensor {
  const kept = options.perClass === true ? 2 : 1;
  requireRegions(op, prediction, target, options, kept + 1);
  return reducedLoss(op, [prediction, target], prediction.shape.slice(0, kept), options, (p, t) => {
    const wide = flat(p, kept);
    return sub(
      1,
      index(wide, flat(toDType(t, wide.dtype), kept), (x) => sum(x, { axis: -1 })),
    );
  });
}

/**
 * One minus Dice's coefficient, `(2 TP + s) / (Σ p + Σ t + s)`. Milletari and others, "V-Net", 2016, without its squares; Keras' Dice of one example.
 *
 * @param prediction probabilities `[N, …]` @param target 0 or 1, of the same shape
 * @throws ShapeError, ArgumentError
 */
export function dice(prediction: Tensor, target: Tensor, options: OverlapOptions = {}): Tensor {
  return overlap('dice', prediction, target, options, (p, t, total) => {
    const { smooth = 1e-7 } = options;
    return div(add(mul(total(mul(p, t)), 2), smooth), add(add(total(p), total(t)), smooth));
  });
}

/**
 * One minus Tversky's index: with β above α, what is missed costs more than what is made up. Salehi and others, 2017.
 *
 * @param prediction probabilities `[N, …]` @param target 0 or 1, of the same shape
 * @throws ShapeError, ArgumentError
 */
export function tversky(prediction: Tensor, target: Tensor, options: TverskyOptions = {}): Tensor {
  const { alpha = 0.5, beta = 0.5, smooth = 1e-7 } = options;
  requireNumber('tversky', 'alpha', alpha, { min: 0 });
  requireNumber('tversky', 'beta', beta, { min: 0 });
  return overlap('tversky', prediction, target, options, (p, t, total) => {
    const both = total(mul(p, t));
    const wrong = add(mul(total(mul(p, sub(1, t))), alpha), mul(total(mul(sub(1, p), t)), beta));
    return div(add(both, smooth), add(add(both, wrong), smooth));
  });
}

/**
 * Dice over all classes together, each weighed by `1 / (Σ t)²`, so that small regions count as much as large ones. Sudre and others, 2017.
 *
 * @param prediction probabilities `[N, C, …]` @param target 0 or 1, of the same shape
 * @throws ShapeError, ArgumentError
 */
export function generalizedDice(prediction: Tensor, target: Tensor, options: Omit<OverlapOptions, 'perClass'> = {}): Tensor {
  requireRegions('generalizedDice', prediction, target, options, 3);
  const { smooth = 1e-7 } = options;
  return reducedLoss('generalizedDice', [prediction, target], prediction.shape.slice(0, 1), options, (given, wanted) => {
    const p = flat(given, 2);
    const t = flat(toDType(wanted, p.dtype), 2);
    const sizes = sum(t, { axis: -1 });
    const weights = reciprocal(add(square(sizes), smooth));
    const classes = (each: Tensor): Tensor => sum(mul(weights, each), { axis: 1 });
    const both = classes(sum(mul(p, t), { axis: -1 }));
    return sub(1, div(add(mul(both, 2), smooth), add(classes(add(sum(p, { axis: -1 }), sizes)), smooth)));
  });
}
