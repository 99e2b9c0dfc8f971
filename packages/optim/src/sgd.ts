/** Stochastic gradient descent with momentum. Sutskever et al., "On the importance of initialization and momentum", 2013; PyTorch's form. */

import { ArgumentError, add, mul, requireOptions, sub } from '@gradus/tensor';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';

/** Options of {@link SGD}. */
export interface SGDOptions extends DirectionOptions {
  /** Learning rate; no default. */
  readonly lr: number;
  /** Share of the last direction that is kept, default 0. */
  readonly momentum: number;
  /** Share of the gradient that does not enter the momentum, from the second step on. Default 0. */
  readonly dampening: number;
  /** Nesterov's momentum; needs momentum and no dampening. Default false. */
  readonly nesterov: boolean;
}

const DEFAULTS: Omit<SGDOptions, 'lr'> = { ...DIRECTION_DEFAULTS, momentum: 0, dampening: 0, nesterov: false };

/** Gradient descent, with momentum where asked for. */
export class SGD extends ArenaOptimizer<SGDOptions> {
  /** @throws ArgumentError for Nesterov without momentum, or with dampening; a negative momentum or weight decay */
  constructor(parameters: Parameters<SGDOptions>, options: Partial<SGDOptions> & { readonly lr: number }) {
    requireOptions('SGD', options, '{ lr: 0.01 }');
    super(parameters, { ...DEFAULTS, ...options }, { slots: ({ momentum }) => (momentum === 0 ? [] : ['momentumBuffer']), check });
  }

  protected override update(run: Update<SGDOptions>): Updated {
    const { values, state, number, decide } = run;
    const lr = number((o) => o.lr);
    const g = penalised(run);
    const [buffer] = state;
    if (buffer === undefined) return { values: sub(values, mul(g, lr)), state: [] };
    const momentum = number((o) => o.momentum);
    // The first direction is the gradient itself: dampening begins with the second step.
    const share = number((o) => (o.step === 1 ? 1 : 1 - o.dampening));
    const direction = add(mul(buffer, momentum), mul(g, share));
    const move = decide(({ nesterov }) => nesterov) ? add(g, mul(direction, momentum)) : direction;
    return { values: sub(values, mul(move, lr)), state: [direction] };
  }
}

function check({ momentum, dampening, weightDecay, nesterov }: SGDOptions): void {
  requireRange('SGD', 'at least 0', { momentum, weightDecay });
  if (nesterov && (momentum <= 0 || dampening !== 0)) {
    throw new ArgumentError({
      op: 'SGD',
      expected: 'nesterov with momentum above 0 and dampening 0',
      got: `momentum ${momentum}, dampening ${dampening}`,
    });
  }
}
