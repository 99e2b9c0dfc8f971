/** Weights of members: given ones, and ones learned from held-out data. */

import { crossEntropy } from '@gradus/losses';
import {
  ArgumentError,
  clamp,
  compose,
  div,
  evaluate,
  exp,
  full,
  log,
  mean,
  mul,
  neg,
  noGrad,
  scope,
  showValue,
  stack,
  sum,
  tensor,
} from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import type { Module } from '@gradus/nn';
import { outputsOf } from './members.ts';
import type { Outputs } from './members.ts';

/** Inputs and labels that the members have not been trained on; the labels are class indices `[N, …]`. */
export type Validation = readonly [x: Tensor, labels: Tensor];

/** Rounds of expectation and maximization. The likelihood rises in each; weights of like members move slowly. */
const ROUNDS = 300;

/** Log probabilities count no less than this: one certain mistake does not decide everything. */
const LEAST = 1e-30;

/** Weights `[M]` that sum to 1, in the proportions given. @throws ArgumentError for other than `count` numbers of at least 0, one of them above */
export function normalized(op: string, weights: readonly number[], count: number, device: Device): Tensor {
  const given: unknown = weights;
  const fits = Array.isArray(given) && given.length === count && given.every((w) => Number.isFinite(w) && Number(w) >= 0);
  const total = fits ? weights.reduce((a, b) => a + b, 0) : 0;
  if (!fits || !(total > 0 && Number.isFinite(total)))
    throw new ArgumentError({
      op,
      expected: `${count} weights of at least 0, one of them above`,
      got: showValue(given),
      fix: 'give one for each member; they are divided by their sum.',
    });
  return tensor(
    weights.map((w) => w / total),
    { dtype: 'float32', device },
  );
}

/** Equal weights `[M]`. */
export function equalWeights(count: number, device: Device): Tensor {
  return full([count], 1 / count, { device });
}

/**
 * The weights under which the averaged probabilities give held-out labels the greatest likelihood, by expectation and maximization: a member's
 * new weight is its mean share in the probability of the labels. They stay on the simplex, and no round lowers the likelihood, which is
 * concave in them, so that it rises to its maximum from anywhere. Dempster, Laird and Rubin, "Maximum Likelihood from Incomplete Data via the
 * EM Algorithm", 1977.
 *
 * @throws ShapeError, DTypeError, IndexError for labels that do not fit
 */
export function learnedWeights(op: string, models: readonly Module[], [x, labels]: Validation, outputs: Outputs): Tensor {
  return noGrad(() => {
    // Of the log of probabilities the cross entropy is that of the probabilities themselves.
    const likelihoods = compose(() => {
      const logits = outputsOf(op, models, [x]).map((each) => (outputs === 'logits' ? each : log(clamp(each, { min: LEAST }))));
      const each = logits.map((member) => exp(neg(crossEntropy(member, labels, { reduction: 'none' }).reshape([-1]))));
      return clamp(stack(each), { min: LEAST });
    });
    evaluate(likelihoods);
    let weights: Tensor = full([models.length, 1], 1 / models.length, { device: likelihoods.device });
    for (let round = 0; round < ROUNDS; round++) {
      const last = weights;
      weights = scope(() => {
        const shares = mul(likelihoods, last);
        const next = mean(div(shares, sum(shares, { axis: 0, keepDims: true })), { axis: 1, keepDims: true });
        evaluate(next);
        return next;
      });
      last.dispose();
    }
    likelihoods.dispose();
    return weights.reshape([models.length]);
  });
}
