/** What sets an optimizer's hyper-parameters step by step: by schedules, or by how training goes. */

import { ArgumentError, hostEffect } from '@gradus/tensor';
import { requireRange } from './checks.ts';
import type { ArenaOptimizer } from './optimizer.ts';

/** The options of an optimizer that are numbers may follow schedules, others functions of the step: `betas: (step) => [0.9, 0.99]`. */
export type Schedules<Options> = { readonly [K in keyof Options]?: (step: number) => Options[K] };

/**
 * Sets options of an optimizer by schedules: those of step 0 at once, the next ones with each `step()`, in compiled functions too. A group with a
 * rate of its own keeps its ratio to the optimizer's.
 */
export class Scheduler<Options extends { readonly lr: number }> {
  readonly #optimizer: ArenaOptimizer<Options>;
  readonly #schedules: Schedules<Options>;
  readonly #ratios: readonly (number | null)[];
  #steps = 0;

  constructor(optimizer: ArenaOptimizer<Options>, schedules: Schedules<Options>) {
    this.#optimizer = optimizer;
    this.#schedules = schedules;
    const { lr } = optimizer.options;
    this.#ratios = optimizer.groups.map(({ own }) => (own.lr === undefined || lr === 0 ? null : own.lr / lr));
    this.#apply();
  }

  /** Steps taken. */
  get steps(): number {
    return this.#steps;
  }

  /** Goes on to the options of the next step. */
  step(): void {
    hostEffect(
      () => this.#steps++,
      () => this.#steps--,
    );
    this.#apply();
  }

  /** The count of steps: all that it depends on. */
  stateDict(): { readonly steps: number } {
    return { steps: this.#steps };
  }

  /** Goes on from there. @throws ArgumentError for what is no count */
  loadStateDict({ steps }: { readonly steps: number }): void {
    requireRange('Scheduler', 'an integer of at least 0', { steps });
    this.#steps = steps;
    this.#apply();
  }

  #apply(): void {
    const values = (): Partial<Options> => {
      const entries = Object.entries(this.#schedules) as [string, (step: number) => unknown][];
      return Object.fromEntries(entries.map(([name, at]) => [name, at(this.#steps)])) as Partial<Options>;
    };
    this.#optimizer.set(values);
    if (this.#schedules.lr === undefined) return;
    for (const [i, group] of this.#optimizer.groups.entries()) {
      const ratio = this.#ratios[i];
      if (typeof ratio === 'number') group.set(() => ({ lr: this.#optimizer.options.lr * ratio }) as Partial<Options>);
    }
  }
}

/** Options of {@link ReduceOnPlateau}. */
export interface PlateauOptions {
  /** Is a smaller value better (`'min'`, the default) or a larger one? */
  readonly mode?: 'min' | 'max';
  /** What the rate is multiplied by, default 0.1. */
  readonly factor?: number;
  /** Bad values in a row that are borne; one more reduces. Default 10. */
  readonly patience?: number;
  /** How much better is better, default 1e-4. */
  readonly threshold?: number;
  /** Is the threshold a share of the best (`'relative'`, the default) or a difference? */
  readonly thresholdMode?: 'relative' | 'absolute';
  /** Steps after a reduction in which bad values do not count. Default 0. */
  readonly cooldown?: number;
  /** The least rate, default 0. */
  readonly minLr?: number;
  /** A change below this is not made. Default 1e-8. */
  readonly eps?: number;
}

/** What a plateau scheduler remembers. */
export interface PlateauState {
  readonly best: number | null;
  readonly badSteps: number;
  readonly cooldown: number;
}

const DEFAULTS: Required<PlateauOptions> = {
  mode: 'min',
  factor: 0.1,
  patience: 10,
  threshold: 1e-4,
  thresholdMode: 'relative',
  cooldown: 0,
  minLr: 0,
  eps: 1e-8,
};

/** Reduces the rates when a value stops getting better. PyTorch's `ReduceLROnPlateau`. For use outside of compiled functions: its value decides. */
export class ReduceOnPlateau<Options extends { readonly lr: number }> {
  readonly #optimizer: ArenaOptimizer<Options>;
  readonly #options: Required<PlateauOptions>;
  #state: PlateauState = { best: null, badSteps: 0, cooldown: 0 };

  /** @throws ArgumentError for a factor outside [0, 1), a negative patience or cooldown */
  constructor(optimizer: ArenaOptimizer<Options>, options: PlateauOptions = {}) {
    this.#optimizer = optimizer;
    this.#options = { ...DEFAULTS, ...options };
    const { factor, patience, cooldown, minLr, eps } = this.#options;
    requireRange('ReduceOnPlateau', 'from 0 up to, without, 1', { factor });
    requireRange('ReduceOnPlateau', 'an integer of at least 0', { patience, cooldown });
    requireRange('ReduceOnPlateau', 'at least 0', { minLr, eps });
  }

  /** Tells how training goes: a loss or a score. @throws ArgumentError for what is no number */
  step(value: number): void {
    if (typeof value !== 'number')
      throw new ArgumentError({ op: 'ReduceOnPlateau', expected: 'a number', got: typeof value, fix: 'pass await loss.item().' });
    const { patience, cooldown } = this.#options;
    const isBetter = this.#isBetter(value);
    const { best, badSteps, cooldown: left } = this.#state;
    const bad = left > 0 || isBetter ? 0 : badSteps + 1;
    const reduces = bad > patience;
    if (reduces) this.#reduce();
    this.#state = { best: isBetter ? value : best, badSteps: reduces ? 0 : bad, cooldown: reduces ? cooldown : Math.max(0, left - 1) };
  }

  #isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const { best } = this.#state;
    if (best === null) return !Number.isNaN(value);
    const margin = thresholdMode === 'relative' ? best * threshold : threshold;
    return mode === 'min' ? value < best - margin : value > best + margin;
  }

  #reduce(): void {
    const { factor, minLr, eps } = this.#options;
    const lower = (lr: number): number => (lr - Math.max(lr * factor, minLr) > eps ? Math.max(lr * factor, minLr) : lr);
    for (const group of this.#optimizer.groups) if (group.own.lr !== undefined) group.lr = lower(group.own.lr);
    this.#optimizer.lr = lower(this.#optimizer.options.lr);
  }

  /** What it remembers. */
  stateDict(): PlateauState {
    return this.#state;
  }

  /** Goes on from there. */
  loadStateDict(state: PlateauState): void {
    requireRange('ReduceOnPlateau', 'an integer of at least 0', { badSteps: state.badSteps, cooldown: state.cooldown });
    this.#state = { ...state };
  }
}
