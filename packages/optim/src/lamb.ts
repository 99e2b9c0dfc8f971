/** LAMB. You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020. */

import { add, div, mul, requireOptions, sqrt, sub } from '@gradus/tensor';
import { moments, requireMoments } from './adam.ts';
import type { MomentOptions } from './adam.ts';
import { DIRECTION_DEFAULTS, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';
import { clippedRatio, ratioOrOne, scaled, wholeNorm } from './trust.ts';

/** Options of {@link LAMB}. */
export interface LAMBOptions extends MomentOptions, DirectionOptions {
  /** Default 1e-6. */
  readonly eps: number;
  /** Share of the values that enters the step beside the moments, before the ratio. Default 0.01. */
  readonly weightDecay: number;
  /** Let the ratio be at most 1, as timm's `trust_clip`. Default false. */
  readonly trustClip: boolean;
}

const DEFAULTS: LAMBOptions = { ...DIRECTION_DEFAULTS, lr: 1e-3, betas: [0.9, 0.999], eps: 1e-6, weightDecay: 0.01, trustClip: false };

/** Adam whose step has, in each parameter, the size of the parameter times the rate. Its gradients are not clipped: see `clipGradNorm`. */
export class LAMB extends ArenaOptimizer<LAMBOptions> {
  /** Rate 1e-3 by default. @throws ArgumentError for betas outside [0, 1), a negative eps or weight decay */
  constructor(parameters: Parameters<LAMBOptions>, options: Partial<LAMBOptions> = {}) {
    requireOptions('LAMB', options, '{ lr: 0.001 }');
    super(parameters, { ...DEFAULTS, ...options }, { slots: () => ['expAvg', 'expAvgSq'], each: true, check: (all) => requireMoments('LAMB', all) });
  }

  protected override update(run: Update<LAMBOptions>): Updated {
    const { values, number, decide } = run;
    const [first, second] = moments(run, turned(run));
    const [correction1, correction2] = [number((o) => 1 - o.betas[0] ** o.step), number((o) => 1 - o.betas[1] ** o.step)];
    const [lr, eps, decay] = [number((o) => o.lr), number((o) => o.eps), number((o) => o.weightDecay)];
    const adam = div(div(first, correction1), add(sqrt(div(second, correction2)), eps));
    const move = add(adam, mul(values, decay));
    const norms = [wholeNorm(values), wholeNorm(move)] as const;
    const trust = ratioOrOne(norms, ...norms);
    const ratio = decide((o) => o.trustClip) ? clippedRatio(trust, 1) : trust;
    return { values: sub(values, scaled(mul(move, lr), ratio)), state: [first, second] };
  }
}
