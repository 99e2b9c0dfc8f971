/** What an ensemble says of its inputs, and how sure it is. */

import { ArgumentError, clamp, compose, full, isTensor, log, maximum, mul, neg, reshape, showValue, square, sub, sum } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/**
 * Probabilities and their uncertainty; classes are at axis 1 of what has them.
 *
 * The entropy of the mean has two parts: what the members' own entropies average to (the data are ambiguous), and the mutual information
 * (the members disagree, as they do far from what they were trained on). Depeweg et al., "Decomposition of Uncertainty in Bayesian Deep
 * Learning", 2018.
 */
export interface Prediction {
  /** Weighted mean of the members' probabilities, `[N, C, …]`. */
  readonly mean: Tensor;
  /** The members' probabilities, `[M, N, C, …]`. */
  readonly members: Tensor;
  /** Weighted mean of the members' squared deviations from the mean, `[N, C, …]`. */
  readonly variance: Tensor;
  /** Of the mean, in nats: from 0 to ln C, `[N, …]`. */
  readonly entropy: Tensor;
  /** Between the class and the member, in nats: the entropy of the mean less the mean of the entropies, at least 0. `[N, …]` */
  readonly mutualInformation: Tensor;
}

/** The smallest float32 of full precision: its logarithm is finite, and 0 times that is 0. */
const LEAST = 2 ** -126;

/** Σ -p ln p along `axis`. */
function entropyOf(p: Tensor, axis: number): Tensor {
  return neg(sum(mul(p, log(clamp(p, { min: LEAST }))), { axis }));
}

/** Weights `[M]` along the first axis of `like`. */
function along(weights: Tensor, like: Tensor): Tensor {
  return reshape(weights, [weights.size, ...like.shape.slice(1).map(() => 1)]);
}

/** The weighted mean of the members' probabilities `[M, N, C, …]`. */
export function weightedMean(members: Tensor, weights: Tensor): Tensor {
  return compose(() => sum(mul(members, along(weights, members)), { axis: 0 }));
}

/**
 * Mean and uncertainty of members' probabilities.
 *
 * @param members `[M, N, C, …]`, each of whose classes (axis 2) sum to 1
 * @param weights `[M]`, which sum to 1. Default: equal ones
 * @throws ArgumentError for members of another rank, or weights of another length
 */
export function predictionOf(members: Tensor, weights?: Tensor): Prediction {
  if (!isTensor(members) || members.rank < 3)
    throw new ArgumentError({
      op: 'predictionOf',
      expected: 'probabilities [M, N, C, …]',
      got: isTensor(members) ? `[${members.shape.join(', ')}]` : showValue(members),
      fix: "stack the members' probabilities: stack([p, q]).",
    });
  const count = members.shape[0] ?? 0;
  if (weights !== undefined && String(weights.shape) !== String([count]))
    throw new ArgumentError({ op: 'predictionOf', expected: `weights [${count}]`, got: `[${weights.shape.join(', ')}]` });
  return compose(() => {
    const shares = weights ?? full([count], 1 / count, { device: members.device });
    const mean = weightedMean(members, shares);
    const entropy = entropyOf(mean, 1);
    return {
      mean,
      members,
      variance: weightedMean(square(sub(members, mean)), shares),
      entropy,
      mutualInformation: maximum(sub(entropy, weightedMean(entropyOf(members, 2), shares)), 0),
    };
  });
}
