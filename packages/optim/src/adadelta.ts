/** Adadelta. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701, 2012; PyTorch's form. */

import { add, div, mul, requireOptions, sqrt, square, sub } from '@gradus/tensor';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised, running } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link Adadelta}. */
export interface AdadeltaOptions extends DirectionOptions {
  /** Scale of the steps, default 1. */
  readonly lr: number;
  /** Decay of both means, default 0.9. */
  readonly rho: number;
  /** Added under both roots, default 1e-6. */
  readonly eps: number;
}

const DEFAULTS: AdadeltaOptions = { ...DIRECTION_DEFAULTS, lr: 1, rho: 0.9, eps: 1e-6 };

/** Steps as large as the last ones were, in the gradient's units. */
export class Adadelta extends ArenaOptimizer<AdadeltaOptions> {
  /** Rate 1 by default. @throws ArgumentError for a rho outside [0, 1], a negative eps or weight decay */
  constructor(parameters: Parameters<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}) {
    requireOptions('Adadelta', options, '{ lr: 1 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: () => ['squareAvg', 'accDelta'],
        check: ({ rho, eps, weightDecay }) => {
          requireRange('Adadelta', 'from 0 to 1', { rho });
          requireRange('Adadelta', 'at least 0', { eps, weightDecay });
        },
      },
    );
  }

  protected override update(run: Update<AdadeltaOptions>): Updated {
    const { values, state, number } = run;
    const [squares = values, moves = values] = state;
    const g = penalised(run);
    const [lr, eps] = [number((o) => o.lr), number((o) => o.eps)];
    const average = running(run, squares, square(g), (o) => o.rho);
    const delta = mul(div(sqrt(add(moves, eps)), sqrt(add(average, eps))), g);
    const accumulated = running(run, moves, square(delta), (o) => o.rho);
    return { values: sub(values, mul(delta, lr)), state: [average, accumulated] };
  }
}
