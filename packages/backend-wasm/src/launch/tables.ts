/** Numbers that code looks up, collected for one launch. */

const WORD_BYTES = 4;

/** Tables of one launch, one after the other. */
export class Tables {
  readonly #parts: (readonly number[])[] = [];
  #length = 0;

  /** The byte offset of a new table. */
  add(numbers: readonly number[]): number {
    const at = WORD_BYTES * this.#length;
    this.#parts.push(numbers);
    this.#length += numbers.length;
    return at;
  }

  finish(): Int32Array {
    const all = new Int32Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
