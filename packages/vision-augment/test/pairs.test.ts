/** Mixtures of two samples. */

import fc from 'fast-check';
import { DTypeError, IndexError, stack, tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { AugmentError, createImage, cutMix, mixUp, toTensor } from '../src/index.ts';
import type { Image, LabelledImage, MixRecord } from '../src/index.ts';
import { pattern } from './photos.ts';

const reversed = (image: Image): Image => createImage(image, image.data.toReversed());
const own: LabelledImage = { image: pattern(7, 5), label: [1, 0, 0] };
const other: LabelledImage = { image: reversed(pattern(7, 5)), label: [0, 0.25, 0.75] };
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

test('mixUp blends pixels to the nearest level, and labels by the same weight', () => {
  const { image, label, record } = mixUp({ alpha: 0.4 })([own, other], { seed: 3, index: 2 });
  const { lambda } = record;
  expect(lambda).toBeGreaterThan(0);
  expect(lambda).toBeLessThan(1);
  for (const [i, level] of image.data.entries())
    expect(Math.abs(level - (lambda * (own.image.data[i] ?? NaN) + (1 - lambda) * (other.image.data[i] ?? NaN)))).toBeLessThanOrEqual(0.5);
  expect(label).toEqual([lambda, (1 - lambda) * 0.25, (1 - lambda) * 0.75]);
});

test('cutMix has the pixels of one or the other, and counts them', () => {
  const [black, white] = [0, 255].map((level) => ({ image: createImage({ width: 9, height: 8 }, level), label: level === 0 ? [1, 0] : [0, 1] }));
  let cut = 0;
  for (let index = 0; index < 20; index++) {
    const { image, label, record } = cutMix({ alpha: 1 })([black as LabelledImage, white as LabelledImage], { index });
    const whites = image.data.filter((level) => level === 255).length;
    expect(image.data.filter((level) => level === 0).length).toBe(image.data.length - whites);
    expect(label[1]).toBeCloseTo(whites / image.data.length, 12);
    expect(label[0]).toBe(record.lambda);
    if (record.op !== 'cutMix') throw new Error('another op');
    expect(whites).toBe(record.width * record.height * 3);
    if (whites > 0) expect(image.data[(record.y * 9 + record.x) * 3]).toBe(255);
    cut += whites;
  }
  expect(cut).toBeGreaterThan(0);
});

describe.each([mixUp({ alpha: 0.3, classes: 4 }), cutMix({ alpha: 1, classes: 4 })])('both', (mix) => {
  const key = { seed: 9, epoch: 1, index: 5 };

  test('replay to the byte, from JSON', () => {
    const original = mix([own, other], key);
    expect(mix.replay(json(original.record), [own, other])).toEqual(original);
  });

  test('depend on the key alone, in any order of calls', () => {
    const keys = [0, 1, 2, 3].map((index) => ({ seed: 1, index }));
    const forward = keys.map((each) => mix([own, other], each));
    expect(keys.toReversed().map((each) => mix([own, other], each))).toEqual(forward.toReversed());
    expect(new Set(forward.map(({ record }) => JSON.stringify(record))).size).toBe(4);
  });

  test('draw for a pair what they draw for a batch of such images, and mix them alike', async () => {
    const images = stack([toTensor(own.image), toTensor(other.image)]);
    const targets = tensor([own.label, other.label] as number[][]);
    const [pair, batch] = [mix([own, other], key), mix({ images, targets }, key)];
    expect(batch.record).toEqual(pair.record);
    const [levels, blended] = [await batch.images.data(), pair.image];
    expect(
      Math.max(
        ...toTensor(blended)
          .dataSync()
          .map((value, i) => Math.abs(value - (levels[i] ?? NaN))),
      ),
    ).toBeLessThan(0.51 / 255);
    expect(((await batch.targets.toArray()) as number[][])[0]).toEqual([...pair.label].map((value) => expect.closeTo(value, 6) as number));
  });

  test('class indices are one-hot, in pairs and in batches', async () => {
    const { label, record } = mix(
      [
        { ...own, label: 2 },
        { ...other, label: 0 },
      ],
      key,
    );
    expect(label).toEqual([1 - record.lambda, 0, record.lambda, 0]);
    const batch = { images: stack([toTensor(own.image), toTensor(other.image)]), targets: tensor([2, 0], { dtype: 'int32' }) };
    const rows = (await mix(batch, key).targets.toArray()) as number[][];
    expect(rows[0]).toEqual(label.map((value) => expect.closeTo(value, 6) as number));
    expect(rows[0]?.reduce((sum, value) => sum + value)).toBeCloseTo(1, 6);
  });

  test('the samples that come in are not changed', () => {
    const before = structuredClone([own, other]);
    mix([own, other], key);
    expect([own, other]).toEqual(before);
  });
});

test('labels stay distributions, for any weight', () => {
  const distribution = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }).map((parts) => {
    const sum = parts.reduce((a, b) => a + b);
    return parts.map((each) => each / sum);
  });
  fc.assert(
    fc.property(distribution, distribution, fc.integer({ min: 0, max: 1000 }), (a, b, index) => {
      const { label } = cutMix({ alpha: 0.5 })(
        [
          { ...own, label: a },
          { ...other, label: b },
        ],
        { index },
      );
      expect(label.reduce((sum, value) => sum + value)).toBeCloseTo(1, 12);
      expect(label.every((value, i) => value >= Math.min(a[i] ?? 0, b[i] ?? 0) - 1e-12)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test.each<[string, readonly unknown[], RegExp]>([
  ['images of other sizes', [own, { ...other, image: pattern(5, 7) }], /another image of 7 × 5 × 3, as the first, got 5 × 7 × 3\. Fix: resize both/],
  ['images of other channels', [own, { ...other, image: pattern(7, 5, 1) }], /got 7 × 5 × 1/],
  ['labels of other classes', [own, { ...other, label: [1, 0] }], /labels of 3 classes, as the first, got 2\. Fix: /],
  [
    'class indices without a number of classes',
    [{ ...own, label: 2 }, other],
    /probabilities, one for each class, got 2\. Fix: say how many classes/,
  ],
  ['a label of nothing', [{ ...own, label: [] }, other], /got \[\]\. Fix: /],
  ['a negative probability', [{ ...own, label: [-1, 2, 0] }, other], /got \[-1, 2, 0\]/],
  ['one sample', [own], /two samples \{ image, label \}, got \[a plain object\]\. Fix: /],
  ['an image that is not whole', [{ ...own, image: { ...own.image, width: 8 } }, other], /bytes/],
])('%s are refused', (_, pair, message) => {
  for (const mix of [mixUp({ alpha: 1 }), cutMix({ alpha: 1 })]) {
    expect(() => mix(pair as never)).toThrow(AugmentError);
    expect(() => mix(pair as never)).toThrow(message);
  }
});

test('a part outside the images is refused, and so is a class that is none', () => {
  const record: MixRecord = { op: 'cutMix', lambda: 0.5, x: 3, y: 0, width: 5, height: 1 };
  expect(() => cutMix({ alpha: 1 }).replay(record, [own, other])).toThrow(/a part of 7 × 5, got 5 × 1 at \(3, 0\)\. Fix: /);
  expect(() => mixUp({ alpha: 1, classes: 3 })([{ ...own, label: 3 }, other])).toThrow(/or a class from 0 to 2, got 3/);
  const batch = { images: stack([toTensor(own.image), toTensor(other.image)]), targets: tensor([3, 0], { dtype: 'int32' }) };
  expect(() => mixUp({ alpha: 1, classes: 3 })(batch)).toThrow(IndexError);
  expect(() => mixUp({ alpha: 1, classes: 3 })({ ...batch, targets: tensor([0.5, 1]) })).toThrow(DTypeError);
  expect(() => mixUp({ alpha: 1, classes: 0 })).toThrow(AugmentError);
});
