/** Curves as SVG, drawn inside the page. Colours come from the page's style: `.line1`, `.line2`, … */

import type { Chart } from '../journal.ts';
import { count } from '../words.ts';
import { escapeHtml } from './escape.ts';

/** The drawing and the space around the plot, in its own units. */
const [WIDTH, HEIGHT] = [560, 290];
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 30, 14, 54];

/** Curves of at most so many points show them. */
const FEW = 20;

/** Where numbers are on an axis. */
interface Axis {
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/** The chart as a figure: title, legend and drawing; nothing while no curve has a point. */
export function lineChart({ title, x, y, curves: all }: Chart): string {
  const curves = all.filter((curve) => curve.points.length > 0);
  if (curves.length === 0) return '';
  const points = curves.flatMap((curve) => curve.points);
  const [xs, ys] = [points.map(([each]) => each), points.map(([, each]) => each)];
  const across = linearAxis(0, Math.max(...xs), LEFT, WIDTH - RIGHT, count);
  const up = y === 'log' ? logAxis(Math.min(...ys), Math.max(...ys), HEIGHT - BOTTOM, TOP) : shareAxis(Math.min(...ys), HEIGHT - BOTTOM, TOP);
  const grid = up.ticks.map(({ at, label }) => {
    const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}"/>`;
    return `${line}<text class="tick" x="${LEFT - 8}" y="${(at + 4).toFixed(1)}" text-anchor="end">${label}</text>`;
  });
  const below = across.ticks.map(
    ({ at, label }) => `<text class="tick" x="${at.toFixed(1)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${label}</text>`,
  );
  const lines = curves.map((curve, i) => {
    const placed = curve.points.map(([a, b]) => `${across.place(a).toFixed(1)},${up.place(b).toFixed(1)}`);
    const dots =
      placed.length > FEW ? [] : placed.map((each) => `<circle class="dot${i + 1}" cx="${each.split(',')[0]}" cy="${each.split(',')[1]}" r="3.5"/>`);
    return `<polyline class="line${i + 1}" points="${placed.join(' ')}"/>${dots.join('')}`;
  });
  const axisName = `<text class="tick" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(x)}</text>`;
  const legend = curves.map(({ name }, i) => `<span><i class="key${i + 1}"></i>${escapeHtml(name)}</span>`).join(' ');
  return [
    `<figure class="chart"><figcaption><b>${escapeHtml(title)}</b><span class="legend">${legend}</span></figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">`,
    ...grid,
    ...below,
    ...lines,
    axisName,
    '</svg></figure>',
  ].join('\n');
}

/** Ticks at 1, 2 or 5 times a power of ten, about five of them. */
function linearAxis(low: number, high: number, from: number, to: number, label: (value: number) => string): Axis {
  const span = Math.max(high - low, Number.EPSILON);
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((each) => each * power >= rough) ?? 10) * power;
  const place = (value: number): number => from + ((value - low) / span) * (to - from);
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
  return { place, ticks: ticks.map((value) => ({ at: place(value), label: label(value) })) };
}

/** From the lowest share, rounded down, to 100 %. */
function shareAxis(lowest: number, from: number, to: number): Axis {
  const low = Math.floor(lowest * 10) / 10;
  return linearAxis(low, 1, from, to, (value) => `${Math.round(100 * value)} %`);
}

/** Ticks at 1, 2 and 5 times the powers of ten. */
function logAxis(lowest: number, highest: number, from: number, to: number): Axis {
  const [low, high] = [Math.log10(lowest) - 0.05, Math.log10(highest) + 0.05];
  const place = (value: number): number => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const values = powers.flatMap((power) => [1, 2, 5].map((each) => Number(`${each}e${power}`)));
  const ticks = values.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
  return { place, ticks: ticks.map((value) => ({ at: place(value), label: String(value) })) };
}
