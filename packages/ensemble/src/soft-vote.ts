/** Soft voting: the mean of probabilities. */

import { Module, inMode } from '@gradus/nn';
import type { Buffer } from '@gradus/nn';
import { ArgumentError, compose, evaluate, isTensor, noGrad, requireOptions, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { deviceOf, probabilitiesOf, requireModels, requireOutputs } from './members.ts';
import type { Outputs } from './members.ts';
import { predictionOf, weightedMean } from './prediction.ts';
import type { Prediction } from './prediction.ts';
import { equalWeights, learnedWeights, normalized } from './weights.ts';
import type { Validation } from './weights.ts';

/** Options of {@link softVote}. */
export interface SoftVoteOptions {
  /**
   * One number of at least 0 for each member, divided by their sum; or `learned`, for those that make the labels of `validation` likeliest.
   * Default: equal.
   */
  readonly weights?: readonly number[] | 'learned';
  /** What weights are learned from. */
  readonly validation?: Validation;
  /** What the members put out, with classes at axis 1. Default: logits. */
  readonly outputs?: Outputs;
}

/** Models that vote by their probabilities. As a module it holds its members, and its weights as a buffer. */
export class SoftVote extends Module {
  readonly models: readonly Module[];
  /** `[M]`, which sum to 1. */
  readonly weights: Buffer;
  private readonly outputs: Outputs;

  /** @throws ArgumentError, ShapeError as {@link softVote} */
  constructor(models: readonly Module[], options: SoftVoteOptions = {}) {
    super();
    requireOptions('softVote', options, "{ weights: 'learned', validation: [x, labels] }");
    this.models = requireModels('softVote', models);
    this.outputs = requireOutputs('softVote', options.outputs ?? 'logits');
    this.weights = this.buffer(compose(() => this.initialWeights(options)));
  }

  private initialWeights({ weights, validation }: SoftVoteOptions): Tensor {
    const device = deviceOf(this.models);
    const isPair = Array.isArray(validation) && validation.length === 2 && validation.every((each) => isTensor(each));
    if ((weights === 'learned') !== isPair)
      throw new ArgumentError({
        op: 'softVote',
        expected: "validation [x, labels] with weights 'learned', and with no others",
        got: `validation ${showValue(validation)} with weights ${showValue(weights)}`,
      });
    if (weights === undefined) return equalWeights(this.models.length, device);
    if (weights !== 'learned') return normalized('softVote', weights, this.models.length, device);
    if (validation === undefined) return equalWeights(this.models.length, device);
    return inMode(this, false, () => learnedWeights('softVote', this.models, validation, this.outputs));
  }

  /** The mean of the members' probabilities, `[N, C, …]`; gradients reach all members. @throws ShapeError when their shapes differ */
  forward(...inputs: Tensor[]): Tensor {
    return weightedMean(probabilitiesOf('softVote', this.models, inputs, this.outputs), this.weights);
  }

  /** Mean and uncertainty, computed in evaluation mode, without gradients. @throws ShapeError when the members' shapes differ */
  // Members may come to live in workers and on other devices, whose answers have to be waited for.
  // oxlint-disable-next-line typescript/require-await
  async predict(...inputs: Tensor[]): Promise<Prediction> {
    const predict = (): Prediction => predictionOf(probabilitiesOf('softVote', this.models, inputs, this.outputs), this.weights);
    const prediction = compose(() => noGrad(() => inMode(this, false, predict)));
    evaluate(prediction.mean, prediction.members, prediction.variance, prediction.entropy, prediction.mutualInformation);
    return prediction;
  }

  protected override describe(): string {
    return String(this.models.length);
  }
}

/**
 * An ensemble that averages the probabilities of its members: `Σ w p / Σ w`. Its negative log likelihood and its Brier score are never above
 * the (weighted) mean of the members'.
 *
 * @throws ArgumentError for no models, weights of another number or negative, weights to learn without data; ShapeError for members of
 * different classes, DTypeError and IndexError for labels that are none
 */
export function softVote(models: readonly Module[], options: SoftVoteOptions = {}): SoftVote {
  return new SoftVote(models, options);
}
