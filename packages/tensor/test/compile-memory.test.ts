/** What a compiled function takes of memory and asks of a backend: counted. */

import { cpu } from '@gradus/backend-cpu';
import { Parameter, State, assign, compile, hostEffect, hostNumber, memory, noGrad, scope, tensor } from '@gradus/tensor';
import type { Backend, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const list = (t: Tensor): number[] => [...t.dataSync()];

/** cpu with every call of these methods counted, and changed as `changes` says. */
function counted(changes: (inner: Backend) => Partial<Backend> = () => ({})): {
  device: Backend;
  counts: { allocate: number; prepare: number; run: number };
} {
  const inner = cpu();
  const counts = { allocate: 0, prepare: 0, run: 0 };
  const device = new Proxy(inner, {
    get(target, name) {
      const changed = changes(target)[name as keyof Backend];
      const value: unknown = changed ?? Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (name in counts) counts[name as keyof typeof counts]++;
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { device, counts };
}

describe('memory and backends', () => {
  const make = (device: Backend): (() => void) => {
    const p = new Parameter(tensor([1, 2, 3, 4], { device }));
    const x = tensor([4, 3, 2, 1], { device });
    const f = compile((y: Tensor) => {
      const loss = p.sub(y).square().sum().add(p.exp().sum());
      p.grad = null;
      loss.backward();
      assign(
        p,
        noGrad(() => p.sub((p.grad as Tensor).mul(0.01))),
      );
      return loss;
    });
    return () => scope(() => void f(x));
  };

  test('a loss scale, a rate and a step count that change make no trace and no kernel', () => {
    const { device, counts } = counted();
    const p = new Parameter(tensor([1, 2], { device }));
    let [scale, rate, steps] = [8, 0.1, 0];
    const step = compile((x: Tensor) => {
      hostEffect(
        () => steps++,
        () => steps--,
      );
      p.grad = null;
      p.mul(x)
        .square()
        .sum()
        .mul(hostNumber(() => scale))
        .backward();
      const correction = hostNumber(() => rate / (scale * (1 - 0.9 ** steps)));
      assign(
        p,
        noGrad(() => p.sub((p.grad as Tensor).mul(correction))),
      );
    });
    const x = tensor([1, 0.5], { device });
    step(x);
    const { prepare } = counts;
    for (let i = 0; i < 20; i++) {
      scale *= i % 3 === 0 ? 2 : 0.5;
      rate *= 0.9;
      step(x);
    }
    expect([step.statistics.traces, counts.prepare, steps]).toEqual([1, prepare, 21]);
  });

  test('a call allocates nothing after the second, and makes no kernel', () => {
    const { device, counts } = counted();
    const step = make(device);
    step();
    step();
    const { allocate, prepare } = counts;
    const { liveBytes, liveBlocks, allocations } = memory(device);
    for (let i = 0; i < 50; i++) step();
    expect(counts).toMatchObject({ allocate, prepare });
    expect(memory(device)).toMatchObject({ liveBytes, liveBlocks, allocations });
  });

  test('recordings are used where a backend has them, and made once', () => {
    let recorded = 0;
    let replayed = 0;
    const { device, counts } = counted((inner) => ({
      record: (runs) => {
        recorded++;
        return { length: runs.length, runs: runs.map((run) => ({ ...run, dims: run.dims.slice() })) } as ReturnType<NonNullable<Backend['record']>>;
      },
      replay: (recording, args) => {
        replayed++;
        let at = 0;
        for (const { executable, dims, args: own } of (recording as unknown as { runs: Parameters<NonNullable<Backend['record']>>[0] }).runs) {
          inner.run(executable, args.slice(at, (at += own.length)), dims);
        }
      },
    }));
    const plain = counted();
    const p = (d: Backend): number[] => {
      const state = scope(() => new State(tensor([1, 2], { device: d })));
      const f = compile((x: Tensor) => {
        assign(state, state.add(x.exp()).mul(0.5));
        return state.sum().add(x.max());
      });
      return [0, 1, 2, 3].map((i) => f(tensor([i, 1], { device: d })).itemSync());
    };
    expect(p(device)).toEqual(p(plain.device));
    expect([recorded, replayed, counts.run]).toEqual([1, 4, 0]);
  });

  test('blocks apart, where parts of one may not be used side by side', () => {
    const { device } = counted((inner) => ({ capabilities: { ...inner.capabilities, subBufferAliasing: false } }));
    const f = (x: Tensor): Tensor => x.softmax().matmul(x.transpose()).sum({ axis: 0 }).exp();
    const compiled = compile(f);
    const x = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3], device });
    for (let i = 0; i < 2; i++) expect(list(compiled(x))).toEqual(list(f(x)));
  });

  test('kernels have no more operands than the device can bind', () => {
    let most = 0;
    const { device } = counted((inner) => ({
      capabilities: { ...inner.capabilities, maxBindings: 4 },
      run: (executable, args, dims) => {
        most = Math.max(most, executable.kernel.operands.length);
        inner.run(executable, args, dims);
      },
    }));
    const f = (xs: readonly Tensor[]): Tensor[] => {
      const sum = xs.map((x) => x.exp()).reduce((a, b) => a.mul(0.5).add(b));
      return [sum, sum.neg().add(xs[0] as Tensor), sum.square().sub(xs[1] as Tensor), sum.sum({ axis: 0 })];
    };
    const inputs = (d: Backend): Tensor[] => Array.from({ length: 7 }, (_, i) => tensor([i, 1, 2, 3, 4, 5], { shape: [2, 3], device: d }));
    const wide = cpu();
    const compiled = compile(f);
    for (let i = 0; i < 2; i++) expect(compiled(inputs(device)).map(list)).toEqual(f(inputs(wide)).map(list));
    expect(most).toBe(4);
  });

  test('disposing gives everything back', () => {
    const device = cpu();
    const x = tensor([1, 2, 3], { device });
    const { liveBytes } = memory(device);
    const f = compile((y: Tensor) => y.softmax().matmul(y));
    scope(() => void f(x));
    expect(memory(device).liveBytes).toBeGreaterThan(liveBytes);
    f.dispose();
    expect(memory(device).liveBytes).toBe(liveBytes);
    expect(f(x).itemSync()).toBeGreaterThan(2);
  });
});
