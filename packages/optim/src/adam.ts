/** Adam. Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015; PyTorch's form, with eps outside the root. */

import { ArgumentError, add, div, mul, requireOptions, sqrt, square, sub } from '@gradus/tensor';
import { ArenaOptimizer } from './optimizer.ts';
import type { Parameters, Update, Updated } from './optimizer.ts';

/** Options of {@link Adam}. */
export interface AdamOptions {
  /** Learning rate, default 1e-3. */
  readonly lr: number;
  /** Decay of the first and second moment, default [0.9, 0.999]. */
  readonly betas: readonly [number, number];
  /** Added to the root of the second moment, default 1e-8. */
  readonly eps: number;
  /** L2 penalty, added to the gradient. Default 0. */
  readonly weightDecay: number;
}

const DEFAULTS: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 };

/** Adam: steps scaled by running moments of the gradient. */
export class Adam extends ArenaOptimizer<AdamOptions> {
  /** @throws ArgumentError for betas outside [0, 1) or a negative eps */
  constructor(parameters: Parameters<AdamOptions>, options: Partial<AdamOptions> = {}) {
    requireOptions('Adam', options, '{ lr: 0.001 }');
    const all = { ...DEFAULTS, ...options };
    if (!all.betas.every((beta) => beta >= 0 && beta < 1) || !(all.eps >= 0)) {
      throw new ArgumentError({
        op: 'Adam',
        expected: 'betas from 0 up to, without, 1 and eps of at least 0',
        got: `betas ${all.betas.join(', ')}, eps ${all.eps}`,
      });
    }
    super(parameters, all, 2);
  }

  protected override update({ values, gradients, state, number, decide }: Update<AdamOptions>): Updated {
    const [m = values, v = values] = state;
    const decays = decide(({ weightDecay }) => weightDecay !== 0);
    const g = decays
      ? add(
          gradients,
          mul(
            values,
            number((o) => o.weightDecay),
          ),
        )
      : gradients;
    const first = add(
      mul(
        m,
        number((o) => o.betas[0]),
      ),
      mul(
        g,
        number((o) => 1 - o.betas[0]),
      ),
    );
    const second = add(
      mul(
        v,
        number((o) => o.betas[1]),
      ),
      mul(
        square(g),
        number((o) => 1 - o.betas[1]),
      ),
    );
    const correction = number((o) => Math.sqrt(1 - o.betas[1] ** o.step));
    const denominator = add(
      div(sqrt(second), correction),
      number((o) => o.eps),
    );
    const rate = number((o) => o.lr / (1 - o.betas[0] ** o.step));
    const moved = sub(values, div(mul(first, rate), denominator));
    return { values: moved, state: [first, second] };
  }
}
