/** What holds for every pipeline: a function of the key alone, and its record does the same again. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  affine,
  brightness,
  colorJitter,
  compose,
  erase,
  gaussianBlur,
  gaussianNoise,
  horizontalFlip,
  oneOf,
  randomResizedCrop,
  resize,
  rotate,
  rotate90,
  verticalFlip,
} from '../src/index.ts';
import type { AugmentRecord, Augmented, Sample, Transform } from '../src/index.ts';
import { pattern } from './photos.ts';

const part = fc.double({ min: 0.1, max: 0.9, noNaN: true });
const simple: fc.Arbitrary<Transform> = fc.oneof(
  part.map((p) => horizontalFlip({ p })),
  part.map((p) => verticalFlip({ p })),
  fc.integer({ min: -3, max: 5 }).map((turns) => rotate90({ turns, p: 0.5 })),
  fc.record({ expand: fc.boolean(), fill: fc.integer({ min: 0, max: 255 }) }).map((options) => rotate({ degrees: [-40, 40], ...options })),
  part.map((reach) => affine({ degrees: [-20, 20], translateX: [-reach / 5, reach / 5], scale: [0.8, 1.2], shearX: [-9, 9] })),
  fc.constantFrom('bilinear', 'bicubic', 'opencv-bilinear', 'nearest').map((resampler) => resize([17, 13], { resampler })),
  fc.constant(randomResizedCrop([15, 18])),
  part.map((factor) => brightness({ factor: [factor, 1.5] })),
  part.map((reach) => colorJitter({ brightness: reach, contrast: reach, saturation: reach, hue: reach / 2 })),
  fc.constant(gaussianNoise({ sigma: [1, 20] })),
  fc.constant(gaussianBlur({ sigma: [0.4, 2] })),
  part.map((p) => erase({ p, fill: 9 })),
);
const transform: fc.Arbitrary<Transform> = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: fc.array(simple, { minLength: 1, maxLength: 3 }).map((several) => oneOf(several, { p: 0.8 })) },
  { weight: 1, arbitrary: fc.array(simple, { maxLength: 3 }).map((several) => compose(several)) },
);
const pipeline = fc.array(transform, { minLength: 1, maxLength: 5 }).map((transforms) => compose(transforms));
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const key = fc.record({ seed: word, epoch: word, index: word });

const sampleOf = (channels: 1 | 3 | 4): Sample => ({
  image: pattern(19, 16, channels),
  mask: pattern(19, 16, 1),
  boxes: [
    [1, 2, 9, 9],
    [10, 0, 19, 16],
  ],
  keypoints: [
    [0, 0],
    [12.5, 7],
  ],
});
const sample = fc.constantFrom(1, 3, 4).map((channels) => sampleOf(channels));
const fingerprint = ({ record, ...result }: Augmented): string =>
  JSON.stringify([record, { ...result, image: [...result.image.data], mask: [...(result.mask?.data ?? [])] }]);

test('the same key gives the same bytes, in any order of calls and whatever was called in between', () => {
  let different = 0;
  const keysInTwoOrders = fc
    .uniqueArray(key, { minLength: 2, maxLength: 5, selector: (each) => JSON.stringify(each) })
    .chain((keys) => fc.tuple(fc.constant(keys), fc.shuffledSubarray(keys, { minLength: keys.length })));
  fc.assert(
    fc.property(pipeline, sample, keysInTwoOrders, pipeline, (augment, given, [keys, shuffled], other) => {
      const first = new Map(keys.map((each) => [JSON.stringify(each), fingerprint(augment(given, each))]));
      for (const each of shuffled) {
        other(given, each);
        expect(fingerprint(augment(given, each))).toBe(first.get(JSON.stringify(each)));
      }
      if (new Set(first.values()).size > 1) different++;
    }),
    { seed: 11, numRuns: 80 },
  );
  // The keys do decide something.
  expect(different).toBeGreaterThan(50);
});

test('a record that went through JSON gives the same bytes, also where it is replayed by another pipeline', () => {
  let moved = 0;
  fc.assert(
    fc.property(pipeline, sample, key, pipeline, (augment, given, drawn, other) => {
      const original = augment(given, drawn);
      const record = JSON.parse(JSON.stringify(original.record)) as AugmentRecord;
      for (const replaying of [augment, other]) expect(fingerprint(replaying.replay(record, given))).toBe(fingerprint(original));
      if (original.record.operations.length > 0) moved++;
    }),
    { seed: 12, numRuns: 120 },
  );
  expect(moved).toBeGreaterThan(90);
});
