/** The loader: a dataset as a loop over batches of tensors. */

import { ArgumentError, iterationScopes, permutationOf } from '@gradus/tensor';
import type { Device } from '@gradus/tensor';
import type { Batch, Dataset } from '../dataset.ts';
import { Batches } from './batches.ts';
import type { TensorsOf } from './batches.ts';

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions {
  /** Samples in a batch, at least 1. */
  readonly batchSize: number;
  /** Another order in each epoch. Default false: the dataset's. */
  readonly shuffle?: boolean;
  /** Of the shuffle, a whole number from 0 to 2^32 - 1. Default 0. */
  readonly seed?: number;
  /** Leave out the last batch if it is smaller than the others. Default false. */
  readonly dropLast?: boolean;
  /** Where the tensors go. Default: the default device at that time. */
  readonly device?: Device;
  /** How many batches to ask the dataset for while the loop works on another: for datasets that read files or fetch. Default 0. */
  readonly prefetch?: number;
}

/**
 * Batches of a dataset as tensors: `for await (const [x, y] of new DataLoader(dataset, { batchSize: 64 }))`. Each loop over it is one epoch.
 *
 * What the body of the loop makes is released when it asks for the next batch, as a scope does (`iterationScopes` of `@gradus/tensor`); `keep()`
 * carries a tensor into the next iteration. The event loop gets a turn about every 50 ms, so that timers and Ctrl-C work.
 *
 * The order is a function of (number of samples, seed, epoch) alone: a loader with the same seed whose `epoch` is set goes on as the first would have.
 */
export class DataLoader<B extends Batch> implements AsyncIterable<TensorsOf<B>> {
  readonly dataset: Dataset<B>;
  readonly batchSize: number;
  /** Number of batches in an epoch. */
  readonly length: number;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #device: Device | undefined;
  readonly #prefetch: number;
  #epoch = 0;

  /** @throws ArgumentError for a batch size below 1, or a seed or prefetch that is no whole number of at least 0 */
  constructor(dataset: Dataset<B>, options: DataLoaderOptions) {
    const { batchSize, shuffle = false, seed = 0, dropLast = false, device, prefetch = 0 } = options;
    this.dataset = dataset;
    this.batchSize = checkWhole('batchSize', batchSize, 1, Number.MAX_SAFE_INTEGER);
    this.length = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize);
    this.#shuffle = shuffle;
    this.#seed = checkWhole('seed', seed, 0, MAX_WORD);
    this.#device = device;
    this.#prefetch = checkWhole('prefetch', prefetch, 0, Number.MAX_SAFE_INTEGER);
  }

  /**
   * How many loops over it ran to their end; a loop that was left early does not count. It decides the order of the next one; set it to resume.
   * @throws ArgumentError on setting anything but a whole number from 0 to 2^32 - 1
   */
  get epoch(): number {
    return this.#epoch;
  }

  set epoch(epoch: number) {
    this.#epoch = checkWhole('epoch', epoch, 0, MAX_WORD);
  }

  /** Begins an epoch. */
  [Symbol.asyncIterator](): AsyncIterableIterator<TensorsOf<B>> {
    const epoch = this.#epoch;
    const { length } = this.dataset;
    const batches = new Batches({
      dataset: this.dataset,
      order: this.#shuffle ? permutationOf(length, this.#seed, epoch) : Int32Array.from({ length }, (_, i) => i),
      batchSize: this.batchSize,
      count: this.length,
      ahead: this.#prefetch,
      device: this.#device,
      onEnd: () => {
        this.#epoch = epoch + 1;
      },
    });
    return iterationScopes<TensorsOf<B>>(batches);
  }
}

/** Seeds and epochs are words of the random generator's key. */
const MAX_WORD = 2 ** 32 - 1;

function checkWhole(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new ArgumentError({ op: 'DataLoader', expected: `${name}: a whole number ${range}`, got: String(value) });
}
