/** The table of all models, as text and as HTML. */

import type { Row } from '../journal.ts';
import { count, percent } from '../words.ts';
import { escapeHtml } from './escape.ts';

const HEADINGS = ['model', 'accuracy', 'NLL', 'ECE', 'bytes', 'images/s'];

/** In place of a number that there is none of. */
const NONE = '–';

function cellsOf({ model, accuracy, nll, ece, bytes, imagesPerSecond }: Row): string[] {
  return [model, percent(accuracy), nll === null ? NONE : nll.toFixed(4), ece === null ? NONE : percent(ece), count(bytes), count(imagesPerSecond)];
}

/** Lines of equal columns, numbers to the right. */
export function textTable(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return lines.map(line).join('\n');
}

/** The same as an element that scrolls sideways where the page is too narrow. */
export function htmlTable(rows: readonly Row[]): string {
  const head = HEADINGS.map((heading) => `<th scope="col">${heading}</th>`).join('');
  const body = rows.map((row) => {
    const [model = '', ...numbers] = cellsOf(row).map(escapeHtml);
    return `<tr><th scope="row">${model}</th>${numbers.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<div class="scroll"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table></div>`;
}
