/** Scopes in engines without asynchronous contexts (most browsers): loops one after the other or nested work; overlapping ones are reported. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type * as core from '@gradus/tensor';

const getBuiltinModule: unknown = Reflect.get(process, 'getBuiltinModule');
let gradus: typeof core;

beforeAll(async () => {
  Reflect.set(process, 'getBuiltinModule', undefined);
  vi.resetModules();
  gradus = await import('@gradus/tensor');
});

afterAll(() => {
  Reflect.set(process, 'getBuiltinModule', getBuiltinModule);
});

function* numbers(count: number): Generator<core.Tensor> {
  for (let i = 0; i < count; i++) yield gradus.tensor([i, i]);
}

test('loops one after the other, and nested, release what they make', async () => {
  const made: core.Tensor[] = [];
  const sums: number[] = [];
  for await (const x of gradus.iterationScopes(numbers(3))) {
    const y = x.mul(2);
    made.push(x, y);
    for await (const z of gradus.iterationScopes(numbers(2))) {
      const w = z.add(y);
      made.push(w);
      sums.push(w.sum().itemSync());
    }
    expect(y.isDisposed).toBe(false);
  }
  expect(sums).toEqual([0, 2, 4, 6, 8, 10]);
  expect(made.every((t) => t.isDisposed)).toBe(true);
  expect(gradus.tensor([1]).isDisposed).toBe(false);
});

test('scopes with using and with functions', () => {
  const outer = gradus.scope(() => {
    const inner = gradus.scope(() => gradus.tensor([1, 2]).mul(3));
    return inner.add(1);
  });
  expect([...outer.dataSync()]).toEqual([4, 7]);
  const opened = gradus.scope();
  const t = gradus.tensor([1]);
  opened.end();
  opened.end();
  expect(t.isDisposed).toBe(true);
});

test('loops that overlap without nesting are reported, not freed in silence', async () => {
  const run = async (pauses: number): Promise<void> => {
    for await (const x of gradus.iterationScopes(numbers(4))) {
      for (let i = 0; i < pauses; i++) await new Promise((resolve) => void setImmediate(resolve));
      x.mul(2).evaluate();
    }
  };
  const results = await Promise.allSettled([run(1), run(2)]);
  const reasons = results.flatMap((r) => (r.status === 'rejected' ? [r.reason as Error] : []));
  expect(reasons.length).toBeGreaterThan(0);
  expect(
    reasons.some((reason) => /overlap, in an engine without asynchronous contexts\. Fix: run one loop after the other/.test(reason.message)),
  ).toBe(true);
});
