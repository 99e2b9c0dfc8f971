/** Averaged stochastic gradient descent. Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992; PyTorch's form. */

import { add, mul, requireOptions, sub } from '@gradus/tensor';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link ASGD}. */
export interface ASGDOptions extends DirectionOptions {
  /** Learning rate, default 0.01. */
  readonly lr: number;
  /** Decay of the values and, with the power `alpha`, of the rate. Default 1e-4. */
  readonly lambd: number;
  /** Default 0.75. */
  readonly alpha: number;
  /** The step from which on values are averaged, default 1e6. */
  readonly t0: number;
}

const DEFAULTS: ASGDOptions = { ...DIRECTION_DEFAULTS, lr: 0.01, lambd: 1e-4, alpha: 0.75, t0: 1e6 };

/** Gradient descent that keeps the mean of its values, in the state `ax`. */
export class ASGD extends ArenaOptimizer<ASGDOptions> {
  /** Rate 0.01 by default. @throws ArgumentError for a negative weight decay, lambd, alpha or t0 */
  constructor(parameters: Parameters<ASGDOptions>, options: Partial<ASGDOptions> = {}) {
    requireOptions('ASGD', options, '{ lr: 0.01 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: () => ['ax'],
        // As in PyTorch, the rate of a step is fixed by the options of the step before.
        carried: { eta: 0, nextEta: 0 },
        carry: ({ lr, lambd, alpha, step, carried }) => ({
          eta: step === 1 ? lr : (carried['nextEta'] ?? lr),
          nextEta: lr / (1 + lambd * lr * step) ** alpha,
        }),
        check: ({ lambd, alpha, t0, weightDecay }) => requireRange('ASGD', 'at least 0', { lambd, alpha, t0, weightDecay }),
      },
    );
  }

  protected override update(run: Update<ASGDOptions>): Updated {
    const { values, state, number } = run;
    const g = penalised(run);
    const kept = number((o) => 1 - o.lambd * (o.carried['eta'] ?? 0));
    const eta = number((o) => o.carried['eta'] ?? 0);
    const mu = number((o) => 1 / Math.max(1, o.step - 1 - o.t0));
    const moved = sub(mul(values, kept), mul(g, eta));
    const average = state[0] ?? values;
    return { values: moved, state: [add(average, mul(sub(moved, average), mu))] };
  }
}
