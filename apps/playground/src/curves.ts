/**
 * The points of the charts: rows over images seen. When there are more than a screen can show, neighbours become one, and so do later ones; so hours
 * of training fit, all equally dense.
 */

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

/** A row, and how many reports of progress it stands for. */
interface Sum extends Row {
  readonly reports: number;
}

/** See above. */
export class Curves {
  #rows: Sum[] = [];
  /** Reports of progress in a row. */
  #stride = 1;

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Forgets everything. */
  clear(): void {
    this.#rows = [];
    this.#stride = 1;
  }

  /** Forgets what came after so many images. */
  rewind(images: number): void {
    this.#rows = this.#rows.filter((row) => row.images <= images);
  }

  addProgress({ images, loss, accuracy }: Progress): void {
    const last = this.#rows.at(-1);
    this.#add({ images, loss, training: accuracy, test: null, reports: 1 }, last !== undefined && last.reports < this.#stride);
  }

  addEvaluation({ images, accuracy }: Evaluation): void {
    this.#add({ images, loss: null, training: null, test: accuracy, reports: 0 }, this.#rows.at(-1)?.images === images);
  }

  #add(row: Sum, toLast: boolean): void {
    const last = toLast ? this.#rows.pop() : undefined;
    this.#rows.push(last === undefined ? row : merged(last, row));
    if (this.#rows.length <= MOST_ROWS) return;
    this.#stride *= 2;
    this.#rows = this.#rows.flatMap((each, i) => {
      if (i % 2 === 1) return [];
      const next = this.#rows[i + 1];
      return [next === undefined ? each : merged(each, next)];
    });
  }
}

/** Two rows as one at the place of the second: means of what was measured, but the later test, which looked at many images. */
function merged(a: Sum, b: Sum): Sum {
  const reports = a.reports + b.reports;
  const mean = (x: number | null, y: number | null): number | null => {
    return x === null ? y : y === null ? x : (x * a.reports + y * b.reports) / reports;
  };
  return { images: b.images, loss: mean(a.loss, b.loss), training: mean(a.training, b.training), test: b.test ?? a.test, reports };
}
