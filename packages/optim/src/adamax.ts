/** Adamax: Adam with the infinity norm. Kingma and Ba, "Adam: A Method for Stochastic Optimization", section 7.1, 2015; PyTorch's form. */

import { abs, add, div, maximum, mul, requireOptions, sub } from '@gradus/tensor';
import { requireMoments } from './adam.ts';
import type { MomentOptions } from './adam.ts';
import { DIRECTION_DEFAULTS, penalised, running } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link Adamax}: those of Adam, with rate 2e-3. `eps` is added to the gradient's size. */
export interface AdamaxOptions extends MomentOptions, DirectionOptions {}

const DEFAULTS: AdamaxOptions = { ...DIRECTION_DEFAULTS, lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8 };

/** Steps divided by the largest recent gradient. */
export class Adamax extends ArenaOptimizer<AdamaxOptions> {
  /** Rate 2e-3 by default. @throws ArgumentError for betas outside [0, 1), a negative eps or weight decay */
  constructor(parameters: Parameters<AdamaxOptions>, options: Partial<AdamaxOptions> = {}) {
    requireOptions('Adamax', options, '{ lr: 0.002 }');
    super(parameters, { ...DEFAULTS, ...options }, { slots: () => ['expAvg', 'expInf'], check: (all) => requireMoments('Adamax', all) });
  }

  protected override update(run: Update<AdamaxOptions>): Updated {
    const { values, state, number } = run;
    const [m = values, u = values] = state;
    const g = penalised(run);
    const first = running(run, m, g, (o) => o.betas[0]);
    const [beta2, eps] = [number((o) => o.betas[1]), number((o) => o.eps)];
    const largest = maximum(mul(u, beta2), add(abs(g), eps));
    const rate = number((o) => o.lr / (1 - o.betas[0] ** o.step));
    return { values: sub(values, div(mul(first, rate), largest)), state: [first, largest] };
  }
}
