/**
 * Schedule-free learning: the average of all steps in place of a falling rate. Defazio et al., "The Road Less Scheduled", 2024.
 *
 * Three points: z takes the steps; x is its weighted average, and what to evaluate; y lies between them, `βx + (1 - β)z`, and is where gradients are
 * taken. While training the parameters are y. The state is z alone, as x follows from both.
 */

import { ArgumentError, add, div, mul, requireOptions, sqrt, square, sub } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { StateLayout } from './block.ts';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, penalised, running, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Settings, Update, Updated } from './optimizer.ts';

/** What both rules have. */
export interface ScheduleFreeOptions extends DirectionOptions {
  /** Learning rate. */
  readonly lr: number;
  /** Steps over which the rate rises from 0. Default 0. */
  readonly warmupSteps: number;
  /** r: step t counts `t ** r` times in the average. Default 0. */
  readonly averagePower: number;
  /** A step counts by the largest rate so far to this power. Default 2. */
  readonly ratePower: number;
  /** Are the parameters x? Set by `train()` and `eval()`, and saved with the rest. Default false. */
  readonly evaluating: boolean;
}

/** Options of {@link ScheduleFreeSGD}. */
export interface ScheduleFreeSGDOptions extends ScheduleFreeOptions {
  /** β, above 0: where between z and x gradients are taken. Default 0.9. */
  readonly momentum: number;
}

/** Options of {@link ScheduleFreeAdamW}. */
export interface ScheduleFreeAdamWOptions extends ScheduleFreeOptions {
  /** β, above 0, where gradients are taken; and the decay of the second moment. Default [0.9, 0.999]. */
  readonly betas: readonly [number, number];
  /** Added to the root of the second moment, default 1e-8. */
  readonly eps: number;
}

const DEFAULTS: Omit<ScheduleFreeOptions, 'lr'> = { ...DIRECTION_DEFAULTS, warmupSteps: 0, averagePower: 0, ratePower: 2, evaluating: false };

/** The rate of a step. */
const rateAt = ({ lr, warmupSteps, step }: ScheduleFreeOptions & { readonly step: number }): number =>
  warmupSteps > 0 ? lr * Math.min(1, step / warmupSteps) : lr;

/** What the step counts in the average. */
const weightAt = ({ step, averagePower, ratePower }: ScheduleFreeOptions & { readonly step: number }, largest: number): number =>
  step ** averagePower * largest ** ratePower;

/** The share of z in the new x. */
function shareOf(settings: Settings<ScheduleFreeOptions>): number {
  const { largestRate = 0, weightSum = 0 } = settings.carried;
  return weightSum > 0 ? weightAt(settings, largestRate) / weightSum : 0;
}

function layout<Options extends ScheduleFreeOptions>(slots: readonly string[], check: (options: Options) => void): StateLayout<Options> {
  return {
    slots: () => slots,
    carried: { largestRate: 0, weightSum: 0 },
    carry: (settings) => {
      const largestRate = Math.max(settings.carried['largestRate'] ?? 0, rateAt(settings));
      return { largestRate, weightSum: (settings.carried['weightSum'] ?? 0) + weightAt(settings, largestRate) };
    },
    check,
  };
}

/** Base of both rules: three points and the switch between two of them. */
abstract class ScheduleFree<Options extends ScheduleFreeOptions> extends ArenaOptimizer<Options> {
  /** β. */
  protected abstract beta(options: Options): number;

  /** Makes the parameters y, where gradients are taken. Does nothing while they are. */
  train(): void {
    if (!this.options.evaluating) return;
    this.#move((beta) => 1 - beta);
    this.set({ evaluating: false } as Partial<Options>);
  }

  /** Makes the parameters x, the average, for evaluating and saving a model. Batch norms of the model want their statistics anew. */
  eval(): void {
    if (this.options.evaluating) return;
    this.#move((beta) => 1 - 1 / beta);
    this.set({ evaluating: true } as Partial<Options>);
  }

  #move(share: (beta: number) => number): void {
    this.rewrite(({ values, state, number }) => {
      const weight = number((o) => share(this.beta(o)));
      return add(values, mul(sub(state[0] ?? values, values), weight));
    });
  }

  /** y and z after a step of z along `move`. */
  protected moved({ values, state, number, decide }: Update<Options>, move: Tensor): { readonly y: Tensor; readonly z: Tensor } {
    if (decide((o) => o.evaluating))
      throw new ArgumentError({
        op: this.constructor.name,
        expected: 'to be in training',
        got: 'a step after eval()',
        fix: 'call optimizer.train() before.',
      });
    // Before the first step z is where the parameters are.
    const start = number((o) => (o.step === 1 ? 1 : 0));
    const z = add(state[0] ?? values, mul(values, start));
    const share = number(shareOf);
    const [rate, follow] = [number((o) => rateAt(o)), number((o) => rateAt(o) * (this.beta(o) * (1 - shareOf(o)) - 1))];
    return { y: add(add(values, mul(sub(z, values), share)), mul(move, follow)), z: sub(z, mul(move, rate)) };
  }
}

/** Gradient descent without a schedule. Switch with `train()` and `eval()`, as the model. */
export class ScheduleFreeSGD extends ScheduleFree<ScheduleFreeSGDOptions> {
  /** @throws ArgumentError for a momentum that is not above 0 and below 1, a negative weight decay */
  constructor(parameters: Parameters<ScheduleFreeSGDOptions>, options: Partial<ScheduleFreeSGDOptions> & { readonly lr: number }) {
    requireOptions('ScheduleFreeSGD', options, '{ lr: 1 }');
    const check = ({ momentum, ...rest }: ScheduleFreeSGDOptions): void => requireOptionsOf('ScheduleFreeSGD', rest, momentum);
    super(parameters, { ...DEFAULTS, momentum: 0.9, ...options }, layout(['z'], check));
  }

  protected override beta({ momentum }: ScheduleFreeSGDOptions): number {
    return momentum;
  }

  protected override update(run: Update<ScheduleFreeSGDOptions>): Updated {
    const { y, z } = this.moved(run, penalised(run));
    return { values: y, state: [z] };
  }
}

/** AdamW without a schedule. Switch with `train()` and `eval()`, as the model. */
export class ScheduleFreeAdamW extends ScheduleFree<ScheduleFreeAdamWOptions> {
  /** Rate 2.5e-3 by default. @throws ArgumentError for a first beta that is not above 0, betas of 1 and more, a negative eps or weight decay */
  constructor(parameters: Parameters<ScheduleFreeAdamWOptions>, options: Partial<ScheduleFreeAdamWOptions> = {}) {
    requireOptions('ScheduleFreeAdamW', options, '{ lr: 0.0025 }');
    const check = (all: ScheduleFreeAdamWOptions): void => {
      requireOptionsOf('ScheduleFreeAdamW', all, all.betas[0]);
      requireRange('ScheduleFreeAdamW', 'from 0 up to, without, 1', { 'betas[1]': all.betas[1] });
      requireRange('ScheduleFreeAdamW', 'at least 0', { eps: all.eps });
    };
    super(parameters, { ...DEFAULTS, lr: 2.5e-3, betas: [0.9, 0.999], eps: 1e-8, ...options }, layout(['z', 'expAvgSq'], check));
  }

  protected override beta({ betas }: ScheduleFreeAdamWOptions): number {
    return betas[0];
  }

  protected override update(run: Update<ScheduleFreeAdamWOptions>): Updated {
    const { values, state, number } = run;
    const g = turned(run);
    const second = running(run, state[1] ?? values, square(g), (o) => o.betas[1]);
    const [correction, eps, decay] = [number((o) => 1 - o.betas[1] ** o.step), number((o) => o.eps), number((o) => o.weightDecay)];
    const normalized = div(g, add(sqrt(div(second, correction)), eps));
    const { y, z } = this.moved(run, add(normalized, mul(values, decay)));
    return { values: y, state: [z, second] };
  }
}

function requireOptionsOf(op: string, { weightDecay, warmupSteps }: Omit<ScheduleFreeOptions, 'lr'>, beta: number): void {
  requireRange(op, 'from 0 up to, without, 1', { beta });
  requireRange(op, 'above 0', { beta });
  requireRange(op, 'at least 0', { weightDecay, warmupSteps });
}
