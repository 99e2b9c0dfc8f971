/** Stochastic gradient descent with momentum. Sutskever et al., "On the importance of initialization and momentum", 2013; PyTorch's form. */

import { ArgumentError, add, mul, requireOptions, sub } from '@gradus/tensor';
import { ArenaOptimizer } from './optimizer.ts';
import type { Parameters, Update, Updated } from './optimizer.ts';

/** Options of {@link SGD}. */
export interface SGDOptions {
  /** Learning rate; no default. */
  readonly lr: number;
  /** Share of the last direction that is kept, default 0. */
  readonly momentum: number;
  /** Share of the gradient that does not enter the momentum, from the second step on. Default 0. */
  readonly dampening: number;
  /** L2 penalty, added to the gradient. Default 0. */
  readonly weightDecay: number;
  /** Nesterov's momentum; needs momentum and no dampening. Default false. */
  readonly nesterov: boolean;
}

const DEFAULTS: Omit<SGDOptions, 'lr'> = { momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

/** Gradient descent, with momentum where asked for. */
export class SGD extends ArenaOptimizer<SGDOptions> {
  /** @throws ArgumentError for Nesterov without momentum, or with dampening */
  constructor(parameters: Parameters<SGDOptions>, options: Partial<SGDOptions> & { readonly lr: number }) {
    requireOptions('SGD', options, '{ lr: 0.01 }');
    const all = { ...DEFAULTS, ...options };
    if (all.nesterov && (all.momentum <= 0 || all.dampening !== 0)) {
      throw new ArgumentError({
        op: 'SGD',
        expected: 'nesterov with momentum above 0 and dampening 0',
        got: `momentum ${all.momentum}, dampening ${all.dampening}`,
      });
    }
    super(parameters, all, all.momentum === 0 ? 0 : 1);
  }

  protected override update({ values, gradients, state, number, decide }: Update<SGDOptions>): Updated {
    const lr = number((o) => o.lr);
    const momentum = number((o) => o.momentum);
    const decays = decide(({ weightDecay }) => weightDecay !== 0);
    const g = decays
      ? add(
          gradients,
          mul(
            values,
            number((o) => o.weightDecay),
          ),
        )
      : gradients;
    const [buffer] = state;
    if (buffer === undefined) return { values: sub(values, mul(g, lr)), state: [] };
    // The first direction is the gradient itself: dampening begins with the second step.
    const share = number((o) => (o.step === 1 ? 1 : 1 - o.dampening));
    const direction = add(mul(buffer, momentum), mul(g, share));
    const move = decide(({ nesterov }) => nesterov) ? add(g, mul(direction, momentum)) : direction;
    return { values: sub(values, mul(move, lr)), state: [direction] };
  }
}
