/** Random tensors of other distributions: their moments for fixed seeds, their edges, the same numbers on wasm. */

import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import {
  ArgumentError,
  DTypeError,
  Generator,
  ShapeError,
  bernoulli,
  categorical,
  compile,
  exponential,
  gumbel,
  manualSeed,
  multinomial,
  permutation,
  tensor,
  truncatedNormal,
  zeros,
} from '@gradus/tensor';
import type { GradusError, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { normalQuantile, normalTail } from '../src/random/normal-quantile.ts';

const COUNT = 20_000;
const values = (t: Tensor): number[] => [...t.dataSync()];
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
const variance = (x: readonly number[]): number => {
  const centre = mean(x);
  return mean(x.map((v) => (v - centre) ** 2));
};

/** Five standard errors of a mean of {@link COUNT} numbers with this variance. */
const fiveErrors = (of: number): number => 5 * Math.sqrt(of / COUNT);

test('exponential and Gumbel numbers have the moments they should', () => {
  const e = values(exponential([COUNT], { seed: 1, rate: 2 }));
  expect(Math.min(...e)).toBeGreaterThanOrEqual(0);
  expect(Math.abs(mean(e) - 0.5)).toBeLessThan(fiveErrors(0.25));
  const spread = Math.PI ** 2 / 6;
  const g = values(gumbel([COUNT], { seed: 2 }));
  expect(g.every(Number.isFinite)).toBe(true);
  expect(Math.abs(mean(g) - 0.5772156649)).toBeLessThan(fiveErrors(spread));
  expect(Math.abs(variance(g) - spread)).toBeLessThan(fiveErrors(4.4 * spread ** 2));
});

test('quantiles and probabilities of the normal distribution are each other’s inverse', () => {
  // Abramowitz and Stegun, table 26.1: P(1) and P(3); the tail at -10 by their asymptotic series.
  expect(normalTail(1)).toBeCloseTo(0.841344746068543, 15);
  expect(normalTail(3)).toBeCloseTo(0.99865010196837, 15);
  expect(normalTail(-10) / 7.619853024160527e-24).toBeCloseTo(1, 12);
  expect([normalTail(-Infinity), normalTail(0), normalTail(Infinity)]).toEqual([0, 0.5, 1]);
  const points = [-20, -8, -5.5, -5, -3, -2.5, -1.2, -1, -0.3, 0, 0.4, 1.1, 2, 3, 5];
  const found = values(normalQuantile(tensor(points.map(normalTail), { dtype: 'float64' })));
  found.forEach((x, i) => {
    const point = points[i] ?? NaN;
    // Upper tails are differences from 1 and lose what those lose.
    const tolerance = point > 0 ? 1e-16 / Math.exp((-point * point) / 2) : 1e-14;
    expect(Math.abs(x - point), `at ${point}`).toBeLessThan(1e-14 * Math.abs(point) + 2 * tolerance);
  });
  expect(values(normalQuantile(tensor([0, 1])))).toEqual([-Infinity, Infinity]);
});

test.each([
  [{}, 0, 0.7737413],
  [{ mean: 1, std: 2, low: -1, high: 5 }, undefined, undefined],
  [{ low: 4, high: 5 }, undefined, undefined],
  [{ low: -Infinity, high: -1 }, -1.5251352, undefined],
] as const)('truncated normal numbers of %j lie between the ends, with the moments they should have', (options, wantedMean, wantedVariance) => {
  const { mean: m = 0, std = 1, low = -2, high = 2 } = options as { mean?: number; std?: number; low?: number; high?: number };
  const x = values(truncatedNormal([COUNT], { seed: 3, ...options }));
  expect(Math.min(...x)).toBeGreaterThanOrEqual(low);
  expect(Math.max(...x)).toBeLessThanOrEqual(high);
  // Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1, 13.10.
  const density = (at: number): number => (Number.isFinite(at) ? Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI) : 0);
  const [a, b] = [(low - m) / std, (high - m) / std];
  const whole = a > 0 ? normalTail(-a) - normalTail(-b) : normalTail(b) - normalTail(a);
  const shift = (density(a) - density(b)) / whole;
  const edge = (at: number): number => (Number.isFinite(at) ? at * density(at) : 0);
  const spread = std ** 2 * (1 + (edge(a) - edge(b)) / whole - shift ** 2);
  expect(m + std * shift).toBeCloseTo(wantedMean ?? m + std * shift, 6);
  expect(spread).toBeCloseTo(wantedVariance ?? spread, 6);
  expect(Math.abs(mean(x) - (m + std * shift))).toBeLessThan(fiveErrors(spread));
  expect(Math.abs(variance(x) - spread)).toBeLessThan(fiveErrors(9 * spread ** 2));
});

test('permutations are permutations, each as likely as the others', () => {
  expect(values(permutation(0))).toEqual([]);
  expect(values(permutation(1000, { seed: 1 })).toSorted((a, b) => a - b)).toEqual([...Array(1000).keys()]);
  const generator = new Generator(5);
  const counts = new Map<string, number>();
  const rounds = 1200;
  for (let i = 0; i < rounds; i++) {
    const key = values(permutation(3, { generator })).join('');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - rounds / 6) ** 2 / (rounds / 6), 0);
  // The 0.1 % point for five degrees of freedom.
  expect(chiSquare).toBeLessThan(20.5);
});

test('a compiled function permutes anew in each call', () => {
  const generator = new Generator(1);
  const shuffle = compile((x: Tensor) => x.add(permutation(50, { generator })));
  const zero = zeros([50]);
  const first = values(shuffle(zero));
  const second = values(shuffle(zero));
  expect(second).not.toEqual(first);
  expect(second.toSorted((a, b) => a - b)).toEqual([...Array(50).keys()]);
});

describe('classes', () => {
  const weights = [0, 1, 3, 0, 6, 0];

  test.each([
    ['multinomial', () => multinomial(tensor(weights), COUNT, { replacement: true, seed: 6 })],
    ['categorical', () => categorical(tensor(weights).log(), COUNT, { seed: 6 })],
  ])('%s draws each with its probability, and none of probability 0', (_, draw) => {
    const drawn = draw();
    expect([drawn.dtype, drawn.shape]).toEqual(['int32', [COUNT]]);
    const counts = weights.map((_weight, i) => values(drawn).filter((v) => v === i).length);
    weights.forEach((weight, i) => {
      const p = weight / 10;
      expect(Math.abs((counts[i] ?? 0) / COUNT - p)).toBeLessThanOrEqual(fiveErrors(p * (1 - p)));
    });
  });

  test('without replacement each is drawn once, the first with its probability', () => {
    const rows = 4000;
    const drawn = multinomial(tensor(weights).expand([rows, 6]), 3, { seed: 7 });
    expect(drawn.shape).toEqual([rows, 3]);
    const all = values(drawn);
    const firsts = [0, 0, 0, 0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const three = all.slice(3 * row, 3 * row + 3);
      expect(three.toSorted((a, b) => a - b)).toEqual([1, 2, 4]);
      firsts[three[0] ?? 0] = (firsts[three[0] ?? 0] ?? 0) + 1;
    }
    weights.forEach((weight, i) => {
      const p = weight / 10;
      expect(Math.abs((firsts[i] ?? 0) / rows - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / rows));
    });
  });

  test('rows have probabilities of their own', () => {
    expect(
      values(
        categorical(
          tensor([
            [0, -Infinity],
            [-Infinity, 0],
          ]),
          3,
          { seed: 1 },
        ),
      ),
    ).toEqual([0, 0, 0, 1, 1, 1]);
  });
});

test('each element of bernoulli has its own probability', () => {
  const drawn = bernoulli([COUNT, 3], tensor([0, 0.25, 1]), { seed: 8 });
  const shares = values(drawn.toDType('float32').mean({ axis: 0 }));
  expect([drawn.dtype, shares[0], shares[2]]).toEqual(['bool', 0, 1]);
  expect(Math.abs((shares[1] ?? NaN) - 0.25)).toBeLessThan(fiveErrors(0.25 * 0.75));
});

test('wasm draws what cpu draws', async () => {
  const device = await wasm();
  const reference = cpu();
  manualSeed(3);
  const a = values(permutation(257, { seed: 9, device: reference }));
  expect(values(permutation(257, { seed: 9, device }))).toEqual(a);
  const weights = [0.2, 0.5, 0.3];
  const draws = [reference, device].map((each) => values(multinomial(tensor(weights, { device: each }), 500, { replacement: true, seed: 2 })));
  expect(draws[1]).toEqual(draws[0]);
  const [x = [], y = []] = [reference, device].map((each) => values(truncatedNormal([500], { seed: 2, device: each })));
  x.forEach((value, i) => expect(y[i]).toBeCloseTo(value, 5));
});

test.each<readonly [string, () => unknown, new (...args: never[]) => GradusError]>([
  ['bernoulli sizes', () => bernoulli([2], tensor([0.5, 0.5, 0.5])), ShapeError],
  ['bernoulli dtype', () => bernoulli([2], tensor([0, 1], { dtype: 'int32' })), DTypeError],
  ['bernoulli p', () => bernoulli([2], 2), ArgumentError],
  ['exponential rate', () => exponential([2], { rate: 0 }), ArgumentError],
  ['gumbel dtype', () => gumbel([2], { dtype: 'int32' }), DTypeError],
  ['truncatedNormal ends', () => truncatedNormal([2], { low: 1, high: 1 }), ArgumentError],
  ['truncatedNormal std', () => truncatedNormal([2], { std: -1 }), ArgumentError],
  ['permutation count', () => permutation(2.5), ArgumentError],
  ['categorical dtype', () => categorical(tensor([1, 2], { dtype: 'int32' })), DTypeError],
  ['categorical of a number', () => categorical(tensor(1)), ShapeError],
  ['categorical without classes', () => categorical(zeros([2, 0])), ShapeError],
  ['multinomial count', () => multinomial(tensor([1, 2]), 3), ArgumentError],
  ['multinomial count of -1', () => multinomial(tensor([1, 2]), -1, { replacement: true }), ArgumentError],
])('%s: a typed error', (_, run, type) => {
  expect(run).toThrow(type);
});
