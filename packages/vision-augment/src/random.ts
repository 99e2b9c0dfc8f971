/**
 * Streams of random numbers for augmentation. A number is a function of (seed, epoch, index of the sample, place in the pipeline, how many
 * were drawn there) and of nothing else: neither the order of calls nor the number of workers changes it.
 *
 * The bits are those of Threefry-2×32, as in `@gradus/tensor`.
 */

import { threefry } from '@gradus/tensor';
import { AugmentError } from './errors.ts';

const WORD = 2 ** 32;

/** Two 32-bit words. */
export type Words = readonly [number, number];

/** What an augmentation is a function of, besides the sample. Each is a whole number from 0 to 2^32 - 1, default 0. */
export interface StreamKey {
  readonly seed?: number;
  readonly epoch?: number;
  /** The index of the sample in its data set. */
  readonly index?: number;
}

/** The second word of the counter says what a block of bits is for. */
const FOR_NUMBERS = 0;
const FOR_CHILDREN = 1;

/** The random numbers of one place in one augmentation. */
export class Stream {
  /** The key of this place. What needs many numbers, such as noise, keeps the key of a child in its parameters. */
  readonly key: Words;
  #drawn = 0;

  constructor(key: Words) {
    this.key = key;
  }

  /** The stream of one sample in one epoch. @throws AugmentError for a key that is no 32-bit word */
  static of({ seed = 0, epoch = 0, index = 0 }: StreamKey): Stream {
    for (const [name, value] of Object.entries({ seed, epoch, index })) {
      if (!Number.isInteger(value) || value < 0 || value >= WORD)
        throw new AugmentError({ op: 'augment', expected: `a whole ${name} from 0 to 2^32 - 1`, got: String(value) });
    }
    return new Stream(threefry([seed, epoch], [index, 0]));
  }

  /** The stream of the `place`-th part of this one; what it draws does not depend on what was drawn here. */
  child(place: number): Stream {
    return new Stream(threefry(this.key, [place, FOR_CHILDREN]));
  }

  /** The next number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    return fraction(threefry(this.key, [this.#drawn++, FOR_NUMBERS]));
  }

  /** The next number between the ends of a range, or the number itself when it is one. */
  within(range: number | readonly [number, number]): number {
    if (typeof range === 'number') return range;
    return range[0] + (range[1] - range[0]) * this.uniform();
  }

  /** The next whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** The next number of the standard normal distribution, by the method of Box and Muller (1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The next number of the gamma distribution of `shape` (> 0) and scale 1: Marsaglia and Tsang, ACM TOMS 26 (2000). */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** The next number of the beta distribution. */
  beta(a: number, b: number): number {
    const x = this.gamma(a);
    const y = this.gamma(b);
    return x + y === 0 ? 0.5 : x / (x + y);
  }
}

/** The `at`-th two normal numbers of a key, for noise: Box and Muller on 32 bits each, so within 6.7 standard deviations. */
export function normalPair(key: Words, at: number): [number, number] {
  const [high, low] = threefry(key, [at, FOR_NUMBERS]);
  const radius = Math.sqrt(-2 * Math.log((high + 0.5) / WORD));
  const angle = (2 * Math.PI * low) / WORD;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

function fraction([high, low]: Words): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}
