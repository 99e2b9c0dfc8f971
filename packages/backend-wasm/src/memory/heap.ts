/** The linear memory of a device: what is handed out of it, and the views that JavaScript sees it through. */

import { webAssembly } from '../engine/webassembly.ts';
import type { Memory } from '../engine/webassembly.ts';
import { ALIGNMENT, FreeSpans, paddedSize } from './spans.ts';

export const PAGE_BYTES = 65_536;
/** All that 32-bit addresses reach. */
export const MAXIMUM_PAGES = 65_536;
const INITIAL_PAGES = 16;
/** Memory grows by a quarter at least, so that growing is rare. */
const GROWTH = 1.25;
/** Never handed out: reading an element past a block's end, where the code then discards it, stays inside the memory. */
const GUARD_BYTES = ALIGNMENT;

/** One memory, handed out in spans. */
export class Heap {
  readonly memory: Memory;
  readonly #spans = new FreeSpans();
  #end: number;
  #bytes: Uint8Array;
  #words: Int32Array;
  #floats: Float32Array;

  constructor(shared: boolean) {
    this.memory = new (webAssembly().Memory)({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared });
    this.#end = INITIAL_PAGES * PAGE_BYTES - GUARD_BYTES;
    // Address 0 stays unused, as it does everywhere.
    this.#spans.give(ALIGNMENT, this.#end - ALIGNMENT);
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#words = new Int32Array(this.memory.buffer);
    this.#floats = new Float32Array(this.memory.buffer);
  }

  /** The whole memory; do not keep: growing makes new ones. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get words(): Int32Array {
    return this.#words;
  }

  get floats(): Float32Array {
    return this.#floats;
  }

  /** Room for `byteLength` bytes; -1 where the memory cannot grow any more. */
  take(byteLength: number): number {
    const size = paddedSize(byteLength);
    const offset = this.#spans.take(size);
    if (offset >= 0) return offset;
    return this.#grow(size) ? this.#spans.take(size) : -1;
  }

  /** Gives back what `take` gave for so many bytes. */
  give(offset: number, byteLength: number): void {
    this.#spans.give(offset, paddedSize(byteLength));
  }

  #grow(size: number): boolean {
    const pages = this.#bytes.length / PAGE_BYTES;
    const missing = Math.ceil((size - this.#spans.freeAtEnd(this.#end)) / PAGE_BYTES);
    const possible = MAXIMUM_PAGES - pages;
    // What cannot be had in full is not begun: memory never shrinks again.
    if (missing > possible) return false;
    const wished = Math.min(Math.max(missing, Math.ceil(pages * (GROWTH - 1))), possible);
    return this.#tryGrow(wished) || (wished > missing && this.#tryGrow(missing));
  }

  #tryGrow(pages: number): boolean {
    if (pages <= 0) return false;
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#words = new Int32Array(this.memory.buffer);
    this.#floats = new Float32Array(this.memory.buffer);
    const end = this.#bytes.length - GUARD_BYTES;
    this.#spans.give(this.#end, end - this.#end);
    this.#end = end;
    return true;
  }
}
