/** Losses with a margin: of one score against a target of 1 or -1, of two scores, and of distances. Formulas are PyTorch's. */

import { add, div, equal, logSigmoid, minimum, mul, neg, norm, relu, requireOptions, sqrt, sub, sum, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireRank, requireSameShape, requireShape } from './arguments.ts';
import { elementwiseLoss, reducedLoss } from './calculate.ts';
import type { ElementwiseOptions } from './calculate.ts';
import type { LossOptions } from './reduction.ts';

/** `log(1 + e^(-t x))`, t being 1 or -1. @throws ShapeError, ArgumentError */
export function softMargin(prediction: Tensor, target: Tensor, options: ElementwiseOptions = {}): Tensor {
  return elementwiseLoss('softMargin', prediction, target, options, (x, t) => neg(logSigmoid(mul(t, x))));
}

/** A margin beside the options of all losses. */
export interface MarginOptions extends LossOptions {
  /** {@link hingeEmbedding} and {@link tripletMargin}: default 1. {@link marginRanking} and {@link cosineEmbedding}: default 0. */
  readonly margin?: number;
}

/** A distance x of what belongs together (t = 1), `max(0, margin - x)` of what does not (t = -1). @throws ShapeError, ArgumentError */
export function hingeEmbedding(distance: Tensor, target: Tensor, options: MarginOptions & ElementwiseOptions = {}): Tensor {
  const { margin = 1 } = options;
  requireNumber('hingeEmbedding', 'margin', margin);
  return elementwiseLoss('hingeEmbedding', distance, target, options, (x, t) =>
    add(where(equal(t, -1), 0, x), where(equal(t, 1), 0, relu(sub(margin, x)))),
  );
}

/** `max(0, margin - t (a - b))`: a should be the larger where t is 1, the smaller where it is -1. @throws ShapeError, ArgumentError */
export function marginRanking(a: Tensor, b: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  requireOptions('marginRanking', options, '{ margin: 1 }');
  const { margin = 0 } = options;
  requireNumber('marginRanking', 'margin', margin);
  requireSameShape('marginRanking', a, b, 'both scores', 'b');
  requireSameShape('marginRanking', a, target, 'scores and target');
  return reducedLoss('marginRanking', [a, b, target], a.shape, options, (x, y, t) => relu(sub(margin, mul(t, sub(x, y)))));
}

/** Added to squared lengths in cosines, as in PyTorch. */
const LENGTH_EPS = 1e-12;

/**
 * `1 - cos(a, b)` of what belongs together (t = 1), `max(0, cos(a, b) - margin)` of what does not (t = -1).
 *
 * @param a `[N, D]` @param b `[N, D]` @param target `[N]`
 * @throws ShapeError, ArgumentError
 */
export function cosineEmbedding(a: Tensor, b: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const op = 'cosineEmbedding';
  requireOptions(op, options, '{ margin: 0.5 }');
  const { margin = 0 } = options;
  requireNumber(op, 'margin', margin, { min: -1, max: 1 });
  requireRank(op, 'embeddings', a, 2, '[N, D]');
  requireSameShape(op, a, b, 'both embeddings', 'b');
  requireShape(op, 'target', target, a.shape.slice(0, 1));
  return reducedLoss(op, [a, b, target], target.shape, options, (x, y, t) => {
    const squared = (v: Tensor): Tensor => add(sum(mul(v, v), { axis: 1 }), LENGTH_EPS);
    const dots = sum(mul(x, y), { axis: 1 });
    const cosine = div(dots, sqrt(mul(squared(x), squared(y))));
    return where(equal(t, 1), sub(1, cosine), where(equal(t, -1), relu(sub(cosine, margin)), 0));
  });
}

/** Options of {@link tripletMarginWithDistance}. */
export interface TripletDistanceOptions extends MarginOptions {
  /** The distance of rows `[N, …]`, as `[N]`. Default: {@link tripletMargin}'s. */
  readonly distance?: (a: Tensor, b: Tensor) => Tensor;
  /** Takes the distance of positive and negative where that is the smaller. Balntas and others, 2016. Default false. */
  readonly swap?: boolean;
}

/** Options of {@link tripletMargin}. */
export interface TripletMarginOptions extends Omit<TripletDistanceOptions, 'distance'> {
  /** Which norm the distance is, above 0. Default 2. */
  readonly p?: number;
  /** Added to the differences, at least 0. Default 1e-6. */
  readonly eps?: number;
}

/**
 * `max(0, d(anchor, positive) - d(anchor, negative) + margin)`, d being the p-norm of the difference plus ε.
 *
 * @param anchor `[N, D]` @param positive `[N, D]`, what belongs with it @param negative `[N, D]`, what does not
 * @throws ShapeError, ArgumentError
 */
export function tripletMargin(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletMarginOptions = {}): Tensor {
  requireOptions('tripletMargin', options, '{ margin: 1 }');
  const { p = 2, eps = 1e-6, ...rest } = options;
  requireNumber('tripletMargin', 'p', p, { above: 0 });
  requireNumber('tripletMargin', 'eps', eps, { min: 0 });
  return triplet('tripletMargin', [anchor, positive, negative], pairwiseDistance(p, eps), rest);
}

/** The same with another distance. @throws ShapeError, ArgumentError */
export function tripletMarginWithDistance(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletDistanceOptions = {}): Tensor {
  requireOptions('tripletMarginWithDistance', options, '{ margin: 1 }');
  const { distance = pairwiseDistance(2, 1e-6), ...rest } = options;
  return triplet('tripletMarginWithDistance', [anchor, positive, negative], distance, rest);
}

const pairwiseDistance =
  (p: number, eps: number) =>
  (a: Tensor, b: Tensor): Tensor =>
    norm(add(sub(a, b), eps), { p, axis: -1 });

function triplet(
  op: string,
  [anchor, positive, negative]: readonly [Tensor, Tensor, Tensor],
  distance: (a: Tensor, b: Tensor) => Tensor,
  options: Omit<TripletDistanceOptions, 'distance'>,
): Tensor {
  const { margin = 1, swap = false } = options;
  requireNumber(op, 'margin', margin);
  requireRank(op, 'embeddings', anchor, 2, '[N, D]');
  requireSameShape(op, anchor, positive, 'anchor and positive', 'positive');
  requireSameShape(op, anchor, negative, 'anchor and negative', 'negative');
  return reducedLoss(op, [anchor, positive, negative], anchor.shape.slice(0, 1), options, (...wide) => {
    const [a, p, n] = wide as readonly [Tensor, Tensor, Tensor];
    const near = distance(a, p);
    requireShape(op, 'distances', near, a.shape.slice(0, 1));
    const far = swap ? minimum(distance(a, n), distance(p, n)) : distance(a, n);
    return relu(add(sub(near, far), margin));
  });
}
