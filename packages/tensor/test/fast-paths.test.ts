/**
 * Ops that a device may have a kernel for, on one that has and one that has not: compiled as called, kernels that keep the contract,
 * nothing left in memory.
 */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  argmax,
  compile,
  convTranspose2d,
  cummax,
  cumprod,
  cumsum,
  debug,
  grad,
  maxPoolIndices,
  memory,
  quantizedMatmul,
  randn,
  scope,
  sort,
  tensor,
  topK,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const image = (x: Tensor): Tensor => x.reshape([1, 1, 5, 7]);
const corner = (x: Tensor): Tensor => x.slice([{ end: 2 }, { end: 2 }]).reshape([1, 1, 2, 2]);
const bytes = (x: Tensor): Tensor => x.mul(10).toDType('int8');

/** Functions of a float32 matrix `[5, 7]`. */
const functions: readonly [string, (x: Tensor) => Tensor][] = [
  ['cumsum', (x) => cumsum(x, { axis: 0, exclusive: true })],
  ['the gradient of cumprod', grad((x) => cumprod(x, { axis: 1, reverse: true }).sum())],
  ['cummax', (x) => cummax(x, { axis: 1 }).values],
  ['sort', (x) => sort(x, { axis: 0 }).values],
  ['the gradient of sort', grad((x) => sort(x, { axis: 0 }).values.mul(x).sum())],
  ['topK', (x) => topK(x, 2).values],
  ['argmax', (x) => argmax(x)],
  ['adaptiveAvgPool2d', (x) => adaptiveAvgPool2d(image(x), { size: 3 })],
  ['the gradient of adaptiveMaxPool2d', grad((x) => adaptiveMaxPool2d(image(x), { size: 3 }).square().sum())],
  ['maxPoolIndices', (x) => maxPoolIndices(image(x), { size: 2 })],
  ['the gradient of convTranspose2d', grad((x) => convTranspose2d(image(x), corner(x)).square().sum())],
  ['quantizedMatmul', (x) => quantizedMatmul(bytes(x), bytes(x)).toDType('float32').mul(0.5)],
  [
    'quantizedMatmul with scales',
    (x) => {
      const scales = x
        .abs()
        .slice([null, { end: 2 }])
        .copy();
      return quantizedMatmul(bytes(x), bytes(x), { scales, group: 4 }).add(1);
    },
  ],
];

describe.each([
  ['cpu', cpu()],
  ['required kernels only', withoutFastPaths(cpu())],
] as const)('on %s', (_, device) => {
  const draw = (seed: number): Tensor => {
    const x = randn([5, 7], { seed, device });
    x.evaluate();
    return x;
  };

  test.each(functions)('%s gives the same compiled, from one trace', (__, fn) => {
    const compiled = compile(fn);
    for (let seed = 0; seed < 4; seed++) {
      const x = draw(seed);
      expect([...compiled(x).dataSync()]).toEqual([...fn(x).dataSync()]);
    }
    expect(compiled.statistics).toMatchObject({ traces: 1, replays: 3 });
  });

  test.each(functions)('%s keeps the contract and leaves nothing behind', (__, fn) => {
    using settings = debug({ verify: true });
    expect(settings).toBeDefined();
    const x = draw(5);
    scope(() => fn(x)).dispose();
    const before = memory(device).liveBytes;
    const y = scope(() => fn(x));
    y.evaluate();
    expect(memory(device).liveBytes).toBeGreaterThan(before);
    y.dispose();
    expect(memory(device).liveBytes).toBe(before);
  });
});

test('what needs no gradient has none: places and products of integers', () => {
  const x = tensor([[3, 1, 2]], { requiresGrad: true });
  const results = [argmax(x), sort(x).indices, topK(x, 1).indices, cummax(x, { axis: 1 }).indices, quantizedMatmul(bytes(x), bytes(x))];
  for (const y of results) expect(() => y.toDType('float32').sum().backward()).toThrow('expected a result that depends on something');
});
