/**
 * Metrics over many batches: `update` with each, `compute` at the end.
 *
 * A batch becomes a few numbers for each example on its device; they are read in the background and counted in float64 on the host. So `update`
 * waits for nothing, no tensor stays, and what `compute` gives does not depend on how the examples were divided into batches, up to rounding.
 * The *state* is plain numbers: workers send theirs as JSON, and `merge` puts them together.
 */

import { ArgumentError, compose, data, noGrad, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** What a metric has seen, as JSON. */
export interface MetricState {
  /** The metric and its settings: states of one kind can be merged. */
  readonly metric: string;
  readonly numbers: readonly number[];
}

/** Numbers read from a tensor. */
export type Numbers = ArrayLike<number>;

/** What all streaming metrics have. */
export abstract class StreamingMetric<Result> {
  readonly #metric: string;
  #numbers: number[];
  /** Ends when all that was given before is counted. */
  #counted: Promise<void> = Promise.resolve();

  /** @param metric names the metric with its settings */
  constructor(metric: string) {
    this.#metric = metric;
    this.#numbers = [];
  }

  /** Adds numbers of a state, or of a batch, to those there are; none yet when it is empty. */
  protected abstract combine(into: number[], more: Numbers): void;

  /** The metric of these numbers; of none, as of no examples. */
  protected abstract result(numbers: readonly number[]): Result;

  /** Reads what `summarize` makes, and combines what `count` makes of it. */
  protected count(summarize: () => readonly Tensor[], count: (...read: Numbers[]) => Numbers): void {
    const summary = compose(() => noGrad(summarize));
    const reading = Promise.all(
      summary.map(async (t) => {
        const elements = data(t);
        t.dispose();
        return elements;
      }),
    );
    this.#then(async (into) => this.combine(into, count(...(await reading))));
    // The error is that of what waits for it: without this, it would be an unhandled one as well.
    reading.catch(() => undefined);
  }

  /** The metric of all that was given since the last reset. @throws what an update could only find out by reading */
  async compute(): Promise<Result> {
    await this.#counted;
    return this.result(this.#numbers);
  }

  /** All that was given since the last reset, as plain data. */
  async state(): Promise<MetricState> {
    await this.#counted;
    return { metric: this.#metric, numbers: [...this.#numbers] };
  }

  /** Adds what another worker has seen. @throws ArgumentError for a state of another metric, or of other settings */
  merge(state: MetricState): void {
    if (state?.metric !== this.#metric || !Array.isArray(state.numbers) || !state.numbers.every((n) => typeof n === 'number'))
      throw new ArgumentError({
        op: 'merge',
        expected: `a state of ${this.#metric}`,
        got: showValue(state?.metric ?? state),
        fix: 'merge states of equal settings.',
      });
    const numbers = [...state.numbers];
    this.#then(async (into) => this.combine(into, numbers));
  }

  /** Forgets all that was given. */
  reset(): void {
    this.#numbers = [];
    this.#counted = Promise.resolve();
  }

  #then(step: (into: number[]) => Promise<void>): void {
    const into = this.#numbers;
    this.#counted = this.#counted.then(() => step(into));
    this.#counted.catch(() => undefined);
  }
}

/** A metric whose numbers are sums: states are added, element by element. */
export abstract class SummedMetric<Result> extends StreamingMetric<Result> {
  protected override combine(into: number[], more: Numbers): void {
    for (let i = 0; i < more.length; i++) into[i] = (into[i] ?? 0) + (more[i] ?? 0);
  }
}

/** A metric that needs all examples: states are put one after the other. */
export abstract class CollectedMetric<Result> extends StreamingMetric<Result> {
  protected override combine(into: number[], more: Numbers): void {
    for (let i = 0; i < more.length; i++) into.push(more[i] ?? NaN);
  }
}

/** @throws ArgumentError unless it is a whole number of at least `min` */
export function requireWhole(op: string, name: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min)
    throw new ArgumentError({ op, expected: `a whole number of at least ${min} for ${name}`, got: showValue(value) });
}

/** The sum of what is read. */
export function totalOf(values: Numbers): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? NaN;
  return total;
}
