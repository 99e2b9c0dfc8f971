/** Adagrad. Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011; PyTorch's form. */

import { add, div, mul, requireOptions, sqrt, square, sub } from '@gradus/tensor';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link Adagrad}. */
export interface AdagradOptions extends DirectionOptions {
  /** Learning rate, default 0.01. */
  readonly lr: number;
  /** The rate of step t is `lr / (1 + (t - 1) · lrDecay)`. Default 0. */
  readonly lrDecay: number;
  /** What the sums of squares start from, default 0. */
  readonly initialAccumulator: number;
  /** Added to the root, default 1e-10. */
  readonly eps: number;
}

const DEFAULTS: AdagradOptions = { ...DIRECTION_DEFAULTS, lr: 0.01, lrDecay: 0, initialAccumulator: 0, eps: 1e-10 };

/** Steps divided by the root of the sum of all squared gradients. */
export class Adagrad extends ArenaOptimizer<AdagradOptions> {
  /** Rate 0.01 by default. @throws ArgumentError for a negative decay, start, eps or weight decay */
  constructor(parameters: Parameters<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    requireOptions('Adagrad', options, '{ lr: 0.01 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: () => ['sum'],
        check: ({ lrDecay, initialAccumulator, eps, weightDecay }) =>
          requireRange('Adagrad', 'at least 0', { lrDecay, initialAccumulator, eps, weightDecay }),
      },
    );
  }

  protected override update(run: Update<AdagradOptions>): Updated {
    const { values, state, number } = run;
    const g = penalised(run);
    const start = number((o) => (o.step === 1 ? o.initialAccumulator : 0));
    const sum = add(add(state[0] ?? values, start), square(g));
    const eps = number((o) => o.eps);
    const rate = number((o) => o.lr / (1 + (o.step - 1) * o.lrDecay));
    return { values: sub(values, div(mul(g, rate), add(sqrt(sum), eps))), state: [sum] };
  }
}
