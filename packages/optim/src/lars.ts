/**
 * LARS. You, Gitman and Ginsburg, "Large Batch Training of Convolutional Networks", arXiv:1708.03888, 2017; timm's form: the rate is applied after the
 * momentum.
 */

import { add, mul, requireOptions, sub } from '@gradus/tensor';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';
import { clippedRatio, ratioOrOne, scaled, wholeNorm } from './trust.ts';

/** Options of {@link LARS}. */
export interface LARSOptions extends DirectionOptions {
  /** Learning rate, default 1. */
  readonly lr: number;
  /** Default 0. */
  readonly momentum: number;
  /** Default 0. */
  readonly dampening: number;
  /** Default false. */
  readonly nesterov: boolean;
  /** η: how much of a parameter's size a step may have. Default 0.001. */
  readonly trustCoefficient: number;
  /** Default 1e-8. */
  readonly eps: number;
  /** LARC: let the ratio make the rate smaller only. Default false. */
  readonly trustClip: boolean;
}

const DEFAULTS: LARSOptions = {
  ...DIRECTION_DEFAULTS,
  lr: 1,
  momentum: 0,
  dampening: 0,
  nesterov: false,
  trustCoefficient: 0.001,
  eps: 1e-8,
  trustClip: false,
};

/** Gradient descent with momentum whose gradients are, in each parameter, measured against the parameter. */
export class LARS extends ArenaOptimizer<LARSOptions> {
  /** Rate 1 by default. @throws ArgumentError for a negative momentum, weight decay, coefficient or eps */
  constructor(parameters: Parameters<LARSOptions>, options: Partial<LARSOptions> = {}) {
    requireOptions('LARS', options, '{ lr: 1 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: ({ momentum }) => (momentum === 0 ? [] : ['momentumBuffer']),
        each: true,
        check: ({ momentum, weightDecay, trustCoefficient, eps }) =>
          requireRange('LARS', 'at least 0', { momentum, weightDecay, trustCoefficient, eps }),
      },
    );
  }

  protected override update(run: Update<LARSOptions>): Updated {
    const { values, state, number, decide } = run;
    const [lr, decay, eps, coefficient] = [
      number((o) => o.lr),
      number((o) => o.weightDecay),
      number((o) => o.eps),
      number((o) => o.trustCoefficient),
    ];
    const [size, slope] = [wholeNorm(values), wholeNorm(turned(run))];
    const trust = ratioOrOne([size, slope], mul(size, coefficient), add(add(slope, mul(size, decay)), eps));
    const ratio = decide((o) => o.trustClip) ? clippedRatio(trust, lr) : trust;
    const g = scaled(penalised(run), ratio);
    const [buffer] = state;
    if (buffer === undefined) return { values: sub(values, mul(g, lr)), state: [] };
    const [momentum, share] = [number((o) => o.momentum), number((o) => (o.step === 1 ? 1 : 1 - o.dampening))];
    const direction = add(mul(buffer, momentum), mul(g, share));
    const move = decide((o) => o.nesterov) ? add(g, mul(direction, momentum)) : direction;
    return { values: sub(values, mul(move, lr)), state: [direction] };
  }
}
