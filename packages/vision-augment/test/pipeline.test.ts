import { describe, expect, test } from 'vitest';
import {
  AugmentError,
  affine,
  brightness,
  centerCrop,
  colorJitter,
  compose,
  createImage,
  crop,
  erase,
  gaussianBlur,
  gaussianNoise,
  horizontalFlip,
  hue,
  oneOf,
  randomCrop,
  randomResizedCrop,
  resize,
  rotate,
} from '../src/index.ts';
import type { AugmentRecord, Sample } from '../src/index.ts';
import { threefry } from '@gradus/tensor';
import { Stream } from '../src/random.ts';
import { pattern } from './photos.ts';

const everything = compose([
  randomResizedCrop([40, 32]),
  oneOf([rotate({ degrees: [-30, 30], expand: true }), affine({ shearX: [-10, 10], scale: [0.9, 1.1] }), compose([])]),
  horizontalFlip({ p: 0.5 }),
  colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
  oneOf([gaussianNoise({ sigma: [2, 9] }), gaussianBlur({ sigma: [0.3, 1.5] })], { p: 0.7 }),
  erase({ p: 0.5, fill: [1, 2, 3] }),
  randomCrop([30, 30]),
]);

const sample: Sample = {
  image: pattern(50, 44),
  mask: pattern(50, 44, 1),
  boxes: [
    [3, 4, 30, 20],
    [20, 20, 50, 44],
  ],
  keypoints: [
    [10, 12],
    [33.5, 40],
  ],
};

describe('streams', () => {
  test('are Threefry-2×32-20: the vectors of Random123', () => {
    expect(threefry([0, 0], [0, 0])).toEqual([0x6b200159, 0x99ba4efe]);
    expect(threefry([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff])).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(threefry([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3])).toEqual([0xc4923a9c, 0x483df7a0]);
  });

  test('have the moments of their distributions', () => {
    const stream = Stream.of({ seed: 1 });
    const mean = (draw: () => number): number => Array.from({ length: 20_000 }, draw).reduce((sum, value) => sum + value, 0) / 20_000;
    expect(mean(() => stream.uniform())).toBeCloseTo(0.5, 2);
    expect(mean(() => stream.normal() ** 2)).toBeCloseTo(1, 1);
    expect(mean(() => stream.beta(0.2, 0.2))).toBeCloseTo(0.5, 1);
    expect(mean(() => stream.beta(2, 6))).toBeCloseTo(0.25, 2);
  });
});

describe('one key, one result', () => {
  const keys = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((index) => [0, 1].map((epoch) => ({ seed: 7, epoch, index })));

  test('in any order of calls', () => {
    const forward = keys.map((key) => everything(sample, key));
    const backward = keys.toReversed().map((key) => everything(sample, key));
    expect(backward.toReversed()).toEqual(forward);
  });

  test('another seed, epoch or index is another result', () => {
    const records = [...keys, { seed: 8, epoch: 0, index: 0 }].map((key) => JSON.stringify(everything(sample, key).record));
    expect(new Set(records).size).toBe(records.length);
  });

  test('what one transform draws does not move the others', () => {
    const [once, twice] = [gaussianNoise({ sigma: 1 }), gaussianNoise({ sigma: [1, 2] })].map(
      (first) => compose([first, rotate({ degrees: [0, 90] })])(sample, { seed: 3 }).record.operations[1],
    );
    expect(twice).toEqual(once);
  });

  test('a record that went through JSON replays to the byte', () => {
    for (const key of keys) {
      const original = everything(sample, key);
      const record = JSON.parse(JSON.stringify(original.record)) as AugmentRecord;
      expect(everything.replay(record, sample)).toEqual(original);
    }
  });

  test('a record moves another sample in the same way', () => {
    const { record } = compose([rotate({ degrees: [0, 90] }), horizontalFlip({ p: 0.5 })])(sample, { seed: 5 });
    const other = { image: pattern(9, 8, 1), keypoints: [[4, 3.5]] as const };
    expect(everything.replay(record, other).keypoints?.[0]?.map((value) => Math.round(value * 1e9) / 1e9)).toEqual([4, 3.5]);
  });

  test('probabilities and choices come as often as they should', () => {
    const choose = compose([oneOf([rotate({ degrees: 1 }), rotate({ degrees: 2 })], { p: 0.5 })]);
    const small = { image: createImage({ width: 1, height: 1 }) };
    const drawn = Array.from({ length: 2000 }, (_, index) => choose(small, { index }).record.operations[0]);
    expect(drawn.filter((operation) => operation === undefined).length / 2000).toBeCloseTo(0.5, 1);
    expect(drawn.filter((operation) => operation?.op === 'rotate' && operation.degrees === 1).length / 2000).toBeCloseTo(0.25, 1);
  });
});

test('the image that comes in is not changed', () => {
  const image = pattern(20, 20);
  const before = image.data.slice();
  compose([brightness({ factor: 2 }), gaussianNoise({ sigma: 30 }), erase(), hue({ shift: 0.2 })])({ image });
  expect(image.data).toEqual(before);
});

test('random resized crops keep to area and proportions', () => {
  const draw = randomResizedCrop([8, 8], { scale: [0.2, 0.6], ratio: [0.5, 2] });
  for (let index = 0; index < 200; index++) {
    const [part] = draw.draw(Stream.of({ index }), { width: 200, height: 150, channels: 3 });
    if (part?.op !== 'crop') throw new Error('no crop');
    expect((part.width * part.height) / 30_000).toBeGreaterThan(0.19);
    expect((part.width * part.height) / 30_000).toBeLessThan(0.61);
    expect(part.width / part.height).toBeGreaterThan(0.48);
    expect(part.width / part.height).toBeLessThan(2.08);
  }
  const [middle] = draw.draw(Stream.of({}), { width: 1000, height: 10, channels: 3 });
  expect(middle).toEqual({ op: 'crop', x: 490, y: 0, width: 20, height: 10 });
});

test('noise has its standard deviation, and leaves alpha', () => {
  const image = createImage({ width: 100, height: 100, channels: 4 }, 128);
  const { data } = compose([gaussianNoise({ sigma: 10 })])({ image }).image;
  const deviations = [...data].filter((_, i) => i % 4 !== 3).map((level) => (level - 128) ** 2);
  expect(Math.sqrt(deviations.reduce((sum, value) => sum + value, 0) / deviations.length)).toBeCloseTo(10, 0);
  expect(data.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 128)).toBe(true);
});

describe('what is wrong is said', () => {
  const image = pattern(20, 10);
  const wrong: readonly [string, () => unknown][] = [
    ['a box outside', () => everything({ image, boxes: [[0, 0, 21, 5]] })],
    ['a box of x, y, width, height', () => everything({ image, boxes: [[10, 5, 4, 4]] })],
    ['a box that is not a number', () => everything({ image, boxes: [[0, 0, Number.NaN, 5]] })],
    ['a keypoint at infinity', () => everything({ image, keypoints: [[0, Infinity]] })],
    ['a mask of another size', () => everything({ image, mask: pattern(10, 20, 1) })],
    ['an image with bytes missing', () => everything({ image: { ...image, data: image.data.subarray(1) } })],
    ['an image of no width', () => createImage({ width: 0, height: 4 })],
    ['an image of two channels', () => createImage({ width: 1, height: 4, channels: 2 as 3 })],
    ['a crop larger than the image', () => compose([crop({ x: 0, y: 0, width: 30, height: 5 })])({ image })],
    ['a middle larger than the image', () => compose([centerCrop([21, 10])])({ image })],
    ['a random crop larger than the image', () => compose([randomCrop([21, 10])])({ image })],
    ['a size that is no whole number', () => resize([1.5, 3])],
    ['no such resampler', () => resize([3, 3], { resampler: 'lanczos' as 'bicubic' })],
    ['an angle that is no number', () => rotate({ degrees: Number.NaN })],
    ['a range the wrong way round', () => rotate({ degrees: [30, -30] })],
    ['a probability of 2', () => horizontalFlip({ p: 2 })],
    ['a negative factor', () => brightness({ factor: -1 })],
    ['a hue beyond half a circle', () => hue({ shift: 0.6 })],
    ['a scale of nothing', () => affine({ scale: 0 })],
    ['a fill of two values for three channels', () => compose([rotate({ degrees: 5, fill: [1, 2] })])({ image })],
    ['a choice of nothing', () => oneOf([])],
    ['a seed that is no word', () => everything({ image }, { seed: -1 })],
    ['a record of another version', () => everything.replay({ version: 2 as 1, operations: [] }, { image })],
    ['a record with nothing for an operation', () => everything.replay({ version: 1, operations: [null as never] }, { image })],
    ['a record with half a pixel', () => everything.replay({ version: 1, operations: [{ op: 'gaussianBlur', sigma: 1, radius: 1.5 }] }, { image })],
    ['a record with an unknown operation', () => everything.replay({ version: 1, operations: [{ op: 'melt' as 'horizontalFlip' }] }, { image })],
  ];

  test.each(wrong)('%s', (_, act) => {
    expect(act).toThrow(AugmentError);
    expect(act).toThrow(/^\[\w[\w.]*\] expected .+, got .+\./);
  });
});
