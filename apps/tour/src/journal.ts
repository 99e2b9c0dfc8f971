/** What the tour has done and found so far: printed at once, and kept for the report. */

import type { Bin } from './measure.ts';

/** A line of a chart. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Curves over one x. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  /** `log`: y is above 0, and shown by its logarithm. `share`: y is from 0 to 1, and shown in percent. */
  readonly y: 'log' | 'share';
  readonly curves: readonly Curve[];
}

/** A picture file. */
export interface Picture {
  readonly caption: string;
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A model in the table. */
export interface Row {
  readonly model: string;
  /** The share of test images that are right. */
  readonly accuracy: number;
  /** Mean of -log p at the labels; null for models that give no probabilities, as the next two. */
  readonly nll: number | null;
  /** Expected calibration error, from 0 to 1, in 15 bins. */
  readonly ece: number | null;
  readonly reliability: readonly Bin[] | null;
  /** Of the safetensors file. */
  readonly bytes: number;
  readonly imagesPerSecond: number;
}

/** A step of the tour. */
export interface Chapter {
  readonly title: string;
  readonly lines: string[];
  readonly charts: Chart[];
  readonly pictures: Picture[];
}

/** Prints and keeps. */
export class Journal {
  readonly chapters: Chapter[] = [];
  readonly rows: Row[] = [];
  readonly #out: NodeJS.WritableStream;

  constructor(out: NodeJS.WritableStream) {
    this.#out = out;
  }

  /** A new step, with its heading. */
  begin(title: string): void {
    this.chapters.push({ title, lines: [], charts: [], pictures: [] });
    this.#out.write(`${this.chapters.length === 1 ? '' : '\n'}${title}\n`);
  }

  /** A line of the current step. */
  say(line: string): void {
    this.chapters.at(-1)?.lines.push(line);
    this.#out.write(`  ${line}\n`);
  }

  /** A chart of the current step. */
  chart(chart: Chart): void {
    this.chapters.at(-1)?.charts.push(chart);
  }

  /** A picture of the current step. */
  picture(picture: Picture): void {
    this.chapters.at(-1)?.pictures.push(picture);
  }
}
