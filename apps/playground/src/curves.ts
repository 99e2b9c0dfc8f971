/** The points of the charts: rows over images seen, thinned by halves when there are many, so that hours of training fit a screen. */

import type { Evaluation, Progress } from './protocol.ts';

/** More rows than this are more than a screen has columns for. */
const MOST_ROWS = 1200;

/** One moment. What was not measured then is null. */
export interface Row {
  readonly images: number;
  readonly loss: number | null;
  /** On the batches of training, and on test images; shares from 0 to 1. */
  readonly training: number | null;
  readonly test: number | null;
}

/** See above. */
export class Curves {
  #rows: Row[] = [];

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Forgets everything. */
  clear(): void {
    this.#rows = [];
  }

  addProgress({ images, loss, accuracy }: Progress): void {
    this.#add({ images, loss, training: accuracy, test: null });
  }

  addEvaluation({ images, accuracy }: Evaluation): void {
    this.#add({ images, loss: null, training: null, test: accuracy });
  }

  #add(row: Row): void {
    const last = this.#rows.at(-1);
    if (last?.images === row.images) this.#rows[this.#rows.length - 1] = merged(last, row);
    else this.#rows.push(row);
    if (this.#rows.length <= MOST_ROWS) return;
    this.#rows = this.#rows.flatMap((each, i) => {
      if (i % 2 === 1) return [];
      const next = this.#rows[i + 1];
      return [next === undefined ? each : merged(each, next)];
    });
  }
}

/** Two rows as one at the place of the second: means of what both have, but the later test, which looked at a whole set of images. */
function merged(a: Row, b: Row): Row {
  return { images: b.images, loss: mean(a.loss, b.loss), training: mean(a.training, b.training), test: b.test ?? a.test };
}

function mean(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : (a + b) / 2;
}
