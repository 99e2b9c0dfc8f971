/** Metrics of probabilities, against values worked out by hand. */

import { ArgumentError, DTypeError, IndexError, ShapeError, softmax, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { crossEntropy } from '../index.ts';
import { brierScore, expectedCalibrationError, negativeLogLikelihood } from './index.ts';

const labels = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' });
const probabilities = (): Tensor =>
  tensor([
    [0.9, 0.1],
    [0.6, 0.4],
    [0.3, 0.7],
    [0.55, 0.45],
  ]);

test('the negative log likelihood', () => {
  const expected = -(Math.log(0.9) + Math.log(0.4) + Math.log(0.7) + Math.log(0.55)) / 4;
  expect(negativeLogLikelihood(probabilities(), labels(0, 1, 1, 0)).itemSync()).toBeCloseTo(expected, 6);
  expect(negativeLogLikelihood(tensor([[1, 0]]), labels(1)).itemSync()).toBe(Infinity);
  expect(negativeLogLikelihood(tensor([[1, 0]]), labels(0)).itemSync()).toBeCloseTo(0);
  const logits = tensor([
    [1, 2, 3],
    [1, -1, 0.5],
  ]);
  expect(negativeLogLikelihood(softmax(logits), labels(2, 0)).itemSync()).toBeCloseTo(crossEntropy(logits, labels(2, 0)).itemSync(), 6);
});

test('the Brier score', () => {
  const expected = (2 * 0.1 ** 2 + 2 * 0.6 ** 2 + 2 * 0.3 ** 2 + 2 * 0.45 ** 2) / 4;
  expect(brierScore(probabilities(), labels(0, 1, 1, 0)).itemSync()).toBeCloseTo(expected, 6);
  expect(brierScore(tensor([[1, 0]]), labels(1)).itemSync()).toBe(2);
});

describe('the expected calibration error', () => {
  test('of 10 bins', () => {
    // Bins (.8, .9], (.5, .6] and (.6, .7]: |1 - .9|, |1 - (.6 + .55)|, |1 - .7|, of 4.
    const ece = expectedCalibrationError(probabilities(), labels(0, 1, 1, 0), { bins: 10 });
    expect(ece.itemSync()).toBeCloseTo((0.1 + 0.15 + 0.3) / 4, 6);
  });

  test('is 0 of what is calibrated, and 1 of what is sure and wrong', () => {
    const sure = tensor([
      [1, 0],
      [0, 1],
    ]);
    expect(expectedCalibrationError(sure, labels(0, 1)).itemSync()).toBe(0);
    expect(expectedCalibrationError(sure, labels(1, 0)).itemSync()).toBe(1);
    expect(expectedCalibrationError(tensor([[0.5, 0.5]]).expand([2, 2]), labels(0, 1)).itemSync()).toBe(0);
  });

  test('of images is that of their pixels', () => {
    const image = probabilities().transpose().reshape([1, 2, 4]);
    const of = expectedCalibrationError(image, labels(0, 1, 1, 0).reshape([1, 4]));
    expect(of.itemSync()).toBe(expectedCalibrationError(probabilities(), labels(0, 1, 1, 0)).itemSync());
  });
});

test('what does not fit is refused', () => {
  for (const metric of [negativeLogLikelihood, brierScore, expectedCalibrationError]) {
    expect(() => metric(probabilities(), labels(0))).toThrow(ShapeError);
    expect(() => metric(probabilities(), labels(0))).toThrow(/probabilities \[N, C, …\] and labels \[4\], got \[4, 2\] and \[1\]/);
  }
  expect(() => brierScore(probabilities(), labels(0, 1, 2, 0))).toThrow(IndexError);
  expect(() => negativeLogLikelihood(probabilities(), tensor([0, 1, 1, 0]))).toThrow(DTypeError);
  expect(() => expectedCalibrationError(probabilities(), labels(0, 1, 1, 0), { bins: 0 })).toThrow(ArgumentError);
});
