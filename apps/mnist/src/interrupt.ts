/** Ctrl-C: the first asks to stop, a later one ends the program. */

/** What a terminal makes of Ctrl-C: 128 and the number of SIGINT. */
export const INTERRUPTED = 130;

/** After the first Ctrl-C others are ignored for so long, in milliseconds: npm passes on the signal that the terminal has sent already. */
const ECHO_MS = 1000;

/** Where signals come from: `process`. */
export interface SignalSource {
  on(event: 'SIGINT', listener: () => void): unknown;
  off(event: 'SIGINT', listener: () => void): unknown;
}

/** Listens for Ctrl-C until it is disposed. */
export class Interrupt implements Disposable {
  readonly #source: SignalSource;
  readonly #exit: (code: number) => void;
  readonly #now: () => number;
  readonly #controller = new AbortController();
  #first = 0;

  constructor(source: SignalSource, exit: (code: number) => void, now: () => number = () => performance.now()) {
    this.#source = source;
    this.#exit = exit;
    this.#now = now;
    source.on('SIGINT', this.#hear);
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #hear = (): void => {
    if (!this.signal.aborted) {
      this.#first = this.#now();
      this.#controller.abort();
    } else if (this.#now() - this.#first >= ECHO_MS) {
      this.#exit(INTERRUPTED);
    }
  };

  [Symbol.dispose](): void {
    this.#source.off('SIGINT', this.#hear);
  }
}
