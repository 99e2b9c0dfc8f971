/** What a scope returns: tensors survive in every plain container, however the containers hold each other. */

import { compose, keep, memory, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const containers: readonly [string, (t: Tensor) => unknown][] = [
  ['an array', (t) => [[t]]],
  ['a plain object', (t) => ({ a: { t } })],
  ['an object without a prototype', (t) => Object.assign(Object.create(null) as object, { t })],
  ['the values of a map', (t) => new Map([['t', t]])],
  ['the keys of a map', (t) => new Map([[t, 1]])],
  ['a set', (t) => new Set([t])],
  ['all of them', (t) => [{ map: new Map([[1, new Set([{ t }])]]) }]],
  [
    'a circle',
    (t) => {
      const parent: Record<string, unknown> = { child: { t } };
      Object.assign(parent['child'] as object, { parent, family: new Set([parent]) });
      return parent;
    },
  ],
  ['a list longer than the engine’s stack', (t) => Array.from({ length: 100_000 }).reduce<unknown>((next) => ({ next }), t)],
];

describe.each([
  ['scope', scope],
  ['compose', compose],
] as const)('%s', (_, within) => {
  test.each(containers)('returns tensors in %s', (__, wrap) => {
    const before = memory().liveBytes;
    const made: Tensor[] = [];
    within(() => {
      const [inside, other] = [tensor([1, 2]), tensor([3, 4])];
      made.push(inside, other);
      return wrap(inside);
    });
    expect(made.map((t) => t.isDisposed)).toEqual([false, true]);
    made[0]?.dispose();
    expect(memory().liveBytes).toBe(before);
  });
});

test('instances of classes are not looked into: what they hold is kept by hand', () => {
  class Result {
    readonly kept = keep(tensor([1, 2]));
    readonly lost = tensor([1, 2]);
  }
  const result = scope(() => new Result());
  expect([result.kept.isDisposed, result.lost.isDisposed]).toEqual([false, true]);
});
