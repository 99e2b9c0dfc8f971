/** How far training is: a bar on a terminal, about ten plain lines an epoch elsewhere. */

import { SingleBar } from 'cli-progress';

/** Lines in an epoch where there is no terminal, unless the plan says otherwise. */
const LINES = 10;

/** Where progress is shown: `process.stderr`. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** What there is to do. */
export interface ProgressPlan {
  readonly epochs: number;
  /** Images in an epoch. */
  readonly images: number;
  /** What is trained, to tell several apart. Default: not said. */
  readonly name?: string;
  /** Lines in an epoch where there is no terminal. Default 10. */
  readonly lines?: number;
  readonly stream: ProgressStream;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** Shows one epoch after the other. */
export interface Progress {
  /** A new epoch, counted from 1. */
  begin(epoch: number): void;
  /** So many images of this epoch are done, with this mean loss. */
  update(images: number, loss: number): void;
  /** The epoch is over, done or not. */
  end(): void;
}

/** A bar if the stream is a terminal, else lines. */
export function createProgress(plan: ProgressPlan): Progress {
  return plan.stream.isTTY === true ? new Bar(plan) : new Lines(plan);
}

/** The numbers beside a bar, as text. */
interface Reading {
  readonly percent: string;
  readonly rate: string;
  readonly loss: string;
  readonly left: string;
}

/** Measures an epoch. */
class Meter {
  readonly #plan: ProgressPlan;
  #start = 0;

  constructor(plan: ProgressPlan) {
    this.#plan = plan;
  }

  begin(): void {
    this.#start = this.#plan.now();
  }

  read(images: number, loss: number): Reading {
    const seconds = Math.max(this.#plan.now() - this.#start, 1) / 1000;
    const rate = images / seconds;
    return {
      percent: `${Math.floor((100 * images) / this.#plan.images)} %`,
      rate: `${Math.round(rate).toLocaleString('en')} images/s`,
      loss: `loss ${loss.toFixed(4)}`,
      left: `${Math.ceil((this.#plan.images - images) / Math.max(rate, Number.EPSILON))} s left`,
    };
  }
}

/** The plan's name, before what is said of an epoch. */
function prefixOf({ name }: ProgressPlan): string {
  return name === undefined ? '' : `${name}: `;
}

const NOTHING_YET: Reading = { percent: '0 %', rate: '', loss: '', left: '' };

class Bar implements Progress {
  readonly #plan: ProgressPlan;
  readonly #meter: Meter;
  readonly #bar: SingleBar;

  constructor(plan: ProgressPlan) {
    this.#plan = plan;
    this.#meter = new Meter(plan);
    this.#bar = new SingleBar({
      format: `${prefixOf(plan)}epoch {epoch} {bar} {percent}  {rate}  {loss}  {left}`,
      stream: plan.stream,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      clearOnComplete: true,
      linewrap: true, // left on, like the cursor: a second Ctrl-C ends the program without a chance to put them back
      gracefulExit: false, // Ctrl-C is ours
    });
  }

  begin(epoch: number): void {
    this.#meter.begin();
    this.#bar.start(this.#plan.images, 0, { epoch: `${epoch}/${this.#plan.epochs}`, ...NOTHING_YET });
  }

  update(images: number, loss: number): void {
    this.#bar.update(images, this.#meter.read(images, loss));
  }

  end(): void {
    this.#bar.stop();
  }
}

class Lines implements Progress {
  readonly #plan: ProgressPlan;
  readonly #meter: Meter;
  #epoch = 0;
  /** Parts of the epoch that have their line. */
  #shown = 0;

  constructor(plan: ProgressPlan) {
    this.#plan = plan;
    this.#meter = new Meter(plan);
  }

  begin(epoch: number): void {
    this.#meter.begin();
    this.#epoch = epoch;
    this.#shown = 0;
  }

  update(images: number, loss: number): void {
    const part = Math.floor(((this.#plan.lines ?? LINES) * images) / this.#plan.images);
    if (part <= this.#shown) return;
    this.#shown = part;
    const { percent, rate, loss: lossText, left } = this.#meter.read(images, loss);
    this.#plan.stream.write(
      `${prefixOf(this.#plan)}epoch ${this.#epoch}/${this.#plan.epochs}  ${percent.padStart(5)}  ${lossText}  ${rate}  ${left}\n`,
    );
  }

  end(): void {
    // A line stands as it is.
  }
}
