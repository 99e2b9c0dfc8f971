/** Images per second over the last moments of training; pauses do not count. */

/** How far back to look, in milliseconds: long enough to be calm, short enough to follow a change of device. */
const WINDOW_MS = 1500;

/** See above. Times are in milliseconds. */
export class Throughput {
  #samples: { readonly at: number; readonly images: number }[] = [];
  #images = 0;

  /** Training begins, or goes on, now. */
  begin(now: number): void {
    this.#images = 0;
    this.#samples = [{ at: now, images: 0 }];
  }

  /** So many images more. */
  add(images: number, now: number): void {
    this.#images += images;
    this.#samples.push({ at: now, images: this.#images });
    while (this.#samples.length > 2 && now - (this.#samples[1]?.at ?? now) >= WINDOW_MS) this.#samples.shift();
  }

  /** Images per second; 0 before the first. */
  get rate(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return ((last.images - first.images) * 1000) / (last.at - first.at);
  }
}
