/**
 * Frames: how a launch's numbers reach the code. A frame is a run of 32-bit words in memory; the code is given its address.
 *
 * Code asks for a word by a name of its choice (`size0`, `stride1_2`), which gives the word its place; a launch fills in words by name.
 */

import type { Code } from '../assembler/code.ts';
import { f32, i32 } from '../assembler/instructions.ts';
import type { F32, I32 } from '../assembler/value.ts';

const WORD_BYTES = 4;

/** The names of a frame's words, in order of their places. */
export class FrameLayout {
  readonly #places = new Map<string, number>();

  /** The place of a word, in words. */
  place(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const made = this.#places.size;
    this.#places.set(name, made);
    return made;
  }

  get names(): readonly string[] {
    return [...this.#places.keys()];
  }
}

/** A frame as code sees it. */
export class Frame {
  readonly #code: Code;
  readonly #layout: FrameLayout;
  readonly #address: I32;
  readonly #known = new Map<string, I32>();

  constructor(code: Code, layout: FrameLayout, address: I32) {
    this.#code = code;
    this.#layout = layout;
    this.#address = address;
  }

  /** Loads a word for all code that follows; so only where that is reached through here. */
  preload(name: string): I32 {
    const made = this.#code.let(i32.load(this.#address, WORD_BYTES * this.#layout.place(name)));
    this.#known.set(name, made);
    return made;
  }

  /** A word: the one loaded before, or loaded here. */
  word(name: string): I32 {
    return this.#known.get(name) ?? this.#code.let(i32.load(this.#address, WORD_BYTES * this.#layout.place(name)));
  }

  /** A word that holds a float32. */
  float(name: string): F32 {
    return f32.load(this.#address, WORD_BYTES * this.#layout.place(name));
  }
}
