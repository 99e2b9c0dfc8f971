/** The report: one HTML file that asks the network for nothing. Its pictures and curves are inside. */

import type { Chapter, Journal, Picture } from '../journal.ts';
import type { Settings } from '../options.ts';
import { count } from '../words.ts';
import { escapeHtml } from './escape.ts';
import { lineChart } from './line-chart.ts';
import { reliabilityDiagrams } from './reliability-diagram.ts';
import { STYLE } from './style.ts';
import { htmlTable } from './table.ts';

/** What the report tells of. */
export interface Report {
  readonly settings: Settings;
  /** The name of the device that computed. */
  readonly device: string;
  readonly journal: Pick<Journal, 'chapters' | 'rows'>;
  /** How long everything took. */
  readonly seconds: number;
  /** Was the tour stopped before its end? */
  readonly stopped: boolean;
}

/** The page as text. */
export function reportPage({ settings, device, journal, seconds, stopped }: Report): string {
  const { epochs, seed, sizes } = settings;
  const run = `Seed ${seed}, backend ${device}, ${count(sizes.train)} training images × ${epochs}, ${count(sizes.test)} test images, ${seconds.toFixed(0)} seconds.`;
  const { rows, chapters } = journal;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>A tour of gradus</title>',
    `<style>\n${STYLE}\n</style>`,
    '</head>',
    '<body><main>',
    '<h1>A tour of gradus</h1>',
    '<p class="lead">Six steps on the handwritten digits of MNIST: network, loss, optimizer, augmentation, compression, fusion.</p>',
    `<p class="note">${escapeHtml(run)}</p>`,
    ...(stopped ? ['<p class="warning">The tour was stopped before its end. This is what there is.</p>'] : []),
    ...(rows.length > 0 ? ['<h2>All models</h2>', htmlTable(rows), `<p class="note">${TABLE_NOTE}</p>`] : []),
    ...chapters.map(chapterOf),
    ...(rows.some(({ reliability }) => reliability !== null)
      ? ['<h2>Reliability</h2>', `<p class="note">${RELIABILITY_NOTE}</p>`, reliabilityDiagrams(rows)]
      : []),
    '</main></body>',
    '</html>',
    '',
  ].join('\n');
}

const TABLE_NOTE =
  'NLL: mean negative log likelihood of the labels. ECE: expected calibration error in 15 bins. A hard vote gives classes without probabilities, so it has neither. ' +
  'Bytes are those of the safetensors file. Images per second: prediction in batches of 500.';

const RELIABILITY_NOTE =
  'Test images by how sure the model is of its answer: the height of a bar is the share that is right, and on the dashed line it is as large as it should be. Pale bars have fewer than ten images.';

function chapterOf({ title, lines, charts, pictures }: Chapter): string {
  const paragraphs = lines.map((line) => `<p>${escapeHtml(line)}</p>`);
  return [`<h2>${escapeHtml(title)}</h2>`, ...paragraphs, ...pictures.map(pictureOf), ...charts.map(lineChart)].join('\n');
}

function pictureOf({ caption, png, width, height }: Picture): string {
  const text = escapeHtml(caption);
  const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  return `<figure><img src="${source}" width="${width}" height="${height}" alt="${text}"><figcaption>${text}</figcaption></figure>`;
}
