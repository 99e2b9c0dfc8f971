import { ArgumentError, permutationOf } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { ArrayDataset } from '../array-dataset.ts';
import type { Batch, Column, Dataset } from '../dataset.ts';
import { DataLoader } from './loader.ts';
import type { DataLoaderOptions } from './loader.ts';

/** Samples that are their own number. */
function numbers(length: number): Dataset<readonly [Column]> {
  return new ArrayDataset([{ data: Int32Array.from({ length }, (_, i) => i) }]);
}

/** The numbers in one loop over a loader, batch by batch. */
async function batchesOf(loader: DataLoader<readonly [Column]>): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const [x] of loader) batches.push([...(await x.data())]);
  return batches;
}

/** The order of an epoch of 50 samples. */
async function orderOf(options: Partial<DataLoaderOptions>, epoch: number): Promise<number[]> {
  const loader = new DataLoader(numbers(50), { batchSize: 7, shuffle: true, ...options });
  loader.epoch = epoch;
  return (await batchesOf(loader)).flat();
}

/** A batch of one column. */
const column = (...data: number[]): Batch => [{ data: Int32Array.from(data), shape: [data.length], dtype: 'int32' }];

describe('DataLoader', () => {
  test('gives each column as a tensor', async () => {
    const dataset = new ArrayDataset([
      { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [1, 2] },
      { data: Uint8Array.of(0, 1, 2), dtype: 'int32' },
    ]);
    const seen: unknown[] = [];
    for await (const [x, y] of new DataLoader(dataset, { batchSize: 2 }))
      seen.push([x.dtype, x.shape, await x.toArray(), y.dtype, y.shape, await y.toArray()]);
    expect(seen).toEqual([
      ['float32', [2, 1, 2], [[[1, 2]], [[3, 4]]], 'int32', [2], [0, 1]],
      ['float32', [1, 1, 2], [[[5, 6]]], 'int32', [1], [2]],
    ]);
  });

  test.each<[length: number, batchSize: number, dropLast: boolean, sizes: number[]]>([
    [6, 2, false, [2, 2, 2]],
    [7, 3, false, [3, 3, 1]],
    [7, 3, true, [3, 3]],
    [6, 3, true, [3, 3]],
    [2, 5, false, [2]],
    [2, 5, true, []],
    [0, 5, false, []],
  ])('%d samples in batches of %d, dropLast %s', async (length, batchSize, dropLast, sizes) => {
    for (const prefetch of [0, 1, 5]) {
      const loader = new DataLoader(numbers(length), { batchSize, dropLast, prefetch });
      expect(loader.length).toBe(sizes.length);
      const batches = await batchesOf(loader);
      expect(batches.map((batch) => batch.length)).toEqual(sizes);
      expect(batches.flat()).toEqual(Array.from({ length: sizes.reduce((a, b) => a + b, 0) }, (_, i) => i));
      expect(loader.epoch).toBe(1);
    }
  });

  test('shuffles by seed and epoch alone', async () => {
    for (const [seed, epoch] of [[0, 0], [0, 1], [9, 0], [9, 4]] as const) expect(await orderOf({ seed }, epoch)).toEqual([...permutationOf(50, seed, epoch)]); // prettier-ignore
    expect(await orderOf({ batchSize: 3 }, 2)).toEqual(await orderOf({ batchSize: 50, prefetch: 4 }, 2));
  });

  test('goes to the next epoch when a loop has ended, and goes on where another left off', async () => {
    const loader = new DataLoader(numbers(20), { batchSize: 6, shuffle: true, seed: 3 });
    const epochs = [await batchesOf(loader), await batchesOf(loader), await batchesOf(loader)];
    expect(loader.epoch).toBe(3);
    expect(new Set(epochs.map(String)).size).toBe(3);
    for (const epoch of epochs) expect(epoch.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const resumed = new DataLoader(numbers(20), { batchSize: 6, shuffle: true, seed: 3 });
    resumed.epoch = 2;
    expect(await batchesOf(resumed)).toEqual(epochs[2]);
    expect(resumed.epoch).toBe(3);
  });

  test('a loop that is left early is not an epoch', async () => {
    const loader = new DataLoader(numbers(20), { batchSize: 6, shuffle: true });
    const first = await batchesOf(loader);
    loader.epoch = 0;
    for await (const [x] of loader) if ((await x.data())[0] !== undefined) break;
    expect(loader.epoch).toBe(0);
    await expect(async () => {
      for await (const [x] of loader) throw new Error(String(x.size));
    }).rejects.toThrow('6');
    expect(loader.epoch).toBe(0);
    expect(await batchesOf(loader)).toEqual(first);
  });

  test('two loops over one loader do not disturb each other', async () => {
    const loader = new DataLoader(numbers(9), { batchSize: 2, shuffle: true, seed: 1, prefetch: 1 });
    const expected = [...permutationOf(9, 1, 0)];
    const [a, b] = await Promise.all([batchesOf(loader), batchesOf(loader)]);
    expect(a.flat()).toEqual(expected);
    expect(b.flat()).toEqual(expected);
    expect(loader.epoch).toBe(1);
  });

  test('takes a generator of batches to its end by hand', async () => {
    const iterator = new DataLoader(numbers(3), { batchSize: 2 })[Symbol.asyncIterator]();
    const sizes: (number | undefined)[] = [];
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) sizes.push(step.value[0].size);
    expect(sizes).toEqual([2, 1]);
    expect((await iterator.next()).done).toBe(true);
  });

  test.each<[string, Partial<DataLoaderOptions>]>([
    ['batchSize', { batchSize: 0 }],
    ['batchSize', { batchSize: 1.5 }],
    ['batchSize', { batchSize: NaN }],
    ['seed', { seed: -1 }],
    ['seed', { seed: 2 ** 32 }],
    ['prefetch', { prefetch: -1 }],
    ['prefetch', { prefetch: Infinity }],
  ])('refuses %s: %o', (name, options) => {
    expect(() => new DataLoader(numbers(3), { batchSize: 1, ...options })).toThrow(ArgumentError);
    expect(() => new DataLoader(numbers(3), { batchSize: 1, ...options })).toThrow(`${name}: a whole number`);
  });

  test.each([-1, 0.5, 2 ** 32])('refuses epoch %d', (epoch) => {
    const loader = new DataLoader(numbers(3), { batchSize: 1 });
    expect(() => {
      loader.epoch = epoch;
    }).toThrow(ArgumentError);
  });
});

describe('a dataset that takes its time', () => {
  /** Answers when told to; keeps what it was asked for. */
  class SlowDataset implements Dataset {
    readonly length = 6;
    readonly asked: number[][] = [];
    readonly answers: ((batch: Batch | Error) => void)[] = [];

    /** Waits until that many batches were asked for. */
    async until(count: number): Promise<void> {
      while (this.answers.length < count) await new Promise(setImmediate);
    }

    async batch(indices: Int32Array): Promise<Batch> {
      this.asked.push([...indices]);
      const answer = await new Promise<Batch | Error>((resolve) => {
        this.answers.push(resolve);
      });
      if (answer instanceof Error) throw answer;
      return answer;
    }
  }

  test('is asked for as many batches ahead as wanted', async () => {
    const dataset = new SlowDataset();
    const iterator = new DataLoader(dataset, { batchSize: 2, prefetch: 1 })[Symbol.asyncIterator]();
    const first = iterator.next();
    await dataset.until(2);
    expect(dataset.asked).toEqual([[0, 1], [2, 3]]); // prettier-ignore
    dataset.answers[1]?.(column(2, 3)); // not in order
    dataset.answers[0]?.(column(0, 1));
    const [x] = (await first).value as Tensor[];
    expect([...(x?.dataSync() ?? [])]).toEqual([0, 1]);
    expect(dataset.asked).toHaveLength(2);
    await iterator.next();
    expect(dataset.asked).toEqual([[0, 1], [2, 3], [4, 5]]); // prettier-ignore
    await iterator.return?.();
  });

  test('that fails fails the loop at that batch', async () => {
    const dataset = new SlowDataset();
    let batches = 0;
    const loop = (async () => {
      for await (const [x] of new DataLoader(dataset, { batchSize: 2, prefetch: 2 })) batches += x === undefined ? 0 : 1;
    })();
    const outcome = loop.catch(String);
    await dataset.until(3);
    dataset.answers[1]?.(new Error('disk on fire'));
    dataset.answers[0]?.(column(0, 1));
    expect(await outcome).toBe('Error: disk on fire');
    expect(batches).toBe(1);
  });

  test('that fails after the loop was left bothers nobody', async () => {
    const dataset = new SlowDataset();
    const loop = (async () => {
      for await (const [x] of new DataLoader(dataset, { batchSize: 2, prefetch: 2 })) return x?.size;
      return 0;
    })();
    await dataset.until(3);
    dataset.answers[0]?.(column(0, 1));
    expect(await loop).toBe(2);
    for (const answer of dataset.answers) answer(new Error('disk on fire'));
    await new Promise(setImmediate); // an unhandled rejection would fail the run
  });
});
