/** Mistakes around `compile`: each is named, and nothing is left half done. */

import { cpu } from '@gradus/backend-cpu';
import {
  Parameter,
  State,
  TensorDisposedError,
  TraceError,
  assign,
  compile,
  defaultGenerator,
  hostEffect,
  keep,
  manualSeed,
  maskedSelect,
  memory,
  nonzero,
  rand,
  scope,
  takeAlongAxis,
  tensor,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('inside a compiled function', () => {
  test.each<[string, (x: Tensor) => unknown]>([
    ['deciding by a value', (x) => (x.sum().itemSync() > 0 ? x : x.neg())],
    ['printing one', (x) => [...x.dataSync()].join()],
    ['reading what is outside', () => outside.itemSync()],
  ])('%s is refused, with what to do', (_, fn) => {
    const f = compile(fn as (x: Tensor) => Tensor);
    expect(() => f(tensor([1, 2]))).toThrow(TraceError);
    expect(() => f(tensor([1, 2]))).toThrow(/^\[(itemSync|dataSync)\].*return the tensor and read it outside; choose elements with where/);
  });
  const outside = new State(tensor(1));

  test('awaiting a value is refused', async () => {
    const f = compile(async (x: Tensor) => ((await x.sum().item()) > 0 ? x : x.neg()));
    expect(() => f(tensor([1, 2]))).toThrow(/returns a promise.*compile the part between/);
    const g = compile((x: Tensor) => {
      void x.item().catch(() => undefined);
      return x;
    });
    expect(g(tensor([2])).itemSync()).toBe(2);
  });

  test('shapes that depend on values are refused, and the form of fixed size named', async () => {
    let refused: Promise<unknown> = Promise.resolve();
    const f = compile((x: Tensor) => {
      refused = maskedSelect(x, x.greater(0));
      return x;
    });
    f(tensor([1, -1]));
    await expect(refused).rejects.toThrow(/\[maskedSelect\].*where\(mask, x, fill\)/);
    const g = compile((x: Tensor) => nonzero(x));
    expect(() => g(tensor([1, 0]))).toThrow(TraceError);
    expect(await (await maskedSelect(tensor([1, -1, 3]), tensor([true, false, true]))).toArray()).toEqual([1, 3]);
    expect(
      await (
        await nonzero(
          tensor([
            [0, 5],
            [6, 0],
          ]),
        )
      ).toArray(),
    ).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  test('keeping is refused', () => {
    let h: Tensor = tensor([0]);
    const f = compile((x: Tensor) => {
      h = keep(h.add(x));
      return h;
    });
    expect(() => f(tensor([1]))).toThrow(/\[keep\].*return the tensor/);
  });

  test('a tensor that leaks says so when it is used', () => {
    let leaked: Tensor | null = null;
    const f = compile((x: Tensor) => {
      leaked = x.mul(2);
      return leaked.sum();
    });
    f(tensor([1, 2]));
    expect(() => leaked?.add(1)).toThrow(TensorDisposedError);
    expect(() => leaked?.dataSync()).toThrow(/made in a compiled function.*return it from the function/);
  });

  test('a result has no history', () => {
    const p = new Parameter(tensor([1, 2]));
    const loss = compile((x: Tensor) => p.mul(x).sum())(tensor([1, 1]));
    expect(loss.requiresGrad).toBe(false);
    expect(() => loss.backward()).toThrow(/the result of a compiled function.*of a compiled function, call it inside/);
  });

  test('two devices are refused', () => {
    const other = cpu();
    const x = tensor([1], { device: other });
    const f = compile((y: Tensor) => [y, tensor([1]).add(1)]);
    expect(() => f(x)).toThrow(/\[compile\].*one device/);
    expect(() => compile((y: Tensor) => y.add(tensor([1])))(x)).toThrow(/tensors of one device/);
  });

  test('a disposed argument, and state disposed later', () => {
    let state = new State(tensor([2]));
    const f = compile((x: Tensor) => x.mul(state));
    const x = tensor([1]);
    f(x);
    x.dispose();
    expect(() => f(x)).toThrow(TensorDisposedError);
    state.dispose();
    expect(() => f(tensor([1]))).toThrow(TensorDisposedError);
    state = new State(tensor([3]));
    expect(f(tensor([1])).itemSync()).toBe(3);
    expect(f.statistics).toMatchObject({ traces: 3, plans: 1 });
  });
});

test('what is no function is refused at once', () => {
  expect(() => compile({ forward: (x: Tensor) => x } as never)).toThrow(
    /\[compile\] expected a function, got a plain object.*compile\(\(x\) => model\.forward\(x\)\)/,
  );
});

test('a function that throws in the middle changes nothing', () => {
  const state = new State(tensor([1, 2]));
  const p = new Parameter(tensor([3, 4]));
  p.sum().backward();
  p.grad?.evaluate();
  let counted = 0;
  let broken = true;
  manualSeed(3);
  const { counter } = defaultGenerator.state;
  const f = compile((x: Tensor) => {
    hostEffect(
      () => counted++,
      () => counted--,
    );
    const noise = rand([2]);
    assign(state, state.add(x));
    p.grad = null;
    p.mul(state).mul(noise).sum().backward();
    if (broken) throw new RangeError('mine');
    return p.grad;
  });
  const before = memory();
  expect(() => scope(() => f(tensor([1, 1])))).toThrow(RangeError);
  expect([[...state.dataSync()], [...(p.grad?.dataSync() ?? [])], counted, defaultGenerator.state.counter]).toEqual([[1, 2], [1, 1], 0, counter]);
  expect(memory().liveBlocks).toBe(before.liveBlocks);
  broken = false;
  f(tensor([1, 1]));
  expect([[...state.dataSync()], counted]).toEqual([[2, 3], 1]);
});

test('an index out of range is reported in every call, and nothing has happened', () => {
  const state = new State(tensor([0, 0]));
  let counted = 0;
  const f = compile((x: Tensor, index: Tensor) => {
    hostEffect(
      () => counted++,
      () => counted--,
    );
    assign(state, state.add(takeAlongAxis(x, index, { axis: 0 })));
  });
  f(tensor([5, 6, 7]), tensor([0, 2], { dtype: 'int32' }));
  expect(() => f(tensor([5, 6, 7]), tensor([0, 3], { dtype: 'int32' }))).toThrow(/\[takeAlongAxis\] expected indices from -3 to 2, got 3/);
  expect([[...state.dataSync()], counted]).toEqual([[5, 7], 1]);
  f(tensor([5, 6, 7]), tensor([1, 1], { dtype: 'int32' }));
  expect([...state.dataSync()]).toEqual([11, 13]);
});

test('ten batch sizes give one warning, and right results', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const f = compile((x: Tensor) => x.mul(2).sum());
  for (let n = 1; n <= 10; n++) expect(f(tensor(new Float32Array(n).fill(1))).itemSync()).toBe(2 * n);
  expect(f(tensor([1, 1])).itemSync()).toBe(4);
  expect(f.statistics).toMatchObject({ traces: 10, plans: 10, replays: 1 });
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[0]).toMatch(/\[compile\] 9 plans of one function.*float32\[9\].*Fix: .*drop or pad the last/);
});

test('a hundred shapes keep the plans used last', () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const f = compile((x: Tensor) => x.neg());
  for (let n = 1; n <= 100; n++) f(tensor(new Float32Array(n)));
  expect(f.statistics.plans).toBe(64);
});
