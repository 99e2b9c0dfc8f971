/**
 * Schedules: values of hyper-parameters as pure functions of the step, which counts from 0. The value does not depend on what came before, so a run
 * goes on anywhere; with PyTorch's values at every step.
 *
 * A schedule is a function that knows its own description, plain data: `JSON.stringify(schedule)` writes it and `scheduleFrom` reads it.
 */

import { ArgumentError, showValue } from '@gradus/tensor';
import { requireRange } from './checks.ts';

/** A value for each step, which counts from 0. */
export interface Schedule {
  (step: number): number;
  /** What it is, as plain data for {@link scheduleFrom}. */
  toJSON(): ScheduleData;
}

/** A schedule as plain data: its name and what it was made with. */
export interface ScheduleData {
  readonly kind: string;
  readonly arguments: readonly unknown[];
}

function scheduled(kind: string, made: readonly unknown[], at: (step: number) => number): Schedule {
  return Object.assign((step: number): number => at(step), { toJSON: (): ScheduleData => ({ kind, arguments: made }) });
}

/** The same value at every step. */
export function constant(value: number): Schedule {
  requireRange('constant', 'at least 0', { value });
  return scheduled('constant', [value], () => value);
}

/** From one value to another in `steps` steps, in a straight line, and that one from there on. A warm-up, with `from` 0. */
export function linear(from: number, to: number, steps: number): Schedule {
  requireRange('linear', 'an integer of at least 1', { steps });
  return scheduled('linear', [from, to, steps], (step) => from + (to - from) * Math.min(1, step / steps));
}

/** Half a cosine wave from one value to another in `steps` steps. It goes on, and rises again, as PyTorch's `CosineAnnealingLR`. */
export function cosine(from: number, to: number, steps: number): Schedule {
  requireRange('cosine', 'an integer of at least 1', { steps });
  return scheduled('cosine', [from, to, steps], (step) => to + ((from - to) * (1 + Math.cos((Math.PI * step) / steps))) / 2);
}

/**
 * Half a cosine wave that starts anew after `steps` steps, then after `factor` times as many, and so on. Loshchilov and Hutter, "SGDR", 2017;
 * `CosineAnnealingWarmRestarts`.
 */
export function cosineRestarts(from: number, to: number, steps: number, factor = 1): Schedule {
  requireRange('cosineRestarts', 'an integer of at least 1', { steps, factor });
  return scheduled('cosineRestarts', [from, to, steps, factor], (step) => {
    let [at, period] = [step, steps];
    if (factor === 1) at = step % steps;
    else
      while (at >= period) {
        at -= period;
        period *= factor;
      }
    return to + ((from - to) * (1 + Math.cos((Math.PI * at) / period))) / 2;
  });
}

/** Multiplied by `factor` (0.1) every `every` steps. `StepLR`. */
export function stepDecay(from: number, every: number, factor = 0.1): Schedule {
  requireRange('stepDecay', 'an integer of at least 1', { every });
  return scheduled('stepDecay', [from, every, factor], (step) => from * factor ** Math.floor(step / every));
}

/** Multiplied by `factor` (0.1) at each of these steps; one named twice counts twice. `MultiStepLR`. */
export function multiStep(from: number, milestones: readonly number[], factor = 0.1): Schedule {
  for (const milestone of milestones) requireRange('multiStep', 'an integer of at least 0', { milestone });
  return scheduled('multiStep', [from, milestones, factor], (step) => from * factor ** milestones.filter((at) => at <= step).length);
}

/** Multiplied by `factor` in every step. `ExponentialLR`. */
export function exponentialDecay(from: number, factor: number): Schedule {
  requireRange('exponentialDecay', 'at least 0', { factor });
  return scheduled('exponentialDecay', [from, factor], (step) => from * factor ** step);
}

/** To 0 in `steps` steps, by the remaining share to a power (1). `PolynomialLR`. */
export function polynomial(from: number, steps: number, power = 1): Schedule {
  requireRange('polynomial', 'an integer of at least 1', { steps });
  return scheduled('polynomial', [from, steps, power], (step) => from * (1 - Math.min(steps, step) / steps) ** power);
}

/**
 * Up in a line over `warmupSteps` steps, then down with one over the root of the step. Vaswani et al., "Attention Is All You Need", 2017, whose step
 * is one more than this.
 */
export function inverseSquareRoot(peak: number, warmupSteps: number): Schedule {
  requireRange('inverseSquareRoot', 'an integer of at least 1', { warmupSteps });
  return scheduled(
    'inverseSquareRoot',
    [peak, warmupSteps],
    (step) => peak * Math.min((step + 1) / warmupSteps, Math.sqrt(warmupSteps / (step + 1))),
  );
}

/** Options of {@link oneCycle}. */
export interface OneCycleOptions {
  /** Share of the steps that rise, default 0.3. */
  readonly rise?: number;
  /** The first value is the peak divided by this, default 25. */
  readonly startFactor?: number;
  /** The last value is the first divided by this, default 1e4. */
  readonly endFactor?: number;
  /** Default `'cosine'`. */
  readonly shape?: 'cosine' | 'linear';
}

/** Up to a peak and far down in `steps` steps. Smith and Topin, "Super-Convergence", 2018; `OneCycleLR`. */
export function oneCycle(peak: number, steps: number, options: OneCycleOptions = {}): Schedule {
  const { rise = 0.3, startFactor = 25, endFactor = 1e4, shape = 'cosine' } = options;
  requireRange('oneCycle', 'an integer of at least 1', { steps });
  requireRange('oneCycle', 'from 0 to 1', { rise });
  requireRange('oneCycle', 'above 0', { startFactor, endFactor });
  const start = peak / startFactor;
  const way = (from: number, to: number, share: number): number =>
    shape === 'linear' ? from + (to - from) * share : to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
  const top = rise * steps - 1;
  return scheduled('oneCycle', [peak, steps, options], (step) => {
    const at = Math.min(step, steps - 1);
    return at <= top ? way(start, peak, at / top) : way(peak, start / endFactor, (at - top) / (steps - 1 - top));
  });
}

/** Options of {@link cyclic}. */
export interface CyclicOptions {
  /** Steps down, default as many as up. */
  readonly down?: number;
  /** `'triangular'`, the default; `'triangular2'` halves the height with each cycle; `'exponential'` multiplies it by `factor` in each step. */
  readonly mode?: 'triangular' | 'triangular2' | 'exponential';
  /** Default 1. */
  readonly factor?: number;
}

/** Up and down between two values, `up` steps up. Smith, "Cyclical Learning Rates for Training Neural Networks", 2017; `CyclicLR`. */
export function cyclic(low: number, high: number, up: number, options: CyclicOptions = {}): Schedule {
  const { down = up, mode = 'triangular', factor = 1 } = options;
  requireRange('cyclic', 'an integer of at least 1', { up, down });
  return scheduled('cyclic', [low, high, up, options], (step) => {
    const cycle = Math.floor(1 + step / (up + down));
    const x = 1 + step / (up + down) - cycle;
    const share = up / (up + down);
    const height = (high - low) * (x <= share ? x / share : (x - 1) / (share - 1));
    const scale = mode === 'triangular' ? 1 : mode === 'triangular2' ? 1 / 2 ** (cycle - 1) : factor ** step;
    return low + height * scale;
  });
}

/** One after the other: the first up to, without, the first of these steps; each counts from where it begins. `SequentialLR`; a warm-up on any. */
export function join(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  if (schedules.length !== boundaries.length + 1 || boundaries.some((at, i) => !Number.isInteger(at) || at <= (boundaries[i - 1] ?? 0)))
    throw new ArgumentError({
      op: 'join',
      expected: 'rising steps between schedules, one fewer than there are schedules',
      got: `${schedules.length} schedules and [${boundaries.join(', ')}]`,
      fix: 'write join([linear(0, 0.1, 500), cosine(0.1, 0, 9500)], [500]).',
    });
  return scheduled('join', [schedules.map((each) => each.toJSON()), boundaries], (step) => {
    const place = boundaries.filter((at) => at <= step).length;
    return schedules[place]?.(step - (boundaries[place - 1] ?? 0)) ?? NaN;
  });
}

/** The value of another times `factor`. */
export function scaledBy(schedule: Schedule, factor: number): Schedule {
  return scheduled('scaledBy', [schedule.toJSON(), factor], (step) => schedule(step) * factor);
}

type Maker = (...made: never[]) => Schedule;

/** A schedule from its description. @throws ArgumentError for one that is unknown, or what its maker refuses */
export function scheduleFrom(data: ScheduleData): Schedule {
  const makers: Readonly<Record<string, Maker>> = {
    constant,
    linear,
    cosine,
    cosineRestarts,
    stepDecay,
    multiStep,
    exponentialDecay,
    polynomial,
    inverseSquareRoot,
    oneCycle,
    cyclic,
    join: (parts: readonly ScheduleData[], boundaries: readonly number[]) => join(parts.map(scheduleFrom), boundaries),
    scaledBy: (part: ScheduleData, factor: number) => scaledBy(scheduleFrom(part), factor),
  };
  const kind = data?.kind;
  const maker = Object.hasOwn(makers, kind) ? makers[kind] : undefined;
  if (maker !== undefined && Array.isArray(data.arguments)) return maker(...(data.arguments as never[]));
  throw new ArgumentError({
    op: 'scheduleFrom',
    expected: `a schedule of the kinds ${Object.keys(makers).join(', ')}`,
    got: kind === undefined ? showValue(data) : showValue(kind),
  });
}
