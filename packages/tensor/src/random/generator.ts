/**
 * Generators: where random numbers come from. A generator is a seed, a stream, and a counter that says how many were drawn.
 *
 * A draw takes its counters when it is made; so the same seed gives the same numbers whatever is computed when, on any device.
 */

import { ArgumentError } from '../errors.ts';
import { threefry } from './threefry.ts';

const WORD = 2 ** 32;

/** The state of a generator, as saved in checkpoints. */
export interface GeneratorState {
  readonly seed: number;
  readonly stream: number;
  readonly counter: number;
}

/** Key and first counter of a draw, as four 32-bit words. */
export interface Draw {
  readonly key: readonly [number, number];
  readonly counter: readonly [number, number];
}

/** A reproducible source of random numbers. */
export class Generator {
  #seed: number;
  readonly #stream: number;
  #counter = 0;

  /** @param seed a whole number from 0 to 2^32 - 1. @param stream another sequence of the same seed, default 0 */
  constructor(seed: number, stream = 0) {
    this.#seed = checkWord('seed', seed);
    this.#stream = checkWord('stream', stream);
  }

  /** Reserves `count` numbers. */
  draw(count: number): Draw {
    const start = this.#counter;
    this.#counter += count;
    return { key: [this.#seed, this.#stream], counter: [start % WORD, Math.floor(start / WORD)] };
  }

  /** Starts over from `seed`. */
  reseed(seed: number): void {
    this.#seed = checkWord('seed', seed);
    this.#counter = 0;
  }

  get state(): GeneratorState {
    return { seed: this.#seed, stream: this.#stream, counter: this.#counter };
  }

  /** Goes on from a saved state. @throws ArgumentError when it is of another stream */
  restore(state: GeneratorState): void {
    if (state.stream !== this.#stream)
      throw new ArgumentError({ op: 'Generator', expected: `a state of stream ${this.#stream}`, got: `stream ${state.stream}` });
    this.#seed = checkWord('seed', state.seed);
    this.#counter = state.counter;
  }
}

function checkWord(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= WORD)
    throw new ArgumentError({ op: 'Generator', expected: `a ${name} from 0 to 2^32 - 1`, got: String(value) });
  return value;
}

/** What draws without a generator or seed of their own use; seeded by {@link manualSeed}. */
export const defaultGenerator: Generator = /* @__PURE__ */ new Generator(0);

/** Seeds the default generator: initial weights, dropout, `randn` and the like repeat. */
export function manualSeed(seed: number): void {
  defaultGenerator.reseed(seed);
}

/** The whole numbers below `count` in random order: a function of (seed, stream) alone. */
export function permutationOf(count: number, seed: number, stream = 0): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  // Fisher and Yates, from the end; a 53-bit fraction makes the bias of the multiplication negligible.
  for (let i = count - 1; i > 0; i--) {
    const [high, low] = threefry([checkWord('seed', seed), checkWord('stream', stream)], [i, 0]);
    const fraction = ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
    const j = Math.floor(fraction * (i + 1));
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
  return order;
}
