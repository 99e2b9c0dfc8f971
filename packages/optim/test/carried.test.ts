/** Values carried from one iteration to the next, and what happens to those that are not. */

import { Linear, Module, Sequential } from '@gradus/nn';
import { crossEntropy } from '@gradus/losses';
import { Parameter, TensorDisposedError, iterationScopes, keep, manualSeed, memory, noGrad, rand, randn, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { Adam, SGD } from '../src/index.ts';
import { BATCH, CLASSES, FEATURES, batches, loop, mlp } from './batches.ts';

beforeEach(() => manualSeed(0));

describe('values carried from one iteration to the next', () => {
  test('a running total of losses', async () => {
    const model = mlp();
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    let total = tensor(0);
    const each: number[] = [];
    for await (const [x, y] of loop(20)) {
      const loss = crossEntropy(model.forward(x), y);
      optimizer.minimize(loss);
      total = total.add(loss.detach());
      each.push(await loss.item());
    }
    expect(await total.item()).toBeCloseTo(
      each.reduce((a, b) => a + b, 0),
      4,
    );
    expect(each.at(-1)).toBeLessThan(each[0] ?? 0);
  });

  test('a recurrent state with keep', async () => {
    let h = zeros([FEATURES]) as Tensor;
    for await (const [x] of loop(5)) {
      const next = keep(h.mul(0.5).add(x.mean({ axis: 0 })));
      h.dispose();
      h = next;
    }
    const [x] = [...batches(1)][0] as [Tensor, Tensor];
    const mean = x.mean({ axis: 0 }).dataSync();
    expect([...h.dataSync()].every((v, i) => Math.abs(v - (mean[i] ?? 0) * (2 - 0.5 ** 4)) < 1e-5)).toBe(true);
  });

  test('a recurrent state without keep names keep', async () => {
    let h = zeros([FEATURES]) as Tensor;
    const run = async (): Promise<void> => {
      for await (const [x] of loop(5)) h = h.add(x.mean({ axis: 0 }));
    };
    await expect(run()).rejects.toThrow(TensorDisposedError);
    await expect(run()).rejects.toThrow(/keep\(\)/);
  });

  test('a module that caches a mask', async () => {
    class Masked extends Module {
      mask: Tensor | null = null;
      forward(x: Tensor): Tensor {
        this.mask ??= this.buffer(rand(x.shape, { seed: 3 }).greater(0.5), { persistent: false });
        return x.mul(this.mask);
      }
    }
    const model = new Masked();
    const sums: number[] = [];
    for await (const [x] of loop(3)) sums.push(model.forward(x).sum().itemSync());
    expect(new Set(sums).size).toBe(1);
    expect(Object.keys(model.stateDict())).toEqual([]);
  });

  test('lazily made parameters', async () => {
    class Lazy extends Module {
      weight: Parameter | null = null;
      forward(x: Tensor): Tensor {
        this.weight ??= new Parameter(randn([x.shape[1] ?? 1, CLASSES], { seed: 1 }));
        return x.matmul(this.weight);
      }
    }
    const model = new Lazy();
    let optimizer: Adam | null = null;
    const losses: number[] = [];
    for await (const [x, y] of loop(30)) {
      const loss = crossEntropy(model.forward(x), y);
      optimizer ??= new Adam(model.parameters(), { lr: 0.1 });
      optimizer.minimize(loss);
      losses.push(await loss.item());
    }
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  });

  test('optimizer moments made inside an iteration', async () => {
    const model = mlp();
    let optimizer: SGD | null = null;
    for await (const [x, y] of loop(3)) {
      optimizer ??= new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      optimizer.minimize(crossEntropy(model.forward(x), y));
    }
    const moments = optimizer?.state[0]?.[0];
    expect(moments?.isDisposed).toBe(false);
    expect(moments?.dataSync().some((v) => v !== 0)).toBe(true);
  });

  test('nested loaders', async () => {
    const sums: number[] = [];
    for await (const [x] of loop(3)) {
      const outer = x.mul(2);
      for await (const [inner] of loop(2)) sums.push(inner.add(outer).sum().itemSync());
      sums.push(outer.sum().itemSync());
    }
    const single = [...batches(1)][0]?.[0].sum().itemSync() ?? NaN;
    expect(sums).toHaveLength(9);
    for (const [i, sum] of sums.entries()) expect(sum).toBeCloseTo(single * (i % 3 === 2 ? 2 : 3), 3);
  });

  test('a break in the middle releases the iteration', async () => {
    let escaped: Tensor | null = null;
    for await (const [x] of loop(10)) {
      escaped = x.mul(2);
      if (escaped.shape[0] === BATCH) break;
    }
    expect(escaped?.isDisposed).toBe(true);
    const after = tensor([1, 2]);
    expect(after.isDisposed).toBe(false);
    expect(after.add(1).sum().itemSync()).toBe(5);
  });

  test('an exception in the body releases the iteration and passes', async () => {
    const before = memory().liveBytes;
    const run = async (): Promise<void> => {
      for await (const [x] of loop(10)) {
        x.mul(2).evaluate();
        throw new Error('from the body');
      }
    };
    await expect(run()).rejects.toThrow('from the body');
    expect(memory().liveBytes).toBe(before);
  });

  test.each(['at once', 'later'])('a source that fails %s releases what it made', async (when) => {
    function* failing(): Generator<Tensor> {
      yield tensor(new Float32Array(1000));
      tensor(new Float32Array(1000)).evaluate();
      throw new Error('from the source');
    }
    async function* failingLater(): AsyncGenerator<Tensor> {
      await Promise.resolve();
      yield* failing();
    }
    const run = async (): Promise<void> => {
      for await (const x of iterationScopes(when === 'later' ? failingLater() : failing())) x.mul(2).evaluate();
    };
    const before = memory().liveBytes;
    await expect(run()).rejects.toThrow('from the source');
    expect(memory().liveBytes).toBe(before);
  });

  test('two loops interleaved by await', async () => {
    const run = async (factor: number, delays: number): Promise<number[]> => {
      const sums: number[] = [];
      for await (const [x] of loop(5)) {
        const mine = x.mul(factor);
        for (let i = 0; i < delays; i++) await new Promise((resolve) => void setImmediate(resolve));
        sums.push(mine.sum().itemSync());
      }
      return sums;
    };
    const [a, b] = await Promise.all([run(1, 3), run(2, 2)]);
    const unit = a[0] ?? NaN;
    expect(a.every((s) => s === unit)).toBe(true);
    expect(b.every((s) => Math.abs(s - 2 * unit) < 1e-4)).toBe(true);
    const after = tensor([1]);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(after.isDisposed).toBe(false);
  });

  test('what is computed after the step sees the weights from before it', async () => {
    const model = new Sequential(new Linear(FEATURES, CLASSES));
    const optimizer = new SGD(model.parameters(), { lr: 10 });
    for await (const [x, y] of loop(3)) {
      const logits = model.forward(x);
      const hidden = logits.mul(3).sub(1);
      const before = noGrad(() => model.forward(x)).dataSync();
      optimizer.minimize(crossEntropy(logits, y));
      expect([...logits.dataSync()]).toEqual([...before]);
      expect([...hidden.dataSync()]).toEqual([...before].map((v) => Math.fround(Math.fround(v * 3) - 1)));
      expect([...model.forward(x).dataSync()]).not.toEqual([...before]);
    }
  });
});
