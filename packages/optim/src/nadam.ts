/**
 * NAdam: Adam with Nesterov's momentum. Dozat, "Incorporating Nesterov Momentum into Adam", 2016; the form of current PyTorch (1.13 multiplied one
 * momentum too many into the correction of the second term).
 */

import { add, div, mul, requireOptions, sqrt, sub } from '@gradus/tensor';
import { moments, requireMoments } from './adam.ts';
import type { MomentOptions } from './adam.ts';
import { decayed } from './adamw.ts';
import type { Carried } from './block.ts';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link NAdam}: those of Adam, with rate 2e-3, and the warm-up of the momentum. */
export interface NAdamOptions extends MomentOptions, DirectionOptions {
  /** ψ: the momentum of step t is `β₁(1 - ½ · 0.96^(tψ))`. Default 4e-3. */
  readonly momentumDecay: number;
  /** Let the weight decay take its share of the values, as in AdamW, in place of the L2 penalty. Default false. */
  readonly decoupledWeightDecay: boolean;
}

const DEFAULTS: NAdamOptions = {
  ...DIRECTION_DEFAULTS,
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  momentumDecay: 4e-3,
  decoupledWeightDecay: false,
};

/** From the paper. */
const WARM_UP_BASE = 0.96;

/** The momentum of a step. */
const momentum = ({ betas, momentumDecay }: NAdamOptions, step: number): number => betas[0] * (1 - 0.5 * WARM_UP_BASE ** (step * momentumDecay));

/** The product of all momenta so far. */
const product = (carried: Carried): number => carried['muProduct'] ?? 1;

/** Adam that looks ahead by the momentum of the next step. */
export class NAdam extends ArenaOptimizer<NAdamOptions> {
  /** Rate 2e-3 by default. @throws ArgumentError for betas outside [0, 1), a negative eps, momentum decay or weight decay */
  constructor(parameters: Parameters<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    requireOptions('NAdam', options, '{ lr: 0.002 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: () => ['expAvg', 'expAvgSq'],
        carried: { muProduct: 1 },
        carry: (settings) => ({ muProduct: product(settings.carried) * momentum(settings, settings.step) }),
        check: (all) => {
          requireMoments('NAdam', all);
          requireRange('NAdam', 'at least 0', { momentumDecay: all.momentumDecay });
        },
      },
    );
  }

  protected override update(run: Update<NAdamOptions>): Updated {
    const { number, decide } = run;
    const isDecoupled = decide((o) => o.decoupledWeightDecay);
    const values = isDecoupled ? decayed(run) : run.values;
    const g = isDecoupled ? turned(run) : penalised(run);
    const [first, second] = moments(run, g);
    const [correction, eps] = [number((o) => 1 - o.betas[1] ** o.step), number((o) => o.eps)];
    const denominator = add(sqrt(div(second, correction)), eps);
    const now = number((o) => (o.lr * (1 - momentum(o, o.step))) / (1 - product(o.carried)));
    const ahead = number((o) => {
      const next = momentum(o, o.step + 1);
      return (o.lr * next) / (1 - product(o.carried) * next);
    });
    return { values: sub(values, div(add(mul(g, now), mul(first, ahead)), denominator)), state: [first, second] };
  }
}
