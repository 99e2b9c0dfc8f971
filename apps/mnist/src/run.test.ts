/** The whole program, on few images. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mnist } from '@gradus/data';
import { loadSafetensors } from '@gradus/formats';
import { memory } from '@gradus/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TextStream } from '../test/text-stream.ts';
import { MODELS } from './models.ts';
import { helpText } from './options.ts';
import { run } from './run.ts';
import { evaluate } from './train.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-mnist-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string[];
  readonly err: string[];
}

/** Runs the program; a clock that stands still makes its output repeatable. */
async function start(args: string, signal = new AbortController().signal, err = new TextStream()): Promise<Outcome> {
  const out = new TextStream();
  const code = await run(args.split(' '), { out, err, signal, now: () => 0 });
  return { code, out: out.lines, err: err.lines };
}

/** The share of test images that the saved weights have right. */
async function accuracyOf(path: string): Promise<string> {
  const model = MODELS.mlp.build();
  model.loadStateDict((await loadSafetensors(path)).tensors);
  return `${(100 * ((await evaluate(model, await mnist('test'))) ?? NaN)).toFixed(2)} %`;
}

describe('a run', () => {
  test('trains, says how good it is, and saves weights that are as good', async () => {
    const path = join(folder, 'deep/down/model.safetensors');
    const { code, out, err } = await start(`--limit 512 --epochs 2 --out ${path}`);
    expect(code).toBe(0);
    expect(out[0]).toBe('mlp with 101,770 weights, mnist: 512 images to train on, 10,000 to test');
    expect(out[1]).toMatch(/^epoch 1\/2: loss \d\.\d{4}, accuracy \d\d\.\d\d % in training, \d\d\.\d\d % in the test, 0\.0 s$/);
    expect(out[2]).toMatch(/^epoch 2\/2: /);
    expect(out[3]).toMatch(/^test accuracy: \d\d\.\d\d %$/);
    expect(out[4]).toMatch(/^saved .*deep\/down\/model\.safetensors, 407,\d{3} bytes$/);
    expect(out).toHaveLength(5);
    expect(err.filter((line) => line.startsWith('epoch 2/2'))).toHaveLength(8); // 8 batches, a line each
    const accuracy = out[3]?.slice('test accuracy: '.length) ?? '';
    expect(Number.parseFloat(accuracy)).toBeGreaterThan(70);
    expect(await accuracyOf(path)).toBe(accuracy);
    expect((await loadSafetensors(path)).metadata).toEqual({ model: 'mlp', dataset: 'mnist', seed: '0', epochs: '2' });
  });

  test('with the same seed prints the same numbers, with another seed others', async () => {
    const args = `--limit 256 --epochs 1 --out ${join(folder, 'model.safetensors')} --seed`;
    const first = await start(`${args} 7`);
    expect(await start(`${args} 7`)).toEqual(first);
    expect((await start(`${args} 8`)).out[1]).not.toBe(first.out[1]);
  });

  test('leaves no memory behind', async () => {
    const args = `--limit 128 --epochs 1 --out ${join(folder, 'model.safetensors')}`;
    await start(args);
    // Each run makes a device of its own; the default one afterwards is the last run's.
    expect(memory().liveBytes).toBe(0);
  });
});

describe('a run that is stopped', () => {
  test('finishes its batch, saves, and says how far it came', async () => {
    const controller = new AbortController();
    const err = new TextStream({ onText: (text) => void (text.includes('epoch 2/3   50 %') && controller.abort()) });
    const path = join(folder, 'model.safetensors');
    const { code, out } = await start(`--limit 256 --out ${path}`, controller.signal, err);
    expect(code).toBe(130);
    expect(out[2]).toMatch(/^stopped in epoch 2 after 128 images: accuracy \d\d\.\d\d % in training so far, \d\d\.\d\d % in the test after epoch 1$/);
    expect(out[3]).toMatch(/^saved /);
    expect(out.some((line) => line.startsWith('test accuracy:'))).toBe(false);
    const { tensors, metadata } = await loadSafetensors(path);
    expect(Object.keys(tensors)).toEqual(['0.weight', '2.weight', '0.bias', '2.bias'].toSorted());
    expect(metadata).toMatchObject({ epochs: '1' });
  });

  test('before the first batch saves nothing', async () => {
    const { code, out } = await start(`--limit 256 --out ${join(folder, 'model.safetensors')}`, AbortSignal.abort());
    expect(code).toBe(130);
    expect(out.at(-1)).toBe('stopped before the first batch');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a run that cannot be', () => {
  test('prints help', async () => {
    expect(await start('--help')).toEqual({ code: 0, out: helpText().split('\n'), err: [] });
  });

  test('says what is wrong with the command line', async () => {
    expect(await start('--epochs many')).toEqual({
      code: 2,
      out: [],
      err: ['--epochs must be a whole number of at least 1, got "many"', '--help lists every option.'],
    });
  });

  test('says what is missing, without a stack', async () => {
    const { code, out, err } = await start(`--data-dir ${folder}`);
    expect(code).toBe(1);
    expect(out).toEqual([]);
    expect(err).toHaveLength(1);
    expect(err[0]).toMatch(/^error: \[mnist\] expected train-images-idx3-ubyte or .* in the folder .*got none of them\. Fix: pass the folder/);
  });

  test('says what the system says when it cannot save', async () => {
    const { code, out, err } = await start('--limit 64 --epochs 1 --out /dev/null/model.safetensors');
    expect(code).toBe(1);
    expect(out.at(-1)).toMatch(/^test accuracy/);
    expect(err.at(-1)).toMatch(/^error: .*\/dev\/null/);
  });
});
