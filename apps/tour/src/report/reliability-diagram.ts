/** Reliability diagrams: how often a model is right where it is how sure. Guo et al., "On Calibration of Modern Neural Networks", 2017. */

import type { Row } from '../journal.ts';
import { percent } from '../words.ts';
import { escapeHtml } from './escape.ts';

/** Side of the plot and the space around it, in the drawing's own units. */
const SIDE = 200;
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 8, 8, 36];

/** Bins with fewer images are drawn pale: chance decides them. */
const FEW = 10;

/** One small diagram for each model that gives probabilities: bars are accuracy, the diagonal is calibration. */
export function reliabilityDiagrams(rows: readonly Row[]): string {
  return `<div class="small">\n${rows.map(diagram).join('\n')}\n</div>`;
}

function diagram({ model, reliability, ece }: Row): string {
  if (reliability === null || ece === null) return '';
  const width = SIDE / reliability.length;
  const bars = reliability.map(({ count, accuracy, confidence }, i) => {
    if (count === 0) return '';
    const [x, height] = [LEFT + i * width + 1, Math.max(accuracy * SIDE, 1)];
    const text = `${count} images, ${percent(accuracy, 1)} right, ${percent(confidence, 1)} sure`;
    const look = count < FEW ? 'bar pale' : 'bar';
    const size = `width="${(width - 2).toFixed(1)}" height="${height.toFixed(1)}"`;
    return `<rect class="${look}" x="${x.toFixed(1)}" y="${(TOP + SIDE - height).toFixed(1)}" ${size}><title>${text}</title></rect>`;
  });
  const ticks = [0, 0.5, 1].map((value) => {
    const [x, y] = [LEFT + value * SIDE, TOP + (1 - value) * SIDE];
    const line = `<line class="grid" x1="${LEFT}" x2="${LEFT + SIDE}" y1="${y}" y2="${y}"/>`;
    const label = percent(value, 0);
    return `${line}<text class="tick" x="${LEFT - 4}" y="${y + 4}" text-anchor="end">${label}</text><text class="tick" x="${x}" y="${TOP + SIDE + 14}" text-anchor="${value === 1 ? 'end' : 'middle'}">${label}</text>`;
  });
  const name = escapeHtml(model);
  return [
    `<figure><figcaption><b>${name}</b> <span>ECE ${percent(ece)}</span></figcaption>`,
    `<svg viewBox="0 0 ${LEFT + SIDE + RIGHT} ${TOP + SIDE + BOTTOM}" role="img" aria-label="Reliability of ${name}">`,
    ...ticks,
    ...bars,
    `<line class="diagonal" x1="${LEFT}" y1="${TOP + SIDE}" x2="${LEFT + SIDE}" y2="${TOP}"/>`,
    `<text class="tick" x="${LEFT + SIDE / 2}" y="${TOP + SIDE + 30}" text-anchor="middle">how sure</text>`,
    '</svg></figure>',
  ].join('\n');
}
