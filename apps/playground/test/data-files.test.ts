/** Where the images that the page is served with come from. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { MissingDataError, dataFolders } from '../server/data-files.ts';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

test('MNIST comes with the app, Fashion-MNIST from a folder with its four files', async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-playground-'));
  expect(Object.keys(dataFolders(undefined))).toEqual(['mnist']);
  expect(() => dataFolders(folder)).toThrow(MissingDataError);
  for (const name of ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte']) await writeFile(join(folder, name), '');
  expect(() => dataFolders(folder)).toThrow(/expected t10k-labels-idx1-ubyte, with or without \.gz/);
  await writeFile(join(folder, 't10k-labels-idx1-ubyte.gz'), '');
  expect(dataFolders(folder)).toMatchObject({ 'fashion-mnist': folder });
});
