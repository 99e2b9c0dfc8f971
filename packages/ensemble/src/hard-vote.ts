/** Hard voting: the class that most members choose. */

import { Module } from '@gradus/nn';
import type { Buffer } from '@gradus/nn';
import { argmax, compose, noGrad, oneHot, requireOptions, stack } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { deviceOf, outputsOf, requireModels } from './members.ts';
import { weightedMean } from './prediction.ts';
import { equalWeights, normalized } from './weights.ts';

/** Options of {@link hardVote}. */
export interface HardVoteOptions {
  /** What each member's vote counts, at least 0. Default: all the same. */
  readonly weights?: readonly number[];
}

/** Models that vote for classes. As a module it holds its members, and its weights as a buffer. */
export class HardVote extends Module {
  readonly models: readonly Module[];
  /** `[M]`, which sum to 1. */
  readonly weights: Buffer;

  /** @throws ArgumentError as {@link hardVote} */
  constructor(models: readonly Module[], options: HardVoteOptions = {}) {
    super();
    requireOptions('hardVote', options, '{ weights: [2, 1, 1] }');
    this.models = requireModels('hardVote', models);
    const [{ weights }, device] = [options, deviceOf(this.models)];
    const count = this.models.length;
    this.weights = this.buffer(weights === undefined ? equalWeights(count, device) : normalized('hardVote', weights, count, device));
  }

  /** The class with most votes, int32 `[N, …]`; of equal ones the first. @throws ShapeError when the members' shapes differ */
  forward(...inputs: Tensor[]): Tensor {
    return compose(() =>
      noGrad(() => {
        const outputs = outputsOf('hardVote', this.models, inputs);
        const votes = outputs.map((each) => oneHot(argmax(each, { axis: 1 }), each.shape[1] ?? 0));
        return argmax(weightedMean(stack(votes), this.weights));
      }),
    );
  }

  protected override describe(): string {
    return String(this.models.length);
  }
}

/**
 * An ensemble whose members, with logits or probabilities `[N, C, …]`, have a vote each for their largest class; of classes with equally many
 * votes the first wins.
 *
 * @throws ArgumentError for no models, weights of another number or negative
 */
export function hardVote(models: readonly Module[], options: HardVoteOptions = {}): HardVote {
  return new HardVote(models, options);
}
