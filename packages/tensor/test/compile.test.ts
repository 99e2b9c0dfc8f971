/** What a compiled function does with values: results, state, gradients, numbers of the host. */

import {
  Parameter,
  State,
  assign,
  compile,
  debug,
  grad,
  hostDecision,
  hostEffect,
  hostNumber,
  manualSeed,
  memory,
  noGrad,
  randn,
  scope,
  tensor,
  valueAndGrad,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';

const list = (t: Tensor | null): number[] => [...(t?.dataSync() ?? [])];

afterEach(() => {
  vi.restoreAllMocks();
});

describe('results', () => {
  test('lie in blocks of their own', () => {
    const double = compile((x) => [x.mul(2), x.sum()]);
    const [first, total] = double(tensor([1, 2])) as [Tensor, Tensor];
    const [second] = double(tensor([5, 6])) as [Tensor, Tensor];
    expect([list(first), list(second), list(total)]).toEqual([[2, 4], [10, 12], [3]]);
  });

  test('come nested as the function gives them, and arguments go in nested', () => {
    const f = compile((batch: { x: Tensor; pair: readonly [Tensor, Tensor] }, name: string) => ({
      name,
      sums: [batch.x.add(batch.pair[0]), { last: batch.pair[1].neg() }] as const,
    }));
    for (let i = 1; i < 4; i++) {
      const { name, sums } = f({ x: tensor([i]), pair: [tensor([10]), tensor([i, i])] }, 'a');
      expect([name, list(sums[0]), list(sums[1].last)]).toEqual(['a', [10 + i], [-i, -i]]);
    }
    expect(f.statistics).toMatchObject({ traces: 1, replays: 2 });
  });

  test('may be arguments, state, views and constants', () => {
    const state = new State(tensor([1, 2]));
    const outside = tensor([7, 8]).mul(2);
    const f = compile((x) => [x, state, x.reshape([2, 1]).transpose(), outside, tensor(3)]);
    for (let i = 0; i < 3; i++) {
      const got = f(tensor([i, i])).map(list);
      expect(got).toEqual([[i, i], [1, 2], [i, i], [14, 16], [3]]);
    }
    expect(f.statistics).toMatchObject({ traces: 1, uncompiled: 0 });
  });

  test('of no elements, and functions without results or arguments', () => {
    const counter = new State(tensor(0));
    const count = compile(() => assign(counter, counter.add(1)));
    for (let i = 0; i < 3; i++) count();
    expect(counter.itemSync()).toBe(3);
    const empty = compile((x) => x.mul(2));
    expect(list(empty(tensor([], { shape: [0, 2] })))).toEqual([]);
    expect(empty(tensor([], { shape: [0, 2] })).shape).toEqual([0, 2]);
  });
});

describe('state', () => {
  test('is read and written anew in each call, and may be assigned between calls', () => {
    const total = new State(tensor([0, 0]));
    const add = compile((x) => {
      assign(total, total.add(x));
      return total.mul(10);
    });
    expect(list(add(tensor([1, 2])))).toEqual([10, 20]);
    expect(list(add(tensor([1, 2])))).toEqual([20, 40]);
    assign(total, tensor([100, 0]));
    expect(list(add(tensor([1, 2])))).toEqual([1010, 20]);
    expect(list(total)).toEqual([101, 2]);
    expect(add.statistics.traces).toBe(1);
  });

  test('is updated in place, unless somebody still sees the old value', () => {
    const state = new State(tensor([1, 2, 3]));
    const step = compile(() => assign(state, state.mul(2)));
    step();
    const bytes = memory().liveBytes;
    step();
    step();
    expect(memory().liveBytes).toBe(bytes);
    expect(step.explain()?.kernels[0]?.inPlace).toBe(1);
    const detached = state.detach();
    const view = state.slice([{ start: 1 }]);
    const waiting = state.add(1);
    step();
    expect([list(state), list(detached), list(view), list(waiting)]).toEqual([
      [16, 32, 48],
      [8, 16, 24],
      [16, 24],
      [9, 17, 25],
    ]);
    step();
    expect([list(state), list(detached)]).toEqual([
      [32, 64, 96],
      [8, 16, 24],
    ]);
  });

  test('that shares the memory of other state leaves that alone', () => {
    const state = new State(tensor([1, 2]));
    const copy = new State(tensor([0, 0]));
    const step = compile(() => assign(state, state.add(1)));
    step();
    assign(copy, state);
    step();
    expect([list(state), list(copy)]).toEqual([
      [3, 4],
      [2, 3],
    ]);
  });

  test('swapped, and passed around', () => {
    const a = new State(tensor([1, 2]));
    const b = new State(tensor([3, 4]));
    const swap = compile(() => {
      const old = a.add(0);
      assign(a, b.add(0));
      assign(b, old);
    });
    swap();
    expect([list(a), list(b)]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    swap();
    expect([list(a), list(b)]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const take = compile((x) => assign(a, x));
    const x = tensor([8, 9]);
    take(x);
    const bump = compile(() => assign(a, a.mul(2)));
    bump();
    expect([list(a), list(x)]).toEqual([
      [16, 18],
      [8, 9],
    ]);
  });

  test('made inside is made by a call that is not compiled', () => {
    let weight: State | null = null;
    const f = compile((x) => {
      weight ??= new State(tensor([2, 3]));
      return x.mul(weight);
    });
    for (let i = 1; i < 4; i++) expect(list(f(tensor([i, i])))).toEqual([2 * i, 3 * i]);
    expect(f.statistics).toMatchObject({ uncompiled: 1, replays: 1 });
  });

  test('is forgotten by the collector when nobody has it', async () => {
    const before = memory().byOwner.state;
    (() => {
      const p = new Parameter(randn([1000]));
      compile(() => p.mul(2))();
    })();
    for (let i = 0; i < 20 && memory().byOwner.state > before; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      globalThis.gc?.();
    }
    expect(memory().byOwner.state).toBeLessThanOrEqual(before);
  });
});

describe('gradients', () => {
  test('accumulate, are forgotten, and outlive the call', () => {
    const p = new Parameter(tensor([1, 2]));
    const accumulate = compile((x) => p.mul(x).sum().backward());
    accumulate(tensor([1, 1]));
    accumulate(tensor([2, 3]));
    accumulate(tensor([10, 10]));
    expect(list(p.grad)).toEqual([13, 14]);
    const held = p.grad;
    const fresh = compile((x) => {
      p.grad = null;
      p.mul(x).sum().backward();
    });
    for (let i = 0; i < 3; i++) fresh(tensor([i, i]));
    expect([list(p.grad), list(held)]).toEqual([
      [2, 2],
      [13, 14],
    ]);
    const read = compile(() => p.grad?.mul(2) ?? tensor(0));
    expect(list(read())).toEqual([4, 4]);
    p.grad = null;
    expect(list(read())).toEqual([0]);
  });

  test('inside: grad, grad of grad, valueAndGrad, noGrad', () => {
    const cube = (x: Tensor): Tensor => x.mul(x).mul(x).sum();
    const first = compile((x) => grad(cube)(x));
    const second = compile((x) => grad((y) => grad(cube)(y).sum())(x));
    const both = compile((x) => valueAndGrad(cube)(x));
    const p = new Parameter(tensor([1, 2]));
    const without = compile((x) => noGrad(() => p.mul(x)));
    for (let i = 1; i < 4; i++) {
      const x = tensor([i, 2]);
      expect(list(first(x))).toEqual([3 * i * i, 12]);
      expect(list(second(x))).toEqual([6 * i, 12]);
      expect(both(x).value.itemSync()).toBe(i ** 3 + 8);
      expect(without(x).requiresGrad).toBe(false);
    }
  });

  test('of a compiled function: it is run as it is, inside the derivative', () => {
    const square = compile((x) => x.square().sum());
    expect(list(grad((x) => square(x))(tensor([1, 2])))).toEqual([2, 4]);
    expect(list(grad((x) => grad((y) => square(y))(x).sum())(tensor([1, 2])))).toEqual([2, 2]);
    expect(square.statistics).toMatchObject({ uncompiled: 2, traces: 0 });
    const w = tensor([1, 2]);
    const captured = grad((v) => {
      const inner = compile((x) => x.mul(v).sum());
      return inner(w);
    });
    expect(list(captured(tensor([5, 5])))).toEqual([1, 2]);
    const x = tensor([3, 4], { requiresGrad: true });
    square(x).backward();
    expect(list(x.grad)).toEqual([6, 8]);
  });

  test('follow a parameter that is frozen', () => {
    const p = new Parameter(tensor([1, 2]));
    const q = new Parameter(tensor([1, 1]));
    const f = compile((x) => {
      p.grad = null;
      p.add(q).mul(x).sum().backward();
    });
    f(tensor([2, 2]));
    f(tensor([2, 2]));
    expect(list(p.grad)).toEqual([2, 2]);
    p.requiresGrad = false;
    f(tensor([2, 2]));
    expect(p.grad).toBeNull();
    expect(f.statistics.traces).toBe(3);
  });
});

describe('the host’s part', () => {
  test('numbers are read, decisions asked and effects repeated, in order', () => {
    let scale = 2;
    let on = true;
    let calls = 0;
    const f = compile((x) => {
      hostEffect(
        () => calls++,
        () => calls--,
      );
      const y = x.mul(hostNumber(() => scale * calls));
      return hostDecision(() => on) ? y : y.neg();
    });
    expect(list(f(tensor([1])))).toEqual([2]);
    scale = 10;
    expect(list(f(tensor([1])))).toEqual([20]);
    on = false;
    expect(list(f(tensor([1])))).toEqual([-30]);
    on = true;
    expect(list(f(tensor([1])))).toEqual([40]);
    expect(f.statistics).toMatchObject({ traces: 2, replays: 2 });
    expect(calls).toBe(4);
  });

  test('random numbers are those of the function uncompiled', () => {
    const f = (x: Tensor): Tensor => x.add(randn([3])).mul(randn([3]));
    const draw = (g: (x: Tensor) => Tensor): number[][] => {
      manualSeed(5);
      const drawn = [1, 2, 3].map((i) => list(g(tensor([i, i, i]))));
      manualSeed(5);
      return [...drawn, list(g(tensor([0, 0, 0])))];
    };
    expect(draw(compile(f))).toEqual(draw(f));
  });

  test('plain arguments are part of the plan', () => {
    const f = compile((x: Tensor, options: { readonly power: number; readonly on: boolean }) => (options.on ? x.pow(options.power) : x));
    expect(list(f(tensor([2]), { power: 3, on: true }))).toEqual([8]);
    expect(list(f(tensor([2]), { power: 2, on: true }))).toEqual([4]);
    expect(list(f(tensor([2]), { power: 2, on: false }))).toEqual([2]);
    expect(list(f(tensor([3]), { power: 3, on: true }))).toEqual([27]);
    expect(f.statistics.traces).toBe(3);
  });

  test('debug mode runs the function as it is', () => {
    const f = compile((x) => x.log());
    using _ = debug({ eager: true });
    expect(() => f(tensor([-1]))).toThrow(/\[log\]/);
  });
});

describe('nesting', () => {
  test('a compiled function in another is part of it', () => {
    const inner = compile((x) => x.add(1));
    const outer = compile((x) => inner(inner(x)).mul(2));
    expect([list(outer(tensor([1]))), list(outer(tensor([2])))]).toEqual([[6], [8]]);
    expect(inner.statistics).toMatchObject({ traces: 0, replays: 0 });
  });

  test('scopes inside, and around', () => {
    const f = compile((x) => scope(() => x.mul(2).add(scope(() => x.sum()))));
    const kept = scope(() => f(tensor([1, 2])));
    expect([list(kept), list(scope(() => f(tensor([3, 4]))))]).toEqual([
      [5, 7],
      [13, 15],
    ]);
  });
});
