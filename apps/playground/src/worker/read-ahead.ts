/**
 * Results that are read while later ones are computed. Reading from a graphics card takes as long as many steps on it; on a slow device each step
 * takes longer than anybody wants to wait. So as many results are left under way as come within a short time, and one where they do not.
 */

/** Results that take longer than this, in milliseconds, are not piled up: training could not be stopped soon. */
const SOON_MS = 25;

/** As many as hide the way to a graphics card and back. */
const MOST = 8;

/** See above. Results come out in the order in which they were put in. */
export class ReadAhead<T> {
  readonly #now: () => number;
  readonly #onResult: (result: T) => void;
  readonly #underWay: { readonly result: Promise<T>; readonly since: number }[] = [];
  #most = 1;

  /** @param now a clock, in milliseconds */
  constructor(now: () => number, onResult: (result: T) => void) {
    this.#now = now;
    this.#onResult = onResult;
  }

  /** How many results may be under way at present. */
  get most(): number {
    return this.#most;
  }

  /** Adds a result, and waits until no more than {@link most} are under way. @throws what a result was rejected with */
  async add(result: Promise<T>): Promise<void> {
    result.catch(() => undefined); // thrown in its turn
    this.#underWay.push({ result, since: this.#now() });
    while (this.#underWay.length > this.#most) await this.#takeOne();
  }

  /** Waits for all. @throws what a result was rejected with */
  async finish(): Promise<void> {
    while (this.#underWay.length > 0) await this.#takeOne();
  }

  async #takeOne(): Promise<void> {
    const first = this.#underWay.shift();
    if (first === undefined) return;
    const result = await first.result;
    this.#most = this.#now() - first.since <= SOON_MS ? Math.min(MOST, this.#most + 1) : 1;
    this.#onResult(result);
  }
}
