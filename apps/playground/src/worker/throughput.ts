/** Images per second over the last moments of training. Only time spent training counts: not pauses, not tests. */

/** How much training to look back on, in milliseconds: long enough to be calm. */
const WINDOW_MS = 1500;

/** See above. Times are in milliseconds. */
export class Throughput {
  /** Images so far, by the time spent training so far. */
  #samples: { readonly at: number; readonly images: number }[] = [{ at: 0, images: 0 }];
  #since = 0;

  /** Forgets what was measured: another device. */
  reset(): void {
    this.#samples = [{ at: 0, images: 0 }];
  }

  /** Training goes on now. */
  resume(now: number): void {
    this.#since = now;
  }

  /** So many images more, trained on since it went on, or since the last call. */
  add(images: number, now: number): void {
    const last = this.#samples.at(-1) ?? { at: 0, images: 0 };
    const at = last.at + now - this.#since;
    this.#since = now;
    this.#samples.push({ at, images: last.images + images });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) >= WINDOW_MS) this.#samples.shift();
  }

  /** Images per second; 0 before the first. */
  get rate(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return ((last.images - first.images) * 1000) / (last.at - first.at);
  }
}
