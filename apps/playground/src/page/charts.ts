/** The two charts over images seen: loss, and accuracies; with a line wherever the device changed. Drawn by uPlot, in the page's own colours. */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Row } from '../curves.ts';
import { element } from './elements.ts';
import { drawMoves } from './moves.ts';
import type { Move } from './moves.ts';
import { percent } from './words.ts';

const HEIGHT = 190;
/** How far the empty charts reach: where training begins, and the loss of a guess among ten, the logarithm of 10. */
const FIRST_IMAGES = 10_000;
const FIRST_LOSS = 2.3;
const FONT = '11px system-ui, sans-serif';

/** A colour of the style sheet, as it is now. */
const colour = (name: string) => (): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** `800`, `12k` */
const short = (images: number): string => (images >= 1000 ? `${images / 1000}k` : String(images));

/** What is drawn in a chart. */
interface Line {
  readonly label: string;
  readonly colour: string;
  readonly width: number;
  readonly points: boolean;
}

/** A chart before it has any points. */
interface Blank {
  readonly target: HTMLElement;
  readonly lines: readonly Line[];
  readonly y: uPlot.Scale;
  /** Of the ticks of y. */
  readonly labels: (value: number) => string;
  readonly moves: () => readonly Move[];
  /** Where devices are named: away from the curves. */
  readonly namesAt: 'top' | 'bottom';
}

function makeChart({ target, lines, y, labels, moves, namesAt }: Blank): uPlot {
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    font: FONT,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    gap: 4,
  };
  const chart = new uPlot(
    {
      width: target.clientWidth,
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: (_, __, most) => [0, most || FIRST_IMAGES] }, y },
      axes: [
        { ...axis, size: 26, values: (_, ticks) => ticks.map(short) },
        { ...axis, size: 44, values: (_, ticks) => ticks.map(labels) },
      ],
      series: [
        {},
        ...lines.map(({ label, colour: name, width, points }) => {
          return { label, stroke: colour(name), width, spanGaps: true, points: { show: points, size: 5, fill: colour(name) } };
        }),
      ],
      hooks: { draw: [(plot) => drawMoves(plot, moves(), colour('--muted')(), namesAt)] },
    },
    [[], ...lines.map(() => [])],
    target,
  );
  new ResizeObserver(() => chart.setSize({ width: target.clientWidth, height: HEIGHT })).observe(target);
  return chart;
}

/** The tens of percents below the first tests: what comes later is seen better without the empty space under it. */
function leastTest(rows: readonly Row[]): number {
  const least = rows.reduce((sofar, { test }) => Math.min(sofar, test ?? 1), 1);
  return least === 1 ? 0 : Math.max(0, Math.floor(10 * least - 1) / 10);
}

/** The charts; {@link Charts.show} draws, {@link Charts.describe} says the same in words. */
export class Charts {
  readonly #lossTarget = element('loss-chart', HTMLDivElement);
  readonly #accuracyTarget = element('accuracy-chart', HTMLDivElement);
  readonly #loss: uPlot;
  readonly #accuracy: uPlot;
  #moves: readonly Move[] = [];
  #rows: readonly Row[] = [];
  #frame = 0;

  constructor() {
    const moves = (): readonly Move[] => this.#moves;
    const training: Line = { label: 'training', colour: '--training', width: 1.5, points: false };
    const test: Line = { label: 'test', colour: '--test', width: 2, points: true };
    const fromZero: uPlot.Scale = { range: (_, __, most) => [0, Math.max(most || FIRST_LOSS, 0.1) * 1.05] };
    const toOne: uPlot.Scale = { range: () => [leastTest(this.#rows), 1] };
    const asPercent = (share: number): string => `${Math.round(100 * share)} %`;
    this.#loss = makeChart({ target: this.#lossTarget, lines: [training], y: fromZero, labels: String, moves, namesAt: 'top' });
    this.#accuracy = makeChart({ target: this.#accuracyTarget, lines: [training, test], y: toOne, labels: asPercent, moves, namesAt: 'bottom' });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#loss.redraw();
      this.#accuracy.redraw();
    });
  }

  /** Draws at the next frame, once, however often it is called before. */
  show(rows: readonly Row[], moves: readonly Move[]): void {
    this.#rows = rows;
    this.#moves = moves;
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const images = this.#rows.map((row) => row.images);
      this.#loss.setData([images, this.#rows.map((row) => row.loss)]);
      this.#accuracy.setData([images, this.#rows.map((row) => row.training), this.#rows.map((row) => row.test)]);
    });
  }

  /** What those who do not see the charts are told. */
  describe(rows: readonly Row[]): void {
    const losses = rows.flatMap(({ loss }) => (loss === null ? [] : [loss]));
    const tests = rows.flatMap(({ test }) => (test === null ? [] : [test]));
    const from = (values: readonly number[], show: (value: number) => string): string => {
      const [first, last] = [values[0], values.at(-1)];
      return first === undefined || last === undefined ? 'nothing yet' : `from ${show(first)} to ${show(last)}`;
    };
    this.#lossTarget.ariaLabel = `Training loss over images seen: ${from(losses, (loss) => loss.toFixed(3))}`;
    this.#accuracyTarget.ariaLabel = `Test accuracy over images seen: ${from(tests, percent)}`;
  }
}
