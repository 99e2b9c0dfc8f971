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

  protected override update({ values, gradients, state, step, options }: Update<AdamOptions>): Updated {
    const { lr, eps, weightDecay } = options;
    const [beta1, beta2] = options.betas;
    const [m = values, v = values] = state;
    const g = weightDecay === 0 ? gradients : add(gradients, mul(values, weightDecay));
    const first = add(mul(m, beta1), mul(g, 1 - beta1));
    const second = add(mul(v, beta2), mul(square(g), 1 - beta2));
    const denominator = add(div(sqrt(second), Math.sqrt(1 - beta2 ** step)), eps);
    const moved = sub(values, div(mul(first, lr / (1 - beta1 ** step)), denominator));
    return { values: moved, state: [first, second] };
  }
}
