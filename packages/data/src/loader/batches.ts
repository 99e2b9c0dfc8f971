/** One pass over a dataset: asks for batches in order, ahead of time if wanted, and makes tensors of each when it is its turn. */

import { tensor } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import type { Batch, Dataset } from '../dataset.ts';
import { takeTurns } from './event-loop.ts';

/** The tensors of a batch: one for each column. */
export type TensorsOf<B extends Batch> = { -readonly [K in keyof B]: Tensor };

/** What to read. */
export interface Pass<B extends Batch> {
  readonly dataset: Dataset<B>;
  /** The samples in the order they are wanted. */
  readonly order: Int32Array;
  readonly batchSize: number;
  /** Number of batches. */
  readonly count: number;
  /** How many batches to ask for before it is their turn. */
  readonly ahead: number;
  readonly device: Device | undefined;
  /** Called when every batch was given. */
  readonly onEnd: () => void;
}

/** The batches of a pass, as tensors. */
export class Batches<B extends Batch> implements AsyncIterator<TensorsOf<B>, undefined> {
  readonly #pass: Pass<B>;
  /** Batches asked for so far. */
  #asked = 0;
  /** Those that wait for their turn. */
  readonly #waiting: Promise<B>[] = [];
  /** Those whose arrays may be filled again. */
  readonly #spare: B[] = [];

  constructor(pass: Pass<B>) {
    this.#pass = pass;
  }

  async next(): Promise<IteratorResult<TensorsOf<B>, undefined>> {
    const { ahead, device, onEnd } = this.#pass;
    await takeTurns();
    this.#ask(1 + ahead);
    const first = this.#waiting.shift();
    if (first === undefined) {
      onEnd();
      return { done: true, value: undefined };
    }
    const batch = await first;
    const value = makeTensors(batch, device);
    this.#spare.push(batch);
    return { done: false, value };
  }

  /** Asks for batches until `wanted` wait, or all were asked for. */
  #ask(wanted: number): void {
    const { batchSize, count, order } = this.#pass;
    while (this.#waiting.length < wanted && this.#asked < count) {
      const start = this.#asked++ * batchSize;
      const reading = this.#read(order.subarray(start, start + batchSize));
      // A failure is thrown when its batch has its turn; if the loop ends before, nobody asks.
      reading.catch(() => undefined);
      this.#waiting.push(reading);
    }
  }

  async #read(indices: Int32Array): Promise<B> {
    return this.#pass.dataset.batch(indices, this.#spare.pop());
  }
}

function makeTensors<B extends Batch>(batch: B, device: Device | undefined): TensorsOf<B> {
  const made: Tensor[] = [];
  try {
    for (const { data, shape, dtype } of batch) made.push(tensor(data, { shape, dtype, ...(device === undefined ? {} : { device }) }));
  } catch (error) {
    for (const each of made) each.dispose();
    throw error;
  }
  return made as TensorsOf<B>;
}
