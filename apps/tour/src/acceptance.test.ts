/** What compression and fusion must reach on the real digits. */

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { saveSafetensors } from '@gradus/formats';
import { Linear } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import { quantizeDynamic } from '@gradus/quantize';
import { manualSeed } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { openData } from './data.ts';
import { Journal } from './journal.ts';
import { measure, shareOfEqual } from './measure.ts';
import { RATES, lenet, mlp } from './models.ts';
import type { Sizes } from './options.ts';
import { fused, trainHead } from './steps/fusion.ts';
import type { Tour } from './tour.ts';
import { train } from './training.ts';

/** Training takes its time on a slow machine. */
const PATIENCE = 300_000;

async function tourOf(sizes: Pick<Sizes, 'train' | 'validation' | 'test'>, seed: number): Promise<Tour> {
  const all = { ...sizes, small: 0, smallEpochs: 0, headEpochs: 5 };
  return {
    settings: { epochs: 3, seed, out: '', backend: 'cpu', sizes: all },
    data: await openData(all),
    journal: new Journal(new PassThrough().resume()),
    err: new PassThrough().resume(),
    signal: new AbortController().signal,
    now: () => performance.now(),
  };
}

test(
  'an MLP in int8 is as good to 0.15 points, gives 99.5 % of the answers, and is 3.9 times smaller, on all test images',
  async () => {
    const tour = await tourOf({ train: 12_000, validation: 200, test: 10_000 }, 0);
    manualSeed(0);
    const model = mlp();
    await train(tour, { name: 'MLP', model, images: tour.data.train, epochs: 1, lr: RATES.mlp });
    const small = quantizeDynamic(model, [Linear], { dtype: 'qint8' }).model;

    const [before, after] = [await measure(model, 'logits', tour.data.test, tour), await measure(small, 'logits', tour.data.test, tour)];
    expect(before.accuracy).toBeGreaterThan(0.93);
    expect(Math.abs(after.accuracy - before.accuracy)).toBeLessThanOrEqual(0.0015);
    expect(shareOfEqual(after.classes, before.classes)).toBeGreaterThanOrEqual(0.995);

    const folder = await mkdtemp(join(tmpdir(), 'gradus-acceptance-'));
    const bytesOf = async (name: string, each: Module): Promise<number> => {
      await saveSafetensors(join(folder, name), each.stateDict());
      return (await stat(join(folder, name))).size;
    };
    const ratio = (await bytesOf('float', model)) / (await bytesOf('int8', small));
    await rm(folder, { recursive: true });
    expect(ratio).toBeGreaterThanOrEqual(3.9);
  },
  PATIENCE,
);

describe('LeNet and an MLP, fused with frozen branches', () => {
  test.each([0, 1, 2])(
    'are no less likely right than the better of the two: seed %i',
    async (seed) => {
      const tour = await tourOf({ train: 1_500, validation: 500, test: 2_000 }, seed);
      manualSeed(seed);
      const networks = { lenet: lenet(), mlp: mlp() };
      for (const name of ['lenet', 'mlp'] as const)
        await train(tour, { name, model: networks[name], images: tour.data.train, epochs: 3, lr: RATES[name], batchSize: 25 });
      const branchState = (): Promise<unknown[]> => Promise.all(networks.lenet.parameters().map((each) => each.data()));
      const [state, { model }] = [await branchState(), fused(networks)];
      await trainHead(tour, model);
      expect(await branchState()).toEqual(state); // frozen
      const nllOf = async (each: Module): Promise<number> => (await measure(each, 'logits', tour.data.test, tour)).nll ?? NaN;
      const [first, second, both] = [await nllOf(networks.lenet), await nllOf(networks.mlp), await nllOf(model)];
      expect(both).toBeLessThanOrEqual(Math.min(first, second));
    },
    PATIENCE,
  );
});
