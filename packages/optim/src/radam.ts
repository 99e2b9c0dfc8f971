/** RAdam. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2020; PyTorch's form. */

import { add, div, mul, requireOptions, sqrt, sub } from '@gradus/tensor';
import { moments, requireMoments } from './adam.ts';
import type { MomentOptions } from './adam.ts';
import { decayed } from './adamw.ts';
import { DIRECTION_DEFAULTS, penalised, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link RAdam}: those of Adam. */
export interface RAdamOptions extends MomentOptions, DirectionOptions {
  /** Let the weight decay take its share of the values, as in AdamW, in place of the L2 penalty. Default false. */
  readonly decoupledWeightDecay: boolean;
}

const DEFAULTS: RAdamOptions = { ...DIRECTION_DEFAULTS, lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, decoupledWeightDecay: false };

/** Below this length of the average, its variance is not tractable and steps are not divided by the second moment. */
const TRACTABLE = 5;

/** The length of the simple moving average that the second moment stands for: in the limit, and at a step. */
function lengths({ betas: [, beta2] }: RAdamOptions, step: number): readonly [limit: number, now: number] {
  const limit = 2 / (1 - beta2) - 1;
  return [limit, limit - (2 * step * beta2 ** step) / (1 - beta2 ** step)];
}

/** Adam that corrects for the variance of its second moment, and starts as gradient descent with momentum. */
export class RAdam extends ArenaOptimizer<RAdamOptions> {
  /** Rate 1e-3 by default. @throws ArgumentError for betas outside [0, 1), a negative eps or weight decay */
  constructor(parameters: Parameters<RAdamOptions>, options: Partial<RAdamOptions> = {}) {
    requireOptions('RAdam', options, '{ lr: 0.001 }');
    super(parameters, { ...DEFAULTS, ...options }, { slots: () => ['expAvg', 'expAvgSq'], check: (all) => requireMoments('RAdam', all) });
  }

  protected override update(run: Update<RAdamOptions>): Updated {
    const { number, decide } = run;
    const isDecoupled = decide((o) => o.decoupledWeightDecay);
    const values = isDecoupled ? decayed(run) : run.values;
    const [first, second] = moments(run, isDecoupled ? turned(run) : penalised(run));
    const rate = number((o) => o.lr / (1 - o.betas[0] ** o.step));
    const moved = mul(first, rate);
    if (!decide((o) => lengths(o, o.step)[1] > TRACTABLE)) return { values: sub(values, moved), state: [first, second] };
    const rectified = number((o) => {
      const [limit, now] = lengths(o, o.step);
      const ratio = ((now - 4) * (now - 2) * limit) / ((limit - 4) * (limit - 2) * now);
      return Math.sqrt(ratio * (1 - o.betas[1] ** o.step));
    });
    const eps = number((o) => o.eps);
    return { values: sub(values, div(mul(moved, rectified), add(sqrt(second), eps))), state: [first, second] };
  }
}
