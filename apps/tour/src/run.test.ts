/** The whole tour, on few images. */

import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { loadSafetensors } from '@gradus/formats';
import type { Surroundings } from '@gradus/mnist';
import { readImage } from '@gradus/vision-augment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mlp } from './models.ts';
import { helpText } from './options.ts';
import type { Settings } from './options.ts';
import { run, walk } from './run.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-tour-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const FILES = [
  'lenet',
  'mlp',
  'lenet-few',
  'lenet-few-augmented',
  'mlp-int8',
  'mlp-int4',
  'fused',
  'soft-vote',
  'hard-vote',
  'soft-vote-temperature',
];
const MODELS = [
  'LeNet',
  'MLP',
  'LeNet, few images',
  'LeNet, few, augmented',
  'MLP, int8 dynamic',
  'MLP, int4 weights',
  'Fused',
  'Soft vote',
  'Hard vote',
  'Soft vote, temperature',
];

const tiny = (): Settings => ({
  epochs: 1,
  seed: 3,
  out: join(folder, 'deep/down'),
  backend: 'cpu',
  sizes: { train: 256, validation: 64, test: 100, small: 50, smallEpochs: 1, headEpochs: 1 },
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs what takes surroundings, and stops it when `stopAt` is printed or shown as progress; a clock that stands still makes the output
 * repeatable.
 */
async function outcome(program: (surroundings: Surroundings) => Promise<number>, stopAt?: string): Promise<Outcome> {
  const controller = new AbortController();
  const texts = { out: '', err: '' };
  const streamOf = (name: 'out' | 'err'): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        texts[name] += chunk.toString();
        if (stopAt !== undefined && chunk.toString().trimStart().startsWith(stopAt)) controller.abort();
        done();
      },
    });
  const code = await program({ out: streamOf('out'), err: streamOf('err'), signal: controller.signal, now: () => 0 });
  return { code, ...texts };
}

describe('a tour', () => {
  test('takes its six steps, and leaves a table, a report, pictures and weights', async () => {
    const settings = tiny();
    const { code, out, err } = await outcome((surroundings) => walk(settings, surroundings));
    expect(code).toBe(0);
    const headings = out.split('\n').filter((line) => /^\d\. /.test(line));
    expect(headings).toEqual(['1. Network', '2. Loss', '3. Optimizer', '4. Augmentation', '5. Compression', '6. Fusion']);
    expect(err).toContain('LeNet: epoch 1/1  100 %');

    expect((await readdir(settings.out)).toSorted()).toEqual(
      ['augmentation.png', 'doubtful.png', 'report.html', ...FILES.map((file) => `${file}.safetensors`)].toSorted(),
    );
    const table = out.slice(out.indexOf('\nmodel ')).trim().split('\n').slice(1, -2);
    expect(table.map((line) => line.split(/ {2,}/)[0])).toEqual(MODELS);
    for (const [i, line] of table.entries()) {
      const { size } = await stat(join(settings.out, `${FILES[i]}.safetensors`));
      expect(line.split(/ {2,}/)[4]).toBe(size.toLocaleString('en')); // the bytes are those of the file
    }
    const page = await readFile(join(settings.out, 'report.html'), 'utf8');
    for (const model of MODELS) expect(page).toContain(`<th scope="row">${model}</th>`);
    expect(page).not.toMatch(/https?:/);

    const sheet = await readImage(join(settings.out, 'augmentation.png'));
    expect([sheet.width, sheet.height]).toEqual([8 * 100 + 4, 6 * 100 + 4]);
    mlp().loadStateDict((await loadSafetensors(join(settings.out, 'mlp.safetensors'))).tensors);
  });

  test('with the same seed finds the same, with another seed other things', async () => {
    const settings = tiny();
    const found = async (seed: number): Promise<string[]> => {
      const { out } = await outcome((surroundings) => walk({ ...settings, seed }, surroundings), 'LeNet on 50 images');
      return out.split('\n').filter((line) => /^ {2}(?:Cross|LeNet|MLP)/.test(line));
    };
    const first = await found(3);
    expect(first.length).toBeGreaterThan(6);
    expect(await found(3)).toEqual(first);
    expect(await found(4)).not.toEqual(first);
  });
});

describe('a tour that is stopped', () => {
  test('in training saves the network as it is, and reports what there is', async () => {
    const settings = tiny();
    const { code, out } = await outcome((surroundings) => walk(settings, surroundings), 'MLP: epoch 1/1   50 %');
    expect(code).toBe(130);
    expect(out).toContain('MLP was stopped after');
    expect(out).toContain('stopped; wrote');
    expect(out).not.toContain('4. Augmentation');
    expect((await readdir(settings.out)).toSorted()).toEqual(['lenet.safetensors', 'mlp.safetensors', 'report.html']);
    const page = await readFile(join(settings.out, 'report.html'), 'utf8');
    expect(page).toContain('was stopped before its end');
    expect(page).toContain('Loss in training');
    expect(page).toContain('<th scope="row">LeNet</th>');
    expect(page).not.toContain('<th scope="row">MLP</th>');
  });

  test('between steps keeps the models measured so far', async () => {
    const settings = tiny();
    const { code, out } = await outcome((surroundings) => walk(settings, surroundings), 'LeNet on 50 images');
    expect(code).toBe(130);
    const page = await readFile(join(settings.out, 'report.html'), 'utf8');
    expect(page).toContain('<th scope="row">MLP</th>');
    expect(out).not.toContain('5. Compression');
    expect(await readdir(settings.out)).toContain('augmentation.png');
  });
});

describe('a tour that cannot be', () => {
  test('prints help', async () => {
    expect(await outcome((surroundings) => run(['--help'], surroundings))).toEqual({ code: 0, out: `${helpText()}\n`, err: '' });
  });

  test('says what is wrong with the command line', async () => {
    const { code, out, err } = await outcome((surroundings) => run(['--fast'], surroundings));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^there is no option --fast; allowed: .*--quick.*\n--help lists every option\.\n$/);
  });

  test('says what the system says when it cannot write, before it works for minutes', async () => {
    const { code, out, err } = await outcome((surroundings) => run(['--quick', '--out', '/dev/null/tour'], surroundings));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^error: .*\/dev\/null/);
  });
});
