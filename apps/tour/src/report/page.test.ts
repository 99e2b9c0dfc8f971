import { describe, expect, test } from 'vitest';
import type { Row } from '../journal.ts';
import { reportPage } from './page.ts';
import type { Report } from './page.ts';
import { textTable } from './table.ts';

const reliability = [
  { count: 3, confidence: 0.2, accuracy: 0.5 },
  { count: 40, confidence: 0.9, accuracy: 0.95 },
];
const rows: Row[] = [
  { model: 'One & <two>', accuracy: 0.9712, nll: 0.09131, ece: 0.0074, reliability, bytes: 247_568, imagesPerSecond: 2575.4 },
  { model: 'Vote', accuracy: 0.5, nll: null, ece: null, reliability: null, bytes: 12, imagesPerSecond: 7 },
];
const chapter = {
  title: '1. First <b>',
  lines: ['a < b, says "x"'],
  charts: [
    { title: 'Loss', x: 'images', y: 'log' as const, curves: [{ name: 'fast', points: [[10, 2.3] as const, [20, 0.11] as const] }] },
    { title: 'Right', x: 'epoch', y: 'share' as const, curves: [{ name: 'slow', points: [[1, 0.62] as const, [2, 0.9] as const] }] },
  ],
  pictures: [{ caption: 'Pixels', png: Uint8Array.of(1, 2, 3), width: 8, height: 4 }],
};
const report: Report = {
  device: 'cpu',
  settings: {
    epochs: 2,
    seed: 17,
    out: 'x',
    backend: 'cpu',
    sizes: { train: 20_000, validation: 1, test: 10_000, small: 1, smallEpochs: 1, headEpochs: 1 },
  },
  journal: { chapters: [chapter], rows },
  seconds: 201.7,
  stopped: false,
};

describe('the report', () => {
  const page = reportPage(report);

  test('asks for nothing from outside', () => {
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/i);
    const sources = [...page.matchAll(/\b(?:src|href|srcset|data)="([^"]*)"/g)].map((match) => match[1]);
    expect(sources).toEqual(['data:image/png;base64,AQID']);
  });

  test('says what was run, and has every row of the table', () => {
    expect(page).toContain('Seed 17, backend cpu, 20,000 training images × 2, 10,000 test images, 202 seconds.');
    expect(page).toContain(
      '<tr><th scope="row">One &amp; &lt;two&gt;</th><td>97.12 %</td><td>0.0913</td><td>0.74 %</td><td>247,568</td><td>2,575</td></tr>',
    );
    expect(page).toContain('<tr><th scope="row">Vote</th><td>50.00 %</td><td>–</td><td>–</td><td>12</td><td>7</td></tr>');
  });

  test('escapes what it quotes', () => {
    expect(page).toContain('<h2>1. First &lt;b&gt;</h2>');
    expect(page).toContain('<p>a &lt; b, says &quot;x&quot;</p>');
  });

  test('is for phones and for dark rooms as well', () => {
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(page).toContain('prefers-color-scheme: dark');
  });

  test('draws curves inside their plot, with ticks where they belong', () => {
    const lines = [...page.matchAll(/<polyline class="line1" points="([^"]*)"/g)].map((match) => match[1]?.split(/[ ,]/).map(Number) ?? []);
    // x from 60 to 530, y from 236 up to 14. Of [10, 20] on 0 … 20 the first is in the middle.
    expect(lines.map((line) => [line[0], line[2]])).toEqual([
      [295, 530],
      [295, 530],
    ]);
    for (const line of lines) for (const y of [line[1], line[3]]) expect(y).toSatisfy((each: number) => each > 14 && each < 236);
    expect(page).toMatch(/>2<\/text>[^]*>0\.2<\/text>|>0\.2<\/text>[^]*>2<\/text>/); // logarithmic
    expect(page).toContain('>60 %</text>');
  });

  test('draws a diagram for models that give probabilities, pale where there are few images', () => {
    expect([...page.matchAll(/aria-label="Reliability of ([^"]*)"/g)].map((match) => match[1])).toEqual(['One &amp; &lt;two&gt;']);
    expect(page).toContain(
      '<rect class="bar pale" x="41.0" y="108.0" width="98.0" height="100.0"><title>3 images, 50.0 % right, 20.0 % sure</title>',
    );
    expect(page).toContain('<rect class="bar" x="141.0" y="18.0" width="98.0" height="190.0">');
  });

  test('says when it was stopped, and does without what is not there', () => {
    const early = reportPage({ ...report, journal: { chapters: [], rows: [] }, stopped: true });
    expect(early).toContain('was stopped before its end');
    expect(early).not.toContain('<table');
    expect(early).not.toContain('Reliability');
    expect(page).not.toContain('was stopped');
  });
});

test('the table as text has its columns in line', () => {
  expect(textTable(rows).split('\n')).toEqual([
    'model        accuracy     NLL     ECE    bytes  images/s',
    'One & <two>   97.12 %  0.0913  0.74 %  247,568     2,575',
    'Vote          50.00 %       –       –       12         7',
  ]);
});
