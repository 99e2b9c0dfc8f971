/** Lion. Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675, 2023. */

import { mul, requireOptions, sign, sub } from '@gradus/tensor';
import { decayed } from './adamw.ts';
import { requireMoments } from './adam.ts';
import { DIRECTION_DEFAULTS, running, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link Lion}. */
export interface LionOptions extends DirectionOptions {
  /** Learning rate, default 1e-4: a third to a tenth of Adam's. */
  readonly lr: number;
  /** What the direction keeps of the momentum, and what the momentum keeps. Default [0.9, 0.99]. */
  readonly betas: readonly [number, number];
  /** Share of the values that a step takes away, times the rate, as in AdamW. Default 0. */
  readonly weightDecay: number;
}

const DEFAULTS: LionOptions = { ...DIRECTION_DEFAULTS, lr: 1e-4, betas: [0.9, 0.99] };

/** Steps of one size, by the sign of a mean of gradients; one state tensor. */
export class Lion extends ArenaOptimizer<LionOptions> {
  /** Rate 1e-4 by default. @throws ArgumentError for betas outside [0, 1) or a negative weight decay */
  constructor(parameters: Parameters<LionOptions>, options: Partial<LionOptions> = {}) {
    requireOptions('Lion', options, '{ lr: 0.0001 }');
    super(parameters, { ...DEFAULTS, ...options }, { slots: () => ['expAvg'], check: (all) => requireMoments('Lion', { ...all, eps: 0 }) });
  }

  protected override update(run: Update<LionOptions>): Updated {
    const [m = run.values] = run.state;
    const g = turned(run);
    const lr = run.number((o) => o.lr);
    const direction = sign(running(run, m, g, (o) => o.betas[0]));
    return { values: sub(decayed(run), mul(direction, lr)), state: [running(run, m, g, (o) => o.betas[1])] };
  }
}
