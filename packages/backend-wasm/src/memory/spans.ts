/** Which bytes of a range are free: spans sorted by offset, neighbours joined; the smallest that fits is taken. */

/** Spans begin at multiples of this: a cache line. */
export const ALIGNMENT = 64;

interface Span {
  offset: number;
  size: number;
}

/** The bytes that `byteLength` bytes take up. */
export function paddedSize(byteLength: number): number {
  return Math.max(ALIGNMENT, Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT);
}

/** The free spans of a growing range. */
export class FreeSpans {
  readonly #spans: Span[] = [];

  /** Takes `size` bytes; -1 where there is no room. */
  take(size: number): number {
    let best = -1;
    this.#spans.forEach((span, at) => {
      if (span.size >= size && (best < 0 || span.size < (this.#spans[best]?.size ?? 0))) best = at;
    });
    const span = this.#spans[best];
    if (span === undefined) return -1;
    const { offset } = span;
    span.offset += size;
    span.size -= size;
    if (span.size === 0) this.#spans.splice(best, 1);
    return offset;
  }

  /** Gives bytes back, or adds new ones. */
  give(offset: number, size: number): void {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#spans[middle]?.offset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    const before = this.#spans[low - 1];
    const after = this.#spans[low];
    const joinsBefore = before !== undefined && before.offset + before.size === offset;
    const joinsAfter = after !== undefined && offset + size === after.offset;
    if (joinsBefore && joinsAfter) {
      before.size += size + after.size;
      this.#spans.splice(low, 1);
    } else if (joinsBefore) before.size += size;
    else if (joinsAfter) {
      after.offset = offset;
      after.size += size;
    } else this.#spans.splice(low, 0, { offset, size });
  }

  /** Free bytes at the very end of a range that ends at `end`. */
  freeAtEnd(end: number): number {
    const last = this.#spans.at(-1);
    return last !== undefined && last.offset + last.size === end ? last.size : 0;
  }
}
