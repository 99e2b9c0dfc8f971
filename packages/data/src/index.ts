/** Datasets, and loops over their batches. */

export { ArrayDataset, tensorDataset } from './array-dataset.ts';
export type { ArrayColumn, ColumnsOf } from './array-dataset.ts';
export { subset } from './dataset.ts';
export type { Batch, Column, Dataset } from './dataset.ts';
export { DataFormatError, DataNotFoundError } from './errors.ts';
export { readIdx } from './idx/read.ts';
export type { IdxArray, IdxData, IdxType } from './idx/read.ts';
export { labelledImages } from './images/labelled.ts';
export type { ImageBatch, ImageOptions, LabelledImages } from './images/labelled.ts';
export { fashionMnist, mnist } from './images/mnist.ts';
export type { FashionMnistOptions, MnistOptions, Split } from './images/mnist.ts';
export type { TensorsOf } from './loader/batches.ts';
export { DataLoader } from './loader/loader.ts';
export type { DataLoaderOptions } from './loader/loader.ts';
