/** Adam. Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015; PyTorch's form, with eps outside the root. */

import { ArgumentError, add, div, mul, requireOptions, sqrt, square, sub } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
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

/** What the rule has where nothing else is said. */
export const ADAM_DEFAULTS: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 };

/** Adam: steps scaled by running moments of the gradient. */
export class Adam extends ArenaOptimizer<AdamOptions> {
  /** @throws ArgumentError for betas outside [0, 1) or a negative eps */
  constructor(parameters: Parameters<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(parameters, adamOptions('Adam', ADAM_DEFAULTS, options), 2);
  }

  protected override update(run: Update<AdamOptions>): Updated {
    const { values, gradients, number, decide } = run;
    if (!decide(({ weightDecay }) => weightDecay !== 0)) return adamStep(run, values, gradients);
    const penalty = mul(
      values,
      number((o) => o.weightDecay),
    );
    return adamStep(run, values, add(gradients, penalty));
  }
}

/** Options in full. @throws ArgumentError for betas outside [0, 1) or a negative eps */
export function adamOptions(op: string, defaults: AdamOptions, options: Partial<AdamOptions>): AdamOptions {
  requireOptions(op, options, '{ lr: 0.001 }');
  const all = { ...defaults, ...options };
  if (all.betas.every((beta) => beta >= 0 && beta < 1) && all.eps >= 0) return all;
  throw new ArgumentError({
    op,
    expected: 'betas from 0 up to, without, 1 and eps of at least 0',
    got: `betas ${all.betas.join(', ')}, eps ${all.eps}`,
  });
}

/** One step from `values` (any decay applied) along gradients `g` (any penalty added). State: the two moments. */
export function adamStep({ state, number }: Update<AdamOptions>, values: Tensor, g: Tensor): Updated {
  const [m = values, v = values] = state;
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
