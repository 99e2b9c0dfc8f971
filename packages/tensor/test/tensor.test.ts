/** Tensors as users make and read them: creation, dtypes, promotion, printing, views, long programs, and seeing inside. */

import { cpu } from '@gradus/backend-cpu';
import {
  CORE_VERSION,
  all,
  any,
  State,
  arange,
  assign,
  commit,
  debug,
  explain,
  eye,
  full,
  linspace,
  memory,
  oneHot,
  ones,
  scope,
  stack,
  tensor,
  trimMemory,
  zeros,
  zerosLike,
} from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

test('the version on tensors is that of the package', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { version: string };
  expect(CORE_VERSION).toBe(version);
});

describe('creation', () => {
  test('from nested arrays, typed arrays and numbers', async () => {
    expect(await tensor([[1, 2, 3]]).toArray()).toEqual([[1, 2, 3]]);
    expect(tensor([[1, 2, 3]]).shape).toEqual([1, 3]);
    expect(tensor(new Int32Array([1, 2])).dtype).toBe('int32');
    expect(tensor(new Float64Array([1])).dtype).toBe('float64');
    expect(tensor([true, false]).dtype).toBe('bool');
    expect(tensor(3).shape).toEqual([]);
    expect(tensor(3).itemSync()).toBe(3);
    expect(tensor(0.1).itemSync()).toBe(Math.fround(0.1));
    expect(await tensor([]).toArray()).toEqual([]);
    expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).shape).toEqual([2, 2]);
    expect([...tensor([1.7, 300, -1], { dtype: 'uint8' }).dataSync()]).toEqual([1, 44, 255]);
  });

  test('elements are copied', () => {
    const source = new Float32Array([1, 2]);
    const t = tensor(source);
    source[0] = 9;
    expect([...t.dataSync()]).toEqual([1, 2]);
    t.dataSync()[0] = 9;
    expect([...t.dataSync()]).toEqual([1, 2]);
  });

  test('patterns', async () => {
    expect(await zeros([2, 2]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(await ones([2], { dtype: 'int32' }).toArray()).toEqual([1, 1]);
    expect(await full([2], 0.5).toArray()).toEqual([0.5, 0.5]);
    expect(await arange(4).toArray()).toEqual([0, 1, 2, 3]);
    expect(arange(4).dtype).toBe('int32');
    expect(await arange(1, 2, 0.25).toArray()).toEqual([1, 1.25, 1.5, 1.75]);
    expect(await linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(await eye(2, { columns: 3 }).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(await oneHot(tensor([2, 0], { dtype: 'int32' }), 3).toArray()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
    expect(await zerosLike(tensor([[1]])).toArray()).toEqual([[0]]);
  });

  test('16-bit floats round to nearest', () => {
    expect(tensor([0.1, 65504, 1e-8], { dtype: 'float16' }).dataSync()[0]).toBe(0.0999755859375);
    expect(tensor([1.01], { dtype: 'bfloat16' }).dataSync()[0]).toBe(1.0078125);
    const sum = tensor([0.1, 0.2], { dtype: 'float16' }).add(tensor([0.2, 0.4], { dtype: 'float16' }));
    expect(sum.dtype).toBe('float16');
    expect(sum.dataSync()[0]).toBe(0.2998046875);
  });
});

describe('promotion', () => {
  const rows: readonly [DType, DType, DType][] = [
    ['bool', 'int8', 'int8'],
    ['int8', 'uint8', 'int32'],
    ['uint8', 'int32', 'int32'],
    ['int32', 'float16', 'float16'],
    ['float16', 'bfloat16', 'float32'],
    ['bfloat16', 'float32', 'float32'],
    ['float32', 'float64', 'float64'],
    ['uint8', 'uint32', 'uint32'],
  ];
  test.each(rows)('%s with %s gives %s', (a, b, result) => {
    expect(tensor([1], { dtype: a }).mul(tensor([1], { dtype: b })).dtype).toBe(result);
    expect(tensor([1], { dtype: b }).mul(tensor([1], { dtype: a })).dtype).toBe(result);
  });

  test('numbers are weak', () => {
    expect(tensor([1], { dtype: 'int32' }).add(1).dtype).toBe('int32');
    expect(tensor([1], { dtype: 'int32' }).add(0.5).dtype).toBe('float32');
    expect(tensor([1], { dtype: 'float16' }).mul(3).dtype).toBe('float16');
    expect(tensor([true]).add(1).dtype).toBe('int32');
    expect([...tensor([1], { dtype: 'uint8' }).add(300).dataSync()]).toEqual([45]);
    expect(tensor([1, 5], { dtype: 'int32' }).clamp({ min: 2 }).dtype).toBe('int32');
  });

  test('division and functions give floats', () => {
    expect(tensor([1], { dtype: 'int32' }).div(2).dataSync()[0]).toBe(0.5);
    expect(tensor([4], { dtype: 'int32' }).sqrt().dtype).toBe('float32');
    expect(tensor([true, true]).sum().dtype).toBe('int32');
    expect(tensor([1, 2], { dtype: 'uint8' }).mean().itemSync()).toBe(1.5);
  });
});

describe('long programs', () => {
  test('with more operands than a kernel can have', () => {
    const parts = Array.from({ length: 200 }, (_, i) => tensor([i, 1]));
    expect([...parts.reduce((a, b) => a.add(b)).dataSync()]).toEqual([19900, 200]);
    expect([...parts.reduceRight((a, b) => b.mul(1).add(a)).dataSync()]).toEqual([19900, 200]);
    expect(stack(parts).sum().itemSync()).toBe(20100);
  });

  test('deeper than the engine’s stack', () => {
    const w = tensor([1], { requiresGrad: true });
    let x: Tensor = w;
    for (let i = 0; i < 3000; i++) x = i % 2 === 0 ? x.add(0.001) : x.mul(1.0001);
    x.sum().backward();
    expect((w.grad as Tensor).dataSync()[0]).toBeCloseTo(1.0001 ** 1500, 3);
    const square = eye(2).mul(1);
    square.requiresGrad = true;
    let h: Tensor = tensor([[0.1, 0.2]]);
    for (let i = 0; i < 300; i++) h = h.matmul(square);
    h.sum().backward();
    expect((square.grad as Tensor).shape).toEqual([2, 2]);
    let turned: Tensor = tensor([[1, 2, 3]]).add(0);
    for (let i = 0; i < 5001; i++) turned = turned.transpose();
    expect([turned.shape, ...turned.dataSync()]).toEqual([[3, 1], 1, 2, 3]);
  });

  test('means of 16-bit floats do not overflow', () => {
    expect(full([1000], 1000, { dtype: 'float16' }).mean().itemSync()).toBe(1000);
  });

  test('nothing is any of none, and all of none are', () => {
    expect(any(zeros([0])).itemSync()).toBe(0);
    expect(all(zeros([2, 0]), { axis: 1 }).dataSync()).toEqual(new Uint8Array([1, 1]));
  });
});

describe('printing', () => {
  test('names dtype, shape and device, and values once they are known', () => {
    const x = tensor([[1, 2.5]]);
    expect(String(x)).toBe('Tensor float32 [1, 2] on cpu [[1, 2.5]]');
    const y = x.add(1);
    expect(String(y)).toBe('Tensor float32 [1, 2] on cpu');
    y.evaluate();
    expect(String(y)).toBe('Tensor float32 [1, 2] on cpu [[2, 3.5]]');
    expect(String(arange(100).copy())).toBe('Tensor int32 [100] on cpu');
    y.dispose();
    expect(String(y)).toBe('Tensor (disposed)');
  });
});

describe('views', () => {
  test('share memory, and copy only where strides cannot say it', () => {
    const x = tensor(
      Float32Array.from({ length: 12 }, (_, i) => i),
      { shape: [3, 4] },
    );
    const before = memory().liveBytes;
    const views = [x.transpose(), x.slice([{ start: 1 }, { step: 2 }]), x.reshape([2, 6]), x.expand([5, 3, 4]), x.flip(), x.slice([2])];
    expect(memory().liveBytes).toBe(before);
    expect(views.map((v) => [...v.dataSync()].slice(0, 3))).toEqual([
      [0, 4, 8],
      [4, 6, 8],
      [0, 1, 2],
      [0, 1, 2],
      [11, 10, 9],
      [8, 9, 10],
    ]);
    expect([...x.transpose().reshape([12]).dataSync()]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
  });

  test('a slice that moves does not make a new plan', () => {
    const x = tensor(Float32Array.from({ length: 64 }, (_, i) => i));
    const sums = Array.from({ length: 8 }, (_, i) => {
      const sum = x
        .slice([{ start: 8 * i, end: 8 * i + 8 }])
        .mul(2)
        .sum();
      sum.evaluate();
      return { sum: sum.itemSync(), hit: explain()?.planHit };
    });
    expect(sums.map((s) => s.sum)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => 2 * (28 + 64 * i)));
    expect(sums.slice(1).every((s) => s.hit === true)).toBe(true);
  });
});

describe('seeing inside', () => {
  test('memory counts live and pooled bytes, and trimming gives them back', () => {
    const device = cpu();
    const x = zeros([100], { device }).copy();
    x.evaluate();
    expect(memory(device)).toMatchObject({ liveBytes: 448, liveBlocks: 1, pooledBytes: 0, backendBytes: 448, allocations: 1 });
    const s = new State(x);
    scope(() => assign(s, s.mul(2)));
    commit(s);
    // The handle x keeps the old value, which was the state's first; the new one is its second.
    expect(memory(device).byOwner).toEqual({ state: 896, values: 0 });
    s.dispose();
    expect(memory(device)).toMatchObject({ liveBytes: 448, byOwner: { state: 448, values: 0 } });
    trimMemory({ device });
    x.dispose();
    expect(memory(device)).toMatchObject({ liveBytes: 0, byOwner: { state: 0, values: 0 }, pooledBytes: 448, backendBytes: 448 });
    trimMemory({ device });
    expect(memory(device)).toMatchObject({ pooledBytes: 0, backendBytes: 0 });
  });

  test('explain is a table', () => {
    tensor([[1, 2]])
      .matmul(tensor([[1], [2]]))
      .relu()
      .evaluate();
    expect(String(explain())).toMatch(/^1 kernel on cpu for \d+ nodes[^]*contract +matmul \+ relu -> float32\[1, 1\]/);
  });

  test('debug settings nest', () => {
    const settings = debug({ verify: true });
    expect([...tensor([1]).add(1).dataSync()]).toEqual([2]);
    settings[Symbol.dispose]();
  });
});
