/** RMSprop. Hinton, "Neural Networks for Machine Learning", lecture 6, 2012; centred: Graves, arXiv:1308.0850, 2013. PyTorch's form: eps is added to the root. */

import { add, div, mul, requireOptions, sqrt, square, sub } from '@gradus/tensor';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised, running } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link RMSprop}. */
export interface RMSpropOptions extends DirectionOptions {
  /** Learning rate, default 0.01. */
  readonly lr: number;
  /** Decay of the mean square, default 0.99. */
  readonly alpha: number;
  /** Default 1e-8. */
  readonly eps: number;
  /** Share of the last move that is kept, default 0. The rate is applied after it. */
  readonly momentum: number;
  /** Divide by an estimate of the standard deviation in place of the root of the mean square. Default false. */
  readonly centered: boolean;
  /**
   * What eps is added to: `'root'`, the default, as PyTorch does; `'square'`, under the root, as Keras and TensorFlow do (whose decay is 0.9 and eps
   * 1e-7 by default).
   */
  readonly epsPlacement: 'root' | 'square';
}

const DEFAULTS: RMSpropOptions = {
  ...DIRECTION_DEFAULTS,
  lr: 0.01,
  alpha: 0.99,
  eps: 1e-8,
  momentum: 0,
  centered: false,
  epsPlacement: 'root',
};

/** Steps divided by the root of a running mean of squared gradients. */
export class RMSprop extends ArenaOptimizer<RMSpropOptions> {
  /** Rate 0.01 by default. @throws ArgumentError for an alpha outside [0, 1], a negative eps, momentum or weight decay */
  constructor(parameters: Parameters<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    requireOptions('RMSprop', options, '{ lr: 0.01 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: ({ momentum, centered }) => ['squareAvg', ...(momentum === 0 ? [] : ['momentumBuffer']), ...(centered ? ['gradAvg'] : [])],
        check: ({ alpha, eps, momentum, weightDecay }) => {
          requireRange('RMSprop', 'from 0 to 1', { alpha });
          requireRange('RMSprop', 'at least 0', { eps, momentum, weightDecay });
        },
      },
    );
  }

  protected override update(run: Update<RMSpropOptions>): Updated {
    const { values, state, number, decide } = run;
    const [lr, eps] = [number((o) => o.lr), number((o) => o.eps)];
    const g = penalised(run);
    const [squares = values, ...rest] = state;
    const centered = decide((o) => o.centered);
    const hasMomentum = decide(({ momentum }) => momentum !== 0);
    const average = running(run, squares, square(g), (o) => o.alpha);
    const mean = centered ? running(run, rest.at(-1) ?? values, g, (o) => o.alpha) : null;
    const spread = mean === null ? average : sub(average, square(mean));
    const isInside = decide(({ epsPlacement }) => epsPlacement === 'square');
    const move = div(g, isInside ? sqrt(add(spread, eps)) : add(sqrt(spread), eps));
    const means = mean === null ? [] : [mean];
    if (!hasMomentum) return { values: sub(values, mul(move, lr)), state: [average, ...means] };
    const momentum = number((o) => o.momentum);
    const buffer = add(mul(rest[0] ?? values, momentum), move);
    return { values: sub(values, mul(buffer, lr)), state: [average, buffer, ...means] };
  }
}
