// Against Pillow 9.4, OpenCV 4.6 and torchvision 0.14: see fixtures/make.py.
import { describe, expect, test } from 'vitest';
import { brightness, compose, contrast, gaussianBlur, hue, resize, rotate, saturation } from '../src/index.ts';
import { expected, imageOf, largestDifference, photo } from './photos.ts';

describe.each(expected.resized)('resize of $photo to $width × $height, $resampler', (stored) => {
  test('is equal to the byte', () => {
    const { image } = compose([resize([stored.width, stored.height], { resampler: stored.resampler })])({ image: photo(stored.photo) });
    expect([image.width, image.height]).toEqual([stored.width, stored.height]);
    expect(largestDifference(image, imageOf(stored))).toBe(0);
  });
});

describe.each(expected.rotated)('rotation of $photo by $degrees°, expand: $expand', (stored) => {
  test('is Pillow’s canvas, and its pixels within a level: Pillow truncates', () => {
    const { image } = compose([rotate({ degrees: stored.degrees, expand: stored.expand, fill: 7 })])({ image: photo(stored.photo) });
    expect([image.width, image.height]).toEqual([stored.width, stored.height]);
    expect(largestDifference(image, imageOf(stored))).toBeLessThanOrEqual(1);
  });
});

const changes = {
  brightness: (factor: number) => brightness({ factor }),
  contrast: (factor: number) => contrast({ factor }),
  saturation: (factor: number) => saturation({ factor }),
  hue: (shift: number) => hue({ shift }),
  gaussianBlur: (sigma: number) => gaussianBlur({ sigma }),
};

describe.each(expected.changed)('$op of $photo by $value', (stored) => {
  test('is torchvision’s, to the byte; hue within a level', () => {
    const { image } = compose([changes[stored.op](stored.value)])({ image: photo(stored.photo) });
    expect(largestDifference(image, imageOf(stored))).toBeLessThanOrEqual(stored.op === 'hue' ? 1 : 0);
  });
});
