/** The two charts over images seen: loss, and accuracies; with a line wherever the device changed. Drawn by uPlot, in the page's own colours. */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { DeviceName } from '../choices.ts';
import type { Row } from '../curves.ts';
import { element } from './elements.ts';
import { percent } from './words.ts';

const HEIGHT = 190;
const FONT = '11px system-ui, sans-serif';

/** A change of device. */
export interface Move {
  readonly images: number;
  readonly to: DeviceName;
}

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

function makeChart(
  target: HTMLElement,
  lines: readonly Line[],
  y: uPlot.Scale,
  labels: (value: number) => string,
  moves: () => readonly Move[],
): uPlot {
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
      scales: { x: { time: false }, y },
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
      hooks: { draw: [(plot) => drawMoves(plot, moves())] },
    },
    [[], ...lines.map(() => [])],
    target,
  );
  new ResizeObserver(() => chart.setSize({ width: target.clientWidth, height: HEIGHT })).observe(target);
  return chart;
}

/** A dashed line, and beside it the device that took over. */
function drawMoves(plot: uPlot, moves: readonly Move[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour('--muted')();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  for (const { images, to } of moves) {
    const x = plot.valToPos(images, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    // On the side where there is room.
    const right = x < bbox.left + 0.8 * bbox.width;
    ctx.textAlign = right ? 'left' : 'right';
    ctx.fillText(to, x + (right ? 4 : -4) * devicePixelRatio, bbox.top + 2 * devicePixelRatio);
  }
  ctx.restore();
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
    const fromZero: uPlot.Scale = { range: (_, __, most) => [0, Math.max(most, 0.1) * 1.05] };
    this.#loss = makeChart(this.#lossTarget, [training], fromZero, String, moves);
    this.#accuracy = makeChart(this.#accuracyTarget, [training, test], { range: [0, 1] }, (share) => `${Math.round(100 * share)} %`, moves);
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
