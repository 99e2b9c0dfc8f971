/** What a loop over a loader leaves behind: nothing. Live bytes are looked at while loops run, not only after them. */

import { State, TensorDisposedError, assign, commit, keep, memory, scope, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { ArrayDataset } from '../array-dataset.ts';
import { DataLoader } from './loader.ts';

const SAMPLES = 40;
const dataset = new ArrayDataset([
  { data: Float32Array.from({ length: SAMPLES * 8 }, (_, i) => i), shape: [8] },
  { data: Int32Array.from({ length: SAMPLES }, (_, i) => i) },
]);
const loader = (prefetch = 0) => new DataLoader(dataset, { batchSize: 4, prefetch });

/** Work with intermediate results, half of them read: the sum of the labels. */
async function work(x: Tensor, y: Tensor): Promise<number> {
  const wide = x.mul(2).add(1);
  wide.relu().mean({ axis: 0 }).evaluate();
  return (await y.mul(1).sum().item()) + 0 * (await wide.sum().item());
}

/**
 * Runs `loop` once for whatever is made once, and then again: live bytes must be as before. Nothing may be left for the garbage collector, here or in
 * the tests before: it would come when it likes, and the bytes with it.
 */
async function staysFlat(loop: () => Promise<unknown>): Promise<void> {
  await loop();
  const { liveBytes, liveBlocks, backendBytes } = memory();
  await loop();
  await loop();
  expect(memory()).toMatchObject({ liveBytes, liveBlocks, backendBytes });
}

/** A loop that lets other tasks run between making a tensor and using it. */
async function takingTurns(turns: number): Promise<number> {
  let sum = 0;
  for await (const [x, y] of loader()) {
    const before = y.add(0);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await new Promise(setImmediate);
    sum += await work(x, before);
  }
  return sum;
}

async function leaving(): Promise<void> {
  for await (const [x, y] of loader()) if ((await work(x, y)) > 50) throw new Error('enough');
}

const ALL_LABELS = (SAMPLES * (SAMPLES - 1)) / 2;

describe('memory of loops over a loader', () => {
  test.each([0, 1, 3])('is the same in each iteration, prefetch %d', async (prefetch) => {
    const seen = new Set<number>();
    let sum = 0;
    for (let epoch = 0; epoch < 3; epoch++) {
      for await (const [x, y] of loader(prefetch)) {
        sum += await work(x, y);
        seen.add(memory().liveBytes);
      }
    }
    expect(sum).toBe(3 * ALL_LABELS);
    expect(seen.size).toBe(1);
  });

  test('is the same after a thousand iterations', async () => {
    const one = new DataLoader(dataset, { batchSize: 1, shuffle: true });
    const seen = new Set<string>();
    for (let epoch = 0; epoch < 1000 / SAMPLES; epoch++) {
      for await (const [x, y] of one) {
        x.mul(y).relu().evaluate();
        seen.add(`${memory().liveBytes} ${memory().backendBytes}`);
      }
    }
    expect(one.epoch).toBe(25);
    expect(seen.size).toBe(1);
  });

  test('is flat when nothing is read, and state is written', async () => {
    const zero = zeros([8]);
    const total = new State(zero);
    zero.dispose();
    await staysFlat(async () => {
      scope(() => assign(total, zeros([8])));
      for await (const [x] of loader()) {
        assign(total, total.add(x.sum({ axis: 0 })));
        commit(total);
      }
    });
    expect(await scope(() => total.sum().item())).toBe((SAMPLES * 8 * (SAMPLES * 8 - 1)) / 2);
    total.dispose();
  });

  test('is flat after a break, a return and an exception', async () => {
    await staysFlat(async () => {
      for await (const [x, y] of loader(2)) if ((await work(x, y)) > 0) break;
    });
    await staysFlat(async () => {
      for await (const [x, y] of loader(1)) return await work(x, y);
      return 0;
    });
    await staysFlat(async () => {
      const loop = (async () => {
        for await (const [x, y] of loader(1)) throw new Error(`in the body: ${await work(x, y)}`);
      })();
      await expect(loop).rejects.toThrow('in the body: 6');
    });
  });

  test('is flat with a loop in a loop, and the outer batch lives through the inner', async () => {
    await staysFlat(async () => {
      let sum = 0;
      for await (const [x, y] of loader()) {
        const mine = x.add(0);
        for await (const [a, b] of loader(1)) {
          sum += await work(mine.mul(a), b.add(y));
          if (sum < 0) break;
        }
        expect(await mine.sum().item()).toBe(await x.sum().item());
      }
      expect(sum).toBe(10 * ALL_LABELS + 10 * ALL_LABELS);
    });
  });

  test('is flat with a loop in a loop that is left', async () => {
    await staysFlat(async () => {
      let sum = 0;
      for await (const [x, y] of loader()) {
        for await (const [a, b] of loader()) {
          sum += await work(a, b);
          break;
        }
        sum += await work(x, y);
      }
      expect(sum).toBe(10 * 6 + ALL_LABELS);
    });
  });

  test('is flat with loops that take turns in two tasks, and neither frees what is the other’s', async () => {
    await staysFlat(async () => {
      expect(await Promise.all([takingTurns(1), takingTurns(7), takingTurns(20)])).toEqual([ALL_LABELS, ALL_LABELS, ALL_LABELS]);
    });
  });

  test('is flat when one of two tasks fails', async () => {
    await staysFlat(async () => {
      const [failed, sum] = await Promise.allSettled([leaving(), takingTurns(3)]);
      expect(failed).toMatchObject({ status: 'rejected', reason: new Error('enough') });
      expect(sum).toEqual({ status: 'fulfilled', value: ALL_LABELS });
    });
  });

  test('is flat inside a scope', async () => {
    await staysFlat(async () => {
      const sum = await scope(async () => {
        const offset = tensor([1, 2, 3, 4]);
        let total = 0;
        for await (const [x, y] of loader()) total += await work(x, y.add(offset));
        return total + (await offset.sum().item());
      });
      expect(sum).toBe(ALL_LABELS + 10 * 10 + 10);
    });
  });

  test('is flat when the dataset fails', async () => {
    const failing = new DataLoader(
      {
        length: 8,
        batch: (indices: Int32Array) => {
          if (indices.includes(4)) throw new Error('no such file');
          return dataset.batch(indices);
        },
      },
      { batchSize: 4 },
    );
    await staysFlat(async () => {
      const loop = (async () => {
        for await (const [x, y] of failing) await work(x, y);
      })();
      await expect(loop).rejects.toThrow('no such file');
    });
  });

  test('what is made after a loop belongs to whoever made it', async () => {
    await scope(async () => {
      for await (const [x, y] of loader()) await work(x, y);
      const after = tensor([1, 2]);
      for await (const [x, y] of loader()) if ((await work(x, y)) > 0) break;
      expect(await after.toArray()).toEqual([1, 2]);
    });
  });
});

describe('what a loop keeps', () => {
  test('a kept tensor lives on; another one says that it is gone', async () => {
    const kept: Tensor[] = [];
    const lost: Tensor[] = [];
    for await (const [x] of loader()) {
      kept.push(keep(x.sum({ axis: 1 })));
      lost.push(x.sum({ axis: 1 }));
    }
    expect(kept).toHaveLength(10);
    expect(await kept[1]?.toArray()).toEqual([4, 5, 6, 7].map((i) => i * 64 + 28));
    expect(() => lost[0]?.shape).toThrow(TensorDisposedError);
    expect(() => lost[0]?.shape).toThrow(/keep\(\)/);
    for (const each of kept) each.dispose();
  });

  test('a single number lives on without keep', async () => {
    const sums: Tensor[] = [];
    for await (const [, y] of loader()) sums.push(y.sum());
    expect(await Promise.all(sums.map((each) => each.item()))).toEqual([6, 22, 38, 54, 70, 86, 102, 118, 134, 150]);
  });

  test('the batch itself can be kept, whatever array the next one is read into', async () => {
    const kept: Tensor[] = [];
    for await (const [x] of loader(1)) kept.push(keep(x));
    expect(await kept[0]?.toArray()).toEqual(Array.from({ length: 4 }, (_, i) => Array.from({ length: 8 }, (__, j) => 8 * i + j)));
    for (const each of kept) each.dispose();
  });
});
