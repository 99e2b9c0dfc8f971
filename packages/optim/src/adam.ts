/**
 * Adam. Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015; PyTorch's form, with eps outside the root. AMSGrad: Reddi, Kale and
 * Kumar, "On the Convergence of Adam and Beyond", 2018.
 */

import { ArgumentError, add, div, maximum, mul, requireOptions, sqrt, square, sub } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { StateLayout } from './block.ts';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised, running } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** What all rules with two moments have. */
export interface MomentOptions {
  /** Learning rate. */
  readonly lr: number;
  /** Decay of the first and second moment, default [0.9, 0.999]. */
  readonly betas: readonly [number, number];
  /** Added to the root of the second moment, default 1e-8. */
  readonly eps: number;
}

/** Options of {@link Adam}. */
export interface AdamOptions extends MomentOptions, DirectionOptions {
  /** Divide by the largest second moment there was. Default false. */
  readonly amsgrad: boolean;
  /**
   * Where eps goes. `'corrected'`, the default, adds it to the root of the corrected moment, as PyTorch does and the paper's algorithm says;
   * `'folded'` to the root of the moment as it is, as Keras and TensorFlow do, which makes it larger in the first steps.
   */
  readonly epsPlacement: 'corrected' | 'folded';
}

/** What the rule has where nothing else is said. */
export const ADAM_DEFAULTS: AdamOptions = {
  ...DIRECTION_DEFAULTS,
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  amsgrad: false,
  epsPlacement: 'corrected',
};

/** Adam: steps scaled by running moments of the gradient. */
export class Adam extends ArenaOptimizer<AdamOptions> {
  /** Rate 1e-3 by default. @throws ArgumentError for betas outside [0, 1), a negative eps or weight decay */
  constructor(parameters: Parameters<AdamOptions>, options: Partial<AdamOptions> = {}) {
    requireOptions('Adam', options, '{ lr: 0.001 }');
    super(parameters, { ...ADAM_DEFAULTS, ...options }, adamLayout('Adam'));
  }

  protected override update(run: Update<AdamOptions>): Updated {
    return adamStep(run, run.values, penalised(run));
  }
}

/** What Adam and AdamW keep. */
export function adamLayout(op: string): StateLayout<AdamOptions> {
  return {
    slots: ({ amsgrad }) => ['expAvg', 'expAvgSq', ...(amsgrad ? ['maxExpAvgSq'] : [])],
    check: (options) => requireMoments(op, options),
  };
}

/** @throws ArgumentError for betas outside [0, 1), a negative eps or weight decay */
export function requireMoments(op: string, { betas, eps, weightDecay }: MomentOptions & { readonly weightDecay: number }): void {
  if (!(betas.every((beta) => beta >= 0 && beta < 1) && eps >= 0))
    throw new ArgumentError({
      op,
      expected: 'betas from 0 up to, without, 1 and eps of at least 0',
      got: `betas ${betas.join(', ')}, eps ${eps}`,
    });
  requireRange(op, 'at least 0', { weightDecay });
}

/** The moments after this step. State: the first and the second. */
export function moments<Options extends MomentOptions>(run: Update<Options>, g: Tensor): readonly [first: Tensor, second: Tensor] {
  const [m = run.values, v = run.values] = run.state;
  return [running(run, m, g, (o) => o.betas[0]), running(run, v, square(g), (o) => o.betas[1])];
}

/** One step from `values` (any decay applied) along gradients `g` (any penalty added). State: the two moments, and the largest second one. */
export function adamStep(run: Update<AdamOptions>, values: Tensor, g: Tensor): Updated {
  const { number, decide, state } = run;
  const [first, second] = moments(run, g);
  const largest = state[2] === undefined ? second : maximum(state[2], second);
  const after = state[2] === undefined ? [first, second] : [first, second, largest];
  const eps = number((o) => o.eps);
  if (decide(({ epsPlacement }) => epsPlacement === 'folded')) {
    const rate = number((o) => (o.lr * Math.sqrt(1 - o.betas[1] ** o.step)) / (1 - o.betas[0] ** o.step));
    return { values: sub(values, div(mul(first, rate), add(sqrt(largest), eps))), state: after };
  }
  const correction = number((o) => Math.sqrt(1 - o.betas[1] ** o.step));
  const denominator = add(div(sqrt(largest), correction), eps);
  const rate = number((o) => o.lr / (1 - o.betas[0] ** o.step));
  return { values: sub(values, div(mul(first, rate), denominator)), state: after };
}
