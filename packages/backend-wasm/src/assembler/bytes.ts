/** A growing run of bytes, with the number formats of WebAssembly's binary encoding (WebAssembly Core Specification 2.0, chapter 5). */

const INITIAL_BYTES = 256;

/** Bytes being written. */
export class Bytes {
  #data = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written so far; valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(wanted, 2 * this.#data.length));
    grown.set(this.view());
    this.#data = grown;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#data[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#data.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** An unsigned LEB128 number of up to 32 bits. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed LEB128 number of up to 32 bits. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
      this.byte(done ? low : low | 0x80);
      if (done) return;
    }
  }

  /** A length, then the characters, which are ASCII in all our names. */
  name(text: string): void {
    this.unsigned(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  float32(value: number): void {
    this.append(new Uint8Array(new Float32Array([value]).buffer));
  }

  float64(value: number): void {
    this.append(new Uint8Array(new Float64Array([value]).buffer));
  }

  /** A length in bytes, then the bytes. */
  sized(part: Bytes): void {
    this.unsigned(part.length);
    this.append(part.view());
  }
}
