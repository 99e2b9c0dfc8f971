/** Training as users write it: the same to the bit however it is evaluated, on any backend, in ten lines. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gradus/nn';
import { crossEntropy, mse } from '@gradus/losses';
import { debug, defaultDevice, manualSeed, randn, scope, setDefaultDevice, tensor } from '@gradus/tensor';
import type { Device } from '@gradus/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { Adam } from '../src/index.ts';
import { CLASSES, FEATURES, loop, mlp } from './batches.ts';

beforeEach(() => manualSeed(0));

describe('lazy equals op by op', () => {
  test('losses and weights of 20 Adam steps are the same to the bit', async () => {
    const train = async (): Promise<{ losses: number[]; weights: number[] }> => {
      manualSeed(5);
      const model = new Sequential(new Linear(FEATURES, 24), new BatchNorm1d(24), new ReLU(), new Dropout(0.3), new Linear(24, CLASSES));
      const optimizer = new Adam(model.parameters(), { lr: 0.01 });
      const losses: number[] = [];
      for await (const [x, y] of loop(20)) {
        const loss = crossEntropy(model.forward(x), y);
        optimizer.minimize(loss);
        losses.push(await loss.item());
      }
      return { losses, weights: model.parameters().flatMap((p) => [...p.dataSync()]) };
    };
    const lazy = await train();
    const settings = debug({ eager: true });
    try {
      expect(await train()).toEqual(lazy);
    } finally {
      settings[Symbol.dispose]();
    }
  });
});

test('a convolutional network trains on a backend with three kernels, as on cpu', () => {
  const home = defaultDevice();
  const train = (device: Device): number[] => {
    setDefaultDevice(device);
    manualSeed(2);
    const model = new Sequential(
      new Conv2d(1, 4, 3, { padding: 1 }),
      new BatchNorm2d(4),
      new ReLU(),
      new MaxPool2d(2),
      new Dropout(0.2),
      new Flatten(),
      new Linear(4 * 9, 3),
    );
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const labels = tensor([0, 1, 2, 0], { dtype: 'int32' });
    return Array.from({ length: 5 }, (_, i) =>
      scope(() => {
        const loss = crossEntropy(model.forward(randn([4, 1, 6, 6], { seed: i })), labels);
        optimizer.minimize(loss);
        return loss.itemSync();
      }),
    );
  };
  try {
    const whole = train(cpu());
    const minimal = train(withoutFastPaths(cpu()));
    for (const [i, loss] of whole.entries()) expect(minimal[i]).toBeCloseTo(loss, 4);
    expect(whole.at(-1)).not.toBe(whole[0]);
  } finally {
    setDefaultDevice(home);
  }
});

test('ten lines train a model', async () => {
  const model = mlp();
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  let last = Infinity;
  for await (const [x, y] of loop(200)) {
    const loss = crossEntropy(model.forward(x), y);
    optimizer.minimize(loss);
    last = await loss.item();
  }
  expect(last).toBeLessThan(0.1);
  expect(mse(tensor([1, 2]), tensor([1.1, 1.9])).itemSync()).toBeCloseTo(0.01, 6);
});
