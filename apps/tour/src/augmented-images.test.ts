import { labelledImages } from '@gradus/data';
import { affine, compose, horizontalFlip } from '@gradus/vision-augment';
import { expect, test } from 'vitest';
import { AugmentedImages } from './augmented-images.ts';

const pixels = Uint8Array.from({ length: 3 * 6 * 4 }, (_, i) => (31 * i) % 256);
const images = labelledImages(
  { dtype: 'uint8', shape: [3, 6, 4], data: pixels },
  { dtype: 'uint8', shape: [3], data: Uint8Array.of(7, 8, 9) },
  { flatten: false },
);

test('images are augmented one by one, labels stay', async () => {
  const mirrored = new AugmentedImages(images, compose([horizontalFlip()]), 0);
  const [x, y] = await mirrored.batch(Int32Array.of(2, 0));
  expect(x.shape).toEqual([2, 1, 6, 4]);
  expect([...y.data]).toEqual([9, 7]);
  const row = (image: number, r: number): number[] => [...pixels.subarray(image * 24 + r * 4, image * 24 + r * 4 + 4)].toReversed();
  const bytes = Array.from(x.data, (value) => Math.round(value * 255));
  expect(bytes.slice(0, 4)).toEqual(row(2, 0));
  expect(bytes.slice(-4)).toEqual(row(0, 5));
});

test('what is drawn depends on seed, epoch and number of the image, not on the batch', async () => {
  const augment = compose([affine({ degrees: [-30, 30], translateX: [-0.3, 0.3] })]);
  const read = async (seed: number, epoch: number, ...indices: number[]): Promise<number[]> => {
    const augmented = new AugmentedImages(images, augment, seed);
    augmented.epoch = epoch;
    return [...(await augmented.batch(Int32Array.from(indices)))[0].data];
  };
  const first = await read(5, 1, 0, 1);
  expect(await read(5, 1, 1, 0)).toEqual([...first.slice(24), ...first.slice(0, 24)]);
  expect(await read(5, 2, 0, 1)).not.toEqual(first);
  expect(await read(6, 1, 0, 1)).not.toEqual(first);
});
