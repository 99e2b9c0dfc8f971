/**
 * PyTorch's integers, scales and zero points, from torch 1.13.1: `quantize_dynamic` with weights from `default_dynamic_qconfig` and
 * `per_channel_dynamic_qconfig`, `MinMaxObserver`, and `torch._choose_qparams_per_tensor(x, reduce_range)` for activations.
 */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { compile, tensor, unsqueeze, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { affineScale, quantizeActivations, quantizeSymmetric, symmetricScale } from './scales.ts';

const weight = [
  [0.1, -0.2, 0.3],
  [-1, 0.5, 0.25],
];
const activations = [
  [1, -2, 0.5],
  [0.3, 0.3, -0.7],
];

const numbers = (t: Tensor): number[] => [...t.dataSync()];
const scaleOf = (x: Tensor, reduceRange: boolean): [number, number] => {
  const { scale, zeroPoint } = affineScale(x, { reduceRange });
  return [scale.itemSync(), zeroPoint.itemSync()];
};

describe.each([
  ['cpu', cpu()],
  ['required kernels only', withoutFastPaths(cpu())],
] as const)('on %s', (_, device) => {
  test('one scale for all weights', () => {
    const w = tensor(weight, { device });
    const scale = symmetricScale(w, 8);
    expect(scale.itemSync()).toBeCloseTo(0.00784314, 8);
    expect(numbers(quantizeSymmetric(w, scale, 8))).toEqual([13, -25, 38, -127, 64, 32]);
  });

  test('a scale for each row of weights', () => {
    const w = tensor(weight, { device });
    const scale = symmetricScale(w, 8, 1);
    expect(numbers(scale)[0]).toBeCloseTo(0.00235294, 8);
    expect(numbers(scale)[1]).toBeCloseTo(0.00784314, 8);
    expect(numbers(quantizeSymmetric(w, unsqueeze(scale, 1), 8)).slice(0, 3)).toEqual([42, -85, 127]);
  });

  test.each([
    [false, 0.0117647, 170],
    [true, 0.023622, 85],
  ])('activations, reduceRange %s', (reduceRange, scale, zeroPoint) => {
    const [found, zero] = scaleOf(tensor(activations, { device }), reduceRange);
    expect(found).toBeCloseTo(scale, 7);
    expect(zero).toBe(zeroPoint);
  });

  test.each([
    [false, 0.01568628, 64],
    [true, 0.03149606, 32],
  ])('the MinMax observer, reduceRange %s', (reduceRange, scale, zeroPoint) => {
    const [found, zero] = scaleOf(tensor([-1, 0, 0.5, 3], { device }), reduceRange);
    expect(found).toBeCloseTo(scale, 8);
    expect(zero).toBe(zeroPoint);
  });
});

test('the symmetric MinMax observer', () => expect(symmetricScale(tensor([-1, 0, 0.5, 3]), 8).itemSync()).toBeCloseTo(0.02352941, 8));

test('halves go to the even integer', () => {
  expect(numbers(quantizeSymmetric(tensor([0.5, 1.5, 2.5, -0.5, -1.5]), tensor(1), 8))).toEqual([0, 2, 2, 0, -2]);
});

test('integers beyond the range are clamped', () => {
  expect(numbers(quantizeSymmetric(tensor([200, -200]), tensor(1), 8))).toEqual([127, -128]);
  expect(numbers(quantizeSymmetric(tensor([200, -200]), tensor(1), 4))).toEqual([7, -8]);
});

test.each([
  ['zeros', [0, 0], 0.1, 0],
  ['the range of a denormal number', [0, 1e-39], 0.1, 0],
  ['positive numbers start at 0', [1, 255], 1, 0],
  ['negative numbers end at 0', [-255, -1], 1, 255],
  ['a range that is too small, up', [0, 1e-6], 6.1e-5, 0],
  ['a range that is too small, down', [-1e-6, 0], 6.1e-5, 255],
  ['a range that is too small, both ways', [-1e-6, 3e-6], 6.1e-5, 64],
])('affine scales: %s', (_, x, scale, zeroPoint) => {
  const [found, zero] = scaleOf(tensor(x), false);
  expect(found).toBeCloseTo(scale, 8);
  expect(zero).toBe(zeroPoint);
});

test('of no elements: scale 0.1', () => expect(scaleOf(zeros([0, 3]), true)).toEqual([Math.fround(0.1), 0]));

test('weights of zeros have the least scale and stay zeros', () => {
  const w = zeros([2, 2]);
  const scale = symmetricScale(w, 8);
  expect(scale.itemSync()).toBe(2 ** -23);
  expect(numbers(quantizeSymmetric(w, scale, 8))).toEqual([0, 0, 0, 0]);
});

test('what is quantized again gives the same numbers back within half a step, zero exactly', () => {
  const x = tensor([-3, -0.7, 0, 0.01, 1.9, 5]);
  for (const reduceRange of [true, false]) {
    const { values, scale, zeroPoint } = quantizeActivations(x, { reduceRange });
    const back = numbers(values.toDType('float32').sub(zeroPoint).mul(scale));
    expect(back[2]).toBe(0);
    for (const [i, v] of numbers(x).entries()) expect(Math.abs((back[i] ?? NaN) - v)).toBeLessThanOrEqual(0.5001 * scale.itemSync());
    expect(Math.max(...numbers(values))).toBe(reduceRange ? 127 : 255);
  }
});

test('inside compile: the same bits, with the scale of each call', () => {
  const run = compile((x: Tensor) => quantizeActivations(x).values);
  for (const x of [tensor([1, 2, -3]), tensor([10, 0.5, 7])]) expect(numbers(run(x))).toEqual(numbers(quantizeActivations(x).values));
});

/** `ChooseQuantizationParams` of ATen/native/quantized/cpu/QuantUtils.h for integers from 0, line by line, in float64 as it is there. */
function chooseQuantizationParams(least: number, most: number, top: number): { scale: number; exactZero: number } {
  let [low, high] = [Math.min(least, 0), Math.max(most, 0)];
  let scale = (high - low) / top;
  if (Math.fround(scale) === 0 || !Number.isFinite(Math.fround(1 / Math.fround(scale)))) scale = 0.1;
  if (scale < 6.1e-5) {
    const amplifier = 6.1e-5 / Math.fround(scale);
    if (low === 0) high = 6.1e-5 * top;
    else if (high === 0) low = -6.1e-5 * top;
    else [low, high] = [low * amplifier, high * amplifier];
    scale = 6.1e-5;
  }
  const fromLow = -Math.abs(low / scale) < top - Math.abs(high / scale);
  return { scale: Math.fround(scale), exactZero: fromLow ? -low / scale : top - high / scale };
}

test("for any range: PyTorch's scale to 2⁻²² of itself, and its zero point, unless it is nearly a tie", () => {
  const float = fc.float({ min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true });
  fc.assert(
    fc.property(fc.array(float, { minLength: 1, maxLength: 5 }), fc.boolean(), (x, reduceRange) => {
      const { scale, exactZero } = chooseQuantizationParams(Math.min(...x), Math.max(...x), reduceRange ? 127 : 255);
      const [found, zero] = scaleOf(tensor(x), reduceRange);
      expect(Math.abs(found - scale)).toBeLessThanOrEqual(scale * 2 ** -22);
      expect(Math.abs(zero - exactZero)).toBeLessThan(0.5 + 1e-3);
    }),
    { numRuns: 300 },
  );
});
