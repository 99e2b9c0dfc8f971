/**
 * Frames: what a program is told about one run, as 32-bit words in a uniform buffer. Sizes, offsets and strides are words, and so are scalar
 * arguments; so code depends on a kernel's structure alone.
 */

import { DTYPES, isFloat, roundToFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';

/** What a word is calculated from: the `dims` of a run. */
export type WordRule = (dims: Int32Array) => number;

/** A scalar argument's place among the words. */
export interface ScalarWord {
  readonly at: number;
  readonly index: number;
  readonly dtype: DType;
}

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;

/** The words of a program, added one by one while its text is written. */
export class Frame {
  readonly #rules: WordRule[] = [];
  readonly #dims = new Map<number, string>();
  readonly #scalars = new Map<number, string>();
  readonly scalars: ScalarWord[] = [];

  /** An int32 word with its own rule; gives the text that reads it. */
  word(rule: WordRule): string {
    const at = this.#rules.push(rule) - 1;
    return `frame[${at >> 2}].${COMPONENTS[at & 3] ?? 'x'}`;
  }

  /** The word with an entry of `dims`. */
  dim(index: number): string {
    const known = this.#dims.get(index);
    if (known !== undefined) return known;
    const text = this.word((dims) => dims[index] ?? 0);
    this.#dims.set(index, text);
    return text;
  }

  /** Scalar argument `index`, as a value of its dtype. */
  scalar(index: number, dtype: DType): string {
    const known = this.#scalars.get(index);
    if (known !== undefined) return known;
    const at = this.#rules.length;
    const word = this.word(() => 0);
    this.scalars.push({ at, index, dtype });
    const text = isFloat(dtype)
      ? `bitcast<f32>(${word})`
      : DTYPES[dtype].kind === 'uint'
        ? `bitcast<u32>(${word})`
        : dtype === 'bool'
          ? `(${word} != 0)`
          : word;
    this.#scalars.set(index, text);
    return text;
  }

  /** Words that the declaration needs room for: whole vectors of four, one at least. */
  get length(): number {
    return Math.max(4, Math.ceil(this.#rules.length / 4) * 4);
  }

  /** The words of a run, scalars left at 0. */
  fill(dims: Int32Array): Int32Array {
    const words = new Int32Array(this.length);
    this.#rules.forEach((rule, i) => (words[i] = rule(dims)));
    return words;
  }
}

const convertor = new Float32Array(1);
const converted = new Int32Array(convertor.buffer);

/** A scalar argument as a word. */
export function scalarBits(value: number, dtype: DType): number {
  if (!isFloat(dtype)) return dtype === 'bool' ? Number(value !== 0) : value | 0;
  convertor[0] = roundToFloat(dtype, value);
  return converted[0] ?? 0;
}
