/** AdamW. Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019; PyTorch's form, where the decay comes before the step. */

import { mul, requireOptions } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { ADAM_DEFAULTS, adamLayout, adamStep } from './adam.ts';
import type { AdamOptions } from './adam.ts';
import { turned } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link AdamW}. */
export interface AdamWOptions extends AdamOptions {
  /** Share of each parameter that a step takes away, times the learning rate; the moments do not see it. Default 0.01. */
  readonly weightDecay: number;
}

/** Adam whose weight decay stays out of the moments, so that it does not depend on the size of gradients. */
export class AdamW extends ArenaOptimizer<AdamWOptions> {
  /** Rate 1e-3 by default. @throws ArgumentError for betas outside [0, 1), a negative eps or weight decay */
  constructor(parameters: Parameters<AdamWOptions>, options: Partial<AdamWOptions> = {}) {
    requireOptions('AdamW', options, '{ lr: 0.001 }');
    super(parameters, { ...ADAM_DEFAULTS, weightDecay: 0.01, ...options }, adamLayout('AdamW'));
  }

  protected override update(run: Update<AdamWOptions>): Updated {
    return adamStep(run, decayed(run), turned(run));
  }
}

/** The values less their decay: `1 - lr · weightDecay` of them. */
export function decayed<Options extends { readonly lr: number; readonly weightDecay: number }>({ values, number }: Update<Options>): Tensor {
  const kept = number((o) => 1 - o.lr * o.weightDecay);
  return mul(values, kept);
}
