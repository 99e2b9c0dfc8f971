/** A trained network classifies as before when it is quantized. */

import { crossEntropy } from '@gradus/losses';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { compile, embedding, manualSeed, noGrad, randint, randn, scope } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { beforeAll, expect, test } from 'vitest';
import { int4WeightOnly, int8WeightOnly, quantizeDynamic } from '../src/index.ts';

const FEATURES = 32;
const CLASSES = 8;
const STEPS = 150;
/** Points that are classified. */
const TEST_POINTS = 4000;

let net: Module;
let x: Tensor;
let labels: Tensor;

/** Each class is a cloud of unit width around a centre of its own. */
beforeAll(() => {
  manualSeed(0);
  const centres = randn([CLASSES, FEATURES]);
  const points = (count: number): readonly [Tensor, Tensor] => {
    const y = randint(0, CLASSES, [count]);
    return [embedding(centres, y).add(randn([count, FEATURES])), y];
  };
  net = new Sequential(new Linear(FEATURES, 64), new ReLU(), new Linear(64, 32), new ReLU(), new Linear(32, CLASSES));
  const optimizer = new Adam(net.parameters(), { lr: 3e-3 });
  const step = compile((features: Tensor, classes: Tensor) => {
    const loss = crossEntropy(net.forward(features), classes);
    optimizer.minimize(loss);
    return loss;
  });
  for (let i = 0; i < STEPS; i++) scope(() => step(...points(128)).evaluate());
  [x, labels] = points(TEST_POINTS);
});

const share = (same: Tensor): number => same.toDType('float32').mean().itemSync();

test.each([
  ['quantizeDynamic', () => quantizeDynamic(net, [Linear]).model, 0.995],
  ['quantizeDynamic per channel', () => quantizeDynamic(net, [Linear], { perChannel: true }).model, 0.995],
  ['quantizeDynamic of 0..255', () => quantizeDynamic(net, [Linear], { reduceRange: false }).model, 0.995],
  ['int8WeightOnly', () => int8WeightOnly(net).model, 0.995],
  ['int4WeightOnly', () => int4WeightOnly(net, { groupSize: 8 }).model, 0.97],
])('%s', (_, quantized, agreement) => {
  noGrad(() => {
    const [before, after] = [net, quantized()].map((model) => model.forward(x).argmax({ axis: 1 })) as [Tensor, Tensor];
    const accuracy = share(before.equal(labels));
    expect(accuracy).toBeGreaterThan(0.95);
    expect(Math.abs(share(after.equal(labels)) - accuracy)).toBeLessThan(1 - agreement);
    expect(share(after.equal(before))).toBeGreaterThanOrEqual(agreement);
  });
});
