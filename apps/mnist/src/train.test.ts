import { mnist, subset } from '@gradus/data';
import { manualSeed } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { MODELS } from './models.ts';
import { createProgress } from './progress.ts';
import { TextStream } from '../test/text-stream.ts';
import { trainModel } from './train.ts';
import type { Epoch } from './train.ts';

/** Trains on the first 192 digits, tests on 200 others. */
async function train(
  name: keyof typeof MODELS,
  epochs: number,
  signal = new AbortController().signal,
): Promise<{ epochs: Epoch[]; reported: number[] }> {
  manualSeed(0);
  const { build, flatten, lr } = MODELS[name];
  const model = build();
  const reported: number[] = [];
  const done = await trainModel({
    model,
    train: subset(await mnist('train', { flatten }), 0, 192),
    test: subset(await mnist('test', { flatten }), 0, 200),
    epochs,
    batchSize: 16,
    lr,
    seed: 0,
    signal,
    progress: createProgress({ epochs, images: 192, stream: new TextStream(), now: () => 0 }),
    onEpoch: ({ number }) => reported.push(number),
  });
  model.dispose();
  return { epochs: done, reported };
}

test.each(Object.keys(MODELS) as (keyof typeof MODELS)[])('%s learns', async (name) => {
  const { epochs, reported } = await train(name, 4);
  expect(reported).toEqual([1, 2, 3, 4]);
  expect(epochs.map(({ number, images }) => [number, images])).toEqual([1, 2, 3, 4].map((number) => [number, 192]));
  const [first, last] = [epochs[0], epochs[3]];

  expect(last?.loss).toBeLessThan((first?.loss ?? NaN) / 2);
  expect(last?.trainAccuracy).toBeGreaterThan(0.6);
  expect(last?.testAccuracy).toBeGreaterThan(0.5);
});

test('stops before it begins when it is asked to', async () => {
  expect(await train('mlp', 4, AbortSignal.abort())).toEqual({ epochs: [], reported: [] });
});
