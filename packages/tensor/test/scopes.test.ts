/** Scopes and state: what lives how long, and what may be overwritten. */

import { cpu } from '@gradus/backend-cpu';
import { State, arange, assign, commit, explain, grad, keep, memory, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

describe('scopes', () => {
  test('release what they made, except what is returned, kept or a number', () => {
    const made: Tensor[] = [];
    const before = memory().liveBytes;
    const result = scope(() => {
      const a = tensor([1, 2]);
      const b = a.mul(2);
      const kept = keep(b.add(1));
      const number = b.sum();
      made.push(a, b, kept, number);
      return { out: [b.mul(3)] };
    });
    expect(made.map((t) => t.isDisposed)).toEqual([true, true, false, false]);
    expect([...(result.out[0] as Tensor).dataSync()]).toEqual([6, 12]);
    expect([...(made[2] as Tensor).dataSync()]).toEqual([3, 5]);
    expect((made[3] as Tensor).itemSync()).toBe(6);
    result.out[0]?.dispose();
    made[2]?.dispose();
    expect(memory().liveBytes).toBe(before);
  });

  test('using', () => {
    let inside: Tensor;
    {
      using s = scope();
      inside = tensor([1]);
      expect(s).toBeDefined();
    }
    expect(inside.isDisposed).toBe(true);
    {
      using t = tensor([1]);
      inside = t;
    }
    expect(inside.isDisposed).toBe(true);
  });

  test('end when asynchronous work does', async () => {
    let late: Tensor | null = null;
    const value = await scope(async () => {
      await Promise.resolve();
      late = tensor([1, 2]);
      await new Promise((resolve) => void setImmediate(resolve));
      return late.sum().item();
    });
    expect(value).toBe(3);
    expect((late as Tensor | null)?.isDisposed).toBe(true);
  });

  test('nest', () => {
    const result = scope(() => {
      const inner = scope(() => tensor([1, 2]).mul(2));
      expect(inner.isDisposed).toBe(false);
      return inner.add(1);
    });
    expect([...result.dataSync()]).toEqual([3, 5]);
  });

  test('release when the work throws', async () => {
    const before = memory().liveBytes;
    expect(() =>
      scope(() => {
        tensor([1, 2, 3]).evaluate();
        throw new Error('inside');
      }),
    ).toThrow('inside');
    await expect(
      scope(async () => {
        tensor([1, 2, 3]).evaluate();
        await Promise.resolve();
        throw new Error('inside');
      }),
    ).rejects.toThrow('inside');
    expect(memory().liveBytes).toBe(before);
  });

  test('what is returned keeps its history through numbers made on the way', () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const loss = scope(() => {
      const total = w.square().sum();
      const half = total.mul(0.5);
      return half.add(1);
    });
    loss.backward();
    expect([...(w.grad as Tensor).dataSync()]).toEqual([2, 3]);
  });

  test('what is returned keeps its history, wherever it goes', () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const loss = scope(() => w.square().sum());
    loss.backward();
    expect([...(w.grad as Tensor).dataSync()]).toEqual([4, 6]);
    expect([...grad((x) => scope(() => x.square().sum()))(tensor([1, 2])).dataSync()]).toEqual([2, 4]);
  });

  test('a read under way survives the end of its scope', async () => {
    const promise = scope(() => {
      const pending = tensor([1, 2]).mul(2).data();
      return [pending];
    })[0] as Promise<Float32Array>;
    expect([...(await promise)]).toEqual([2, 4]);
  });
});

describe('state', () => {
  test('takes the memory of its old value over only when nobody else sees it', () => {
    const device = cpu();
    const s = scope(() => new State(arange(8, { device, dtype: 'float32' })));
    const storageBytes = (): number => memory(device).liveBytes;
    const alone = storageBytes();
    for (let i = 0; i < 3; i++) {
      scope(() => assign(s, s.mul(2)));
      commit(s);
      expect(explain(device)?.kernels[0]?.inPlace).toBe(1);
    }
    expect(storageBytes()).toBe(alone);
    expect([...s.dataSync()]).toEqual([0, 8, 16, 24, 32, 40, 48, 56]);
    // A handle on the old value, a view of it, and a view made while it was pending all keep it.
    const handle = s.detach();
    scope(() => assign(s, s.add(1)));
    commit(s);
    expect([...handle.dataSync()][1]).toBe(8);
    scope(() => assign(s, s.add(1)));
    const view = s.reshape([2, 4]).slice([1]);
    scope(() => assign(s, s.mul(0)));
    expect([...view.dataSync()]).toEqual([34, 42, 50, 58]);
    expect([...s.dataSync()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('assigned twice before it is written, has the last value', () => {
    const s = new State(tensor([1]));
    assign(s, s.add(1));
    assign(s, s.mul(10));
    expect(s.itemSync()).toBe(20);
  });
});
