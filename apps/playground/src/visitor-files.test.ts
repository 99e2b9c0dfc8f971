import { GradusError } from '@gradus/backend';
import { expect, test } from 'vitest';
import { DATA_FILES } from './choices.ts';
import { sortFiles } from './visitor-files.ts';

test('files are known by their names, in any order and spelling', () => {
  const names = ['t10k-labels.idx1-ubyte', 'notes.txt', 'train-images-idx3-ubyte.gz', 't10k-images.idx3-ubyte.gz', 'train-labels-idx1-ubyte'];
  const files = names.map((name) => ({ name }));
  const sorted = sortFiles(files);
  expect(Object.keys(sorted)).toEqual([...DATA_FILES]);
  expect(DATA_FILES.map((name) => sorted[name])).toEqual([files[2], files[4], files[3], files[0]]);
});

test('what is missing is named', () => {
  const files = [{ name: 'train-images-idx3-ubyte' }, { name: 't10k-images-idx3-ubyte' }, { name: 't10k-labels-idx1-ubyte' }];
  expect(() => sortFiles(files)).toThrow(GradusError);
  expect(() => sortFiles(files)).toThrow(/got none named train-labels-idx1-ubyte\./);
});
