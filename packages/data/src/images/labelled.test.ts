import { describe, expect, test } from 'vitest';
import { idxFile, imageFile, labelFile } from '../../test/idx-file.ts';
import { DataFormatError } from '../errors.ts';
import { readIdx } from '../idx/read.ts';
import { labelledImages } from './labelled.ts';

const images = await readIdx(imageFile(5, 2, 3));
const labels = await readIdx(labelFile(5));

describe('labelledImages', () => {
  test('gives rows of pixels from 0 to 1, and labels', async () => {
    const dataset = labelledImages(images, labels);
    expect(dataset.length).toBe(5);
    const [x, y] = await dataset.batch(Int32Array.of(4, 1));
    expect(x).toEqual({ data: Float32Array.from([40, 41, 42, 43, 44, 45, 10, 11, 12, 13, 14, 15], (p) => p / 255), shape: [2, 6], dtype: 'float32' });
    expect(y).toEqual({ data: Int32Array.of(4, 1), shape: [2], dtype: 'int32' });
  });

  test('gives images of one channel', async () => {
    const [x] = await labelledImages(images, labels, { flatten: false }).batch(Int32Array.of(0, 1));
    expect(x.shape).toEqual([2, 1, 2, 3]);
  });

  test('normalizes', async () => {
    const [x] = await labelledImages(images, labels, { normalize: { mean: 0.1307, std: 0.3081 } }).batch(Int32Array.of(1));
    expect(x.data).toEqual(Float32Array.from([10, 11, 12, 13, 14, 15], (p) => (p / 255 - 0.1307) / 0.3081));
  });

  test('refuses files that do not belong together', async () => {
    const odd = await readIdx(idxFile(0x09, [5], [0, 1, 2, 3, 4]));
    expect(() => labelledImages(labels, labels)).toThrow(/images uint8 \[samples, height, width\], got uint8 \[5\]/);
    expect(() => labelledImages(images, images)).toThrow(/labels uint8 \[samples\], got uint8 \[5, 2, 3\]/);
    expect(() => labelledImages(images, odd)).toThrow(DataFormatError);
    expect(() => labelledImages(images, { ...labels, shape: [4] })).toThrow(/5 labels, as there are images, got uint8 \[4\]/);
  });
});
