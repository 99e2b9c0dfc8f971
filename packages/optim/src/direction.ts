/** The gradient as most rules begin with it: turned round to climb, with an L2 penalty. PyTorch's `maximize` and `weight_decay`. */

import { add, mul } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Update } from './optimizer.ts';

/** Options of the direction. */
export interface DirectionOptions {
  /** L2 penalty, added to the gradient. Default 0. */
  readonly weightDecay: number;
  /** Climb instead of descending. Default false. */
  readonly maximize: boolean;
}

/** What the direction has where nothing else is said. */
export const DIRECTION_DEFAULTS: DirectionOptions = { weightDecay: 0, maximize: false };

/** The gradient, turned round where the rule climbs. */
export function turned<Options extends Pick<DirectionOptions, 'maximize'>>({ gradients, decide }: Update<Options>): Tensor {
  return decide(({ maximize }) => maximize) ? mul(gradients, -1) : gradients;
}

/** The gradient, turned round where the rule climbs, and the penalty. */
export function penalised<Options extends DirectionOptions>(run: Update<Options>): Tensor {
  const g = turned(run);
  if (!run.decide(({ weightDecay }) => weightDecay !== 0)) return g;
  const decay = run.number((o) => o.weightDecay);
  return add(g, mul(run.values, decay));
}

/** A running mean: `share` of the old value, the rest of the new one. */
export function running<Options>({ number }: Update<Options>, old: Tensor, value: Tensor, share: (options: Options) => number): Tensor {
  const kept = number((o) => share(o));
  const rest = number((o) => 1 - share(o));
  return add(mul(old, kept), mul(value, rest));
}
