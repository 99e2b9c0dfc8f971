/** Temperature scaling: the minimum it finds, and what it leaves as it was. */

import { crossEntropy } from '@gradus/losses';
import { expectedCalibrationError } from '@gradus/losses/metrics';
import { ArgumentError, IndexError, ShapeError, argmax, log, neg, rand, randn, softmax, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TemperatureScaling, temperatureScaling } from './index.ts';

const values = (t: Tensor): number[] => [...t.dataSync()];

/** Logits, and labels drawn from their softmax, by Gumbel's trick. */
function calibrated(count: number, seed: number): { readonly logits: Tensor; readonly labels: Tensor } {
  const logits = randn([count, 4], { seed }).mul(1.5);
  const noise = neg(log(neg(log(rand([count, 4], { seed: seed + 1000 }).clamp({ min: 1e-6, max: 1 - 1e-6 })))));
  return { logits, labels: argmax(logits.add(noise), { axis: 1 }) };
}

describe('temperatureScaling', () => {
  test('finds the temperature that logits were multiplied by', () => {
    const { logits, labels } = calibrated(4000, 1);
    const t = temperatureScaling(logits, labels).temperature.itemSync();
    expect(t).toBeGreaterThan(0.93);
    expect(t).toBeLessThan(1.07);
    expect(temperatureScaling(logits.mul(3), labels).temperature.itemSync()).toBeCloseTo(3 * t, 4);
  });

  test('makes what is too sure calibrated', () => {
    const { logits, labels } = calibrated(4000, 2);
    const sure = logits.mul(3);
    const scaling = temperatureScaling(sure, labels);
    const before = expectedCalibrationError(softmax(sure), labels).itemSync();
    expect(before).toBeGreaterThan(0.1);
    expect(expectedCalibrationError(softmax(scaling.forward(sure)), labels).itemSync()).toBeLessThan(before / 4);
  });

  test('never raises the loss it is fitted to, nor changes what is largest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 40 }), (seed, tenths) => {
        const { labels } = calibrated(20, seed);
        const logits = randn([20, 4], { seed: seed + 1 }).mul(tenths / 10);
        const scaling = temperatureScaling(logits, labels);
        expect(scaling.temperature.itemSync()).toBeGreaterThan(0);
        const scaled = scaling.forward(logits);
        expect(crossEntropy(scaled, labels).itemSync()).toBeLessThanOrEqual(crossEntropy(logits, labels).itemSync() + 1e-6);
        expect(values(argmax(scaled, { axis: 1 }))).toEqual(values(argmax(logits, { axis: 1 })));
      }),
      { numRuns: 15 },
    );
  });

  test('stays within its range where all are right, or chance would be better', () => {
    const logits = tensor([
      [2, 0],
      [0, 2],
    ]);
    const right = temperatureScaling(logits, tensor([0, 1], { dtype: 'int32' }));
    expect(right.temperature.itemSync()).toBeGreaterThanOrEqual(0.01);
    expect(crossEntropy(right.forward(logits), tensor([0, 1], { dtype: 'int32' })).itemSync()).toBeCloseTo(0, 10);
    expect(temperatureScaling(logits, tensor([1, 0], { dtype: 'int32' })).temperature.itemSync()).toBeCloseTo(100, 2);
  });

  test('refuses labels that do not fit', () => {
    expect(() => temperatureScaling(tensor([[1, 2]]), tensor([0, 1], { dtype: 'int32' }))).toThrow(ShapeError);
    expect(() => temperatureScaling(tensor([[1, 2]]), tensor([2], { dtype: 'int32' }))).toThrow(IndexError);
  });
});

describe('TemperatureScaling', () => {
  test('divides, is saved, and is not trained', () => {
    const scaling = new TemperatureScaling(2);
    expect(values(scaling.forward(tensor([2, 4])))).toEqual([1, 2]);
    expect([Object.keys(scaling.stateDict()), scaling.parameters()]).toEqual([['temperature'], []]);
    const other = new TemperatureScaling();
    other.loadStateDict(scaling.stateDict());
    expect(other.temperature.itemSync()).toBe(2);
  });

  test('refuses temperatures that are none', () => {
    for (const t of [0, -1, NaN, Infinity]) expect(() => new TemperatureScaling(t)).toThrow(ArgumentError);
  });
});
