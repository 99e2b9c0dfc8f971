/** AdamW. Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019; PyTorch's form, where the decay comes before the step. */

import { mul } from '@gradus/tensor';
import { ADAM_DEFAULTS, adamOptions, adamStep } from './adam.ts';
import type { AdamOptions } from './adam.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Parameters, Update, Updated } from './optimizer.ts';

/** Options of {@link AdamW}. */
export interface AdamWOptions extends AdamOptions {
  /** Share of each parameter that a step takes away, times the learning rate; the moments do not see it. Default 0.01. */
  readonly weightDecay: number;
}

/** Adam whose weight decay stays out of the moments, so that it does not depend on the size of gradients. */
export class AdamW extends ArenaOptimizer<AdamWOptions> {
  /** @throws ArgumentError for betas outside [0, 1) or a negative eps */
  constructor(parameters: Parameters<AdamWOptions>, options: Partial<AdamWOptions> = {}) {
    super(parameters, adamOptions('AdamW', { ...ADAM_DEFAULTS, weightDecay: 0.01 }, options), 2);
  }

  protected override update(run: Update<AdamWOptions>): Updated {
    const kept = mul(
      run.values,
      run.number((o) => 1 - o.lr * o.weightDecay),
    );
    return adamStep(run, kept, run.gradients);
  }
}
