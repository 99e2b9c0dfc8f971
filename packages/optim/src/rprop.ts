/** Resilient backpropagation, for full batches. Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning", 1993; PyTorch's form. */

import { ArgumentError, add, greater, less, maximum, minimum, mul, requireOptions, sign, sub, where, zerosLike } from '@gradus/tensor';
import { DIRECTION_DEFAULTS, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link Rprop}. */
export interface RpropOptions extends Pick<DirectionOptions, 'maximize'> {
  /** The size of the first step, default 0.01. */
  readonly lr: number;
  /** What a step's size is multiplied by when the gradient changed its sign, and when it did not. Default [0.5, 1.2]. */
  readonly etas: readonly [number, number];
  /** The smallest and the largest step, default [1e-6, 50]. */
  readonly stepSizes: readonly [number, number];
}

const DEFAULTS: RpropOptions = { maximize: DIRECTION_DEFAULTS.maximize, lr: 0.01, etas: [0.5, 1.2], stepSizes: [1e-6, 50] };

/** Steps by the sign of the gradient alone, each weight with a size of its own. */
export class Rprop extends ArenaOptimizer<RpropOptions> {
  /** Rate 0.01 by default. @throws ArgumentError unless 0 < etas[0] < 1 < etas[1] and the step sizes are in order */
  constructor(parameters: Parameters<RpropOptions>, options: Partial<RpropOptions> = {}) {
    requireOptions('Rprop', options, '{ lr: 0.01 }');
    super(parameters, { ...DEFAULTS, ...options }, { slots: () => ['prev', 'stepSize'], check });
  }

  protected override update(run: Update<RpropOptions>): Updated {
    const { values, state, number } = run;
    const [prev = values, stepSize = values] = state;
    const g = turned(run);
    const [shrink, grow] = [number((o) => o.etas[0]), number((o) => o.etas[1])];
    const [least, most] = [number((o) => o.stepSizes[0]), number((o) => o.stepSizes[1])];
    const start = number((o) => (o.step === 1 ? o.lr : 0));
    const agreement = mul(g, prev);
    const before = add(stepSize, start);
    const grown = where(greater(agreement, 0), mul(before, grow), where(less(agreement, 0), mul(before, shrink), before));
    const size = minimum(maximum(grown, least), most);
    // A weight that went too far stays, and its next step counts as the first in a new direction.
    const direction = where(less(agreement, 0), zerosLike(g), g);
    return { values: sub(values, mul(sign(direction), size)), state: [direction, size] };
  }
}

function check({ etas, stepSizes }: RpropOptions): void {
  if (etas[0] > 0 && etas[0] < 1 && etas[1] > 1 && stepSizes[0] >= 0 && stepSizes[1] >= stepSizes[0]) return;
  throw new ArgumentError({
    op: 'Rprop',
    expected: 'etas below and above 1, step sizes from the smaller to the larger',
    got: `etas ${etas.join(', ')}, step sizes ${stepSizes.join(', ')}`,
  });
}
