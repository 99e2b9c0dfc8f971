/** A network trained on real digits reads others as before when it is quantized. */

import { DataLoader, mnist, subset } from '@gradus/data';
import { crossEntropy } from '@gradus/losses';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { compile, manualSeed } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { int4WeightOnly, int8WeightOnly, quantizeDynamic } from '../src/index.ts';

const TRAINED_ON = 10_000;
const READ = 10_000;

const net = new Sequential(new Linear(784, 128), new ReLU(), new Linear(128, 64), new ReLU(), new Linear(64, 10));

async function train(): Promise<void> {
  const optimizer = new Adam(net.parameters(), { lr: 2e-3 });
  const step = compile((x: Tensor, y: Tensor) => {
    const loss = crossEntropy(net.forward(x), y);
    optimizer.minimize(loss);
    return loss;
  });
  const digits = subset(await mnist('train'), 0, TRAINED_ON);
  for (let epoch = 0; epoch < 2; epoch++)
    for await (const [x, y] of new DataLoader(digits, { batchSize: 100, shuffle: true, seed: epoch })) step(x, y).evaluate();
}

/** Digits read right, and digits read as `net` reads them. */
async function read(models: readonly Module[]): Promise<{ readonly right: number; readonly agreed: number }[]> {
  const counts = models.map(() => ({ right: 0, agreed: 0 }));
  for await (const [x, y] of new DataLoader(subset(await mnist('test'), 0, READ), { batchSize: 500 })) {
    const before = net.forward(x).argmax({ axis: 1 });
    for (const [i, model] of models.entries()) {
      const after = model.forward(x).argmax({ axis: 1 });
      const count = counts[i] ?? { right: 0, agreed: 0 };
      count.right += after.equal(y).sum().itemSync();
      count.agreed += after.equal(before).sum().itemSync();
    }
  }
  return counts;
}

test('accuracy changes little, and predictions agree', async () => {
  manualSeed(0);
  await train();
  const [float, ...quantized] = await read([
    net,
    quantizeDynamic(net, [Linear]).model,
    quantizeDynamic(net, [Linear], { perChannel: true }).model,
    quantizeDynamic(net, [Linear], { reduceRange: false }).model,
    int8WeightOnly(net).model,
    int4WeightOnly(net, { groupSize: 16 }).model,
  ]);
  const int4 = quantized.pop();
  expect(float?.right).toBeGreaterThan(0.9 * READ);
  for (const { right, agreed } of quantized) {
    expect(agreed).toBeGreaterThanOrEqual(0.995 * READ);
    expect(Math.abs(right - (float?.right ?? NaN))).toBeLessThan(0.002 * READ);
  }
  expect(int4?.agreed).toBeGreaterThan(0.98 * READ);
  expect(Math.abs((int4?.right ?? NaN) - (float?.right ?? NaN))).toBeLessThan(0.005 * READ);
});
