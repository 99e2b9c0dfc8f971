/** Scratch memory: what fast paths calculate in. */

import { OutOfMemoryError } from '@gradus/backend';

/** Memory for intermediate values that grows as needed and is kept from call to call; not part of `allocatedBytes`. */
export class Scratch<T extends Float64Array | Int32Array> {
  readonly #make: (length: number) => T;
  #memory: T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#memory = make(0);
  }

  /** At least `length` elements with unspecified contents, until the next call. @throws OutOfMemoryError */
  get(length: number): T {
    if (this.#memory.length < length) this.#memory = this.#grown(length);
    return this.#memory;
  }

  #grown(length: number): T {
    try {
      return this.#make(length);
    } catch (cause) {
      throw new OutOfMemoryError(
        { op: 'cpu.run', expected: 'room for intermediate values', got: `${length} numbers`, fix: 'use smaller batches.' },
        { cause },
      );
    }
  }
}

/** Scratch memory for float64 numbers. */
export function floatScratch(): Scratch<Float64Array> {
  return new Scratch<Float64Array>((length) => new Float64Array(length));
}

/** Scratch memory for int32 numbers. */
export function integerScratch(): Scratch<Int32Array> {
  return new Scratch<Int32Array>((length) => new Int32Array(length));
}
