/** Deep ensembles: one network, trained from several random beginnings. */

import type { Module } from '@gradus/nn';
import { ArgumentError, defaultGenerator, manualSeed, requireOptions, showValue } from '@gradus/tensor';
import type { Outputs } from './members.ts';
import { softVote } from './soft-vote.ts';
import type { SoftVote } from './soft-vote.ts';

/** Options of {@link deepEnsemble}. */
export interface DeepEnsembleOptions {
  /** A whole number for each member, all different: they decide initial weights, dropout, and what `trainMember` makes of them. */
  readonly seeds: readonly number[];
  /** What the members put out, with classes at axis 1. Default: logits. */
  readonly outputs?: Outputs;
}

/**
 * Makes and trains a member for each seed, one after the other, and lets them vote softly. Before a member is made the default generator is
 * seeded with its seed, so that a member does not depend on the others; afterwards it is as it was before. Lakshminarayanan et al., "Simple and
 * Scalable Predictive Uncertainty Estimation using Deep Ensembles", 2017.
 *
 * @param makeModel a new, untrained model
 * @param trainMember trains it; the seed is for the order of its batches
 * @throws ArgumentError for no seeds, or one twice
 */
export async function deepEnsemble<M extends Module>(
  makeModel: (seed: number) => M,
  trainMember: (model: M, seed: number) => void | Promise<void>,
  options: DeepEnsembleOptions,
): Promise<SoftVote> {
  requireOptions('deepEnsemble', options, '{ seeds: [1, 2, 3] }');
  const { seeds, outputs = 'logits' } = options;
  if (!Array.isArray(seeds) || seeds.length === 0 || new Set(seeds).size !== seeds.length)
    throw new ArgumentError({
      op: 'deepEnsemble',
      expected: 'at least one seed, each once',
      got: showValue(seeds),
      fix: 'pass { seeds: [1, 2, 3] }.',
    });
  const before = defaultGenerator.state;
  const models: M[] = [];
  try {
    for (const seed of seeds as readonly number[]) {
      manualSeed(seed);
      const model = makeModel(seed);
      // One after the other: they share the default generator.
      // oxlint-disable-next-line no-await-in-loop
      await trainMember(model, seed);
      models.push(model);
    }
  } finally {
    defaultGenerator.restore(before);
  }
  return softVote(models, { outputs });
}
