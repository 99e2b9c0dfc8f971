import { tensorDataset } from '@gradus/data';
import { Module } from '@gradus/nn';
import { argmax, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { measure, shareOfEqual } from './measure.ts';

/** Gives its input back. */
class Same extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

class Classes extends Module {
  forward(x: Tensor): Tensor {
    return argmax(x, { axis: 1 });
  }
}

/** Probabilities of ten classes: p for one, the rest for the next. */
const row = (at: number, p: number): number[] => Array.from({ length: 10 }, (_, i) => (i === at ? p : i === (at + 1) % 10 ? 1 - p : 0));

const images = tensorDataset(tensor([row(3, 0.9), row(4, 0.9), row(5, 0.6), row(9, 0.6)]), tensor(Int32Array.of(3, 5, 5, 9)));
const at = (signal: AbortSignal): { now: () => number; signal: AbortSignal } => ({ now: () => 0, signal });
const quiet = at(new AbortController().signal);

test('scores of probabilities', async () => {
  const found = await measure(new Same(), 'probabilities', images, quiet);
  expect([...found.classes]).toEqual([3, 4, 5, 9]);
  expect(found.accuracy).toBe(0.75);
  expect(found.nll).toBeCloseTo(-(Math.log(0.9) + Math.log(0.1) + 2 * Math.log(0.6)) / 4, 5);
  // Two that are 0.9 sure and half right, two that are 0.6 sure and right.
  expect(found.ece).toBeCloseTo((2 * 0.4 + 2 * 0.4) / 4, 5);
  const used = found.reliability?.filter(({ count }) => count > 0) ?? [];
  expect(used.map(({ count, accuracy }) => [count, accuracy])).toEqual([
    [2, 1],
    [2, 0.5],
  ]);
  // The bins are those of the calibration error.
  const gaps = used.reduce((sum, bin) => sum + (bin.count / 4) * Math.abs(bin.accuracy - bin.confidence), 0);
  expect(gaps).toBeCloseTo(found.ece ?? NaN, 5);
  expect(found.imagesPerSecond).toBe(4000); // a clock that stands still counts as a millisecond
});

test('of logits the softmax is taken', async () => {
  const found = await measure(new Same(), 'logits', images, quiet);
  expect(found.confidences?.[0]).toBeCloseTo(Math.exp(0.9) / (Math.exp(0.9) + Math.exp(0.1) + 8), 5);
});

test('classes have an accuracy only', async () => {
  const found = await measure(new Classes(), 'classes', images, quiet);
  expect(found).toMatchObject({ accuracy: 0.75, nll: null, ece: null, reliability: null, confidences: null });
});

test('stops when it is asked to', async () => {
  const reason = new Error('enough');
  await expect(measure(new Same(), 'logits', images, at(AbortSignal.abort(reason)))).rejects.toBe(reason);
});

test('the share of equal classes', () => {
  expect(shareOfEqual(Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 2, 0, 4))).toBe(0.75);
});
