/** Random numbers: known answers, the same on the host and in kernels, the same again. */

import { Generator, bernoulli, defaultGenerator, manualSeed, normal, permutationOf, rand, randint, randn, scope, uniform } from '@gradus/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { threefry } from '../src/random/threefry.ts';

describe('random numbers', () => {
  test('threefry agrees with the known answers of its authors', () => {
    // Random123 1.14, kat_vectors, "threefry2x32 20".
    expect(threefry([0, 0], [0, 0])).toEqual([0x6b200159, 0x99ba4efe]);
    expect(threefry([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff])).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(threefry([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3])).toEqual([0xc4923a9c, 0x483df7a0]);
  });

  test('kernels and host draw the same bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 33 }), (seed, counter) => {
        const generator = new Generator(seed, 3);
        generator.restore({ seed, stream: 3, counter });
        const drawn = scope(() => uniform([3], { generator }).dataSync());
        for (let i = 0; i < 3; i++) {
          const at = counter + i;
          const [word] = threefry([seed, 3], [at % 2 ** 32, Math.floor(at / 2 ** 32)]);
          expect(drawn[i]).toBe((word >>> 8) / 2 ** 24);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('the same seed gives the same numbers, whatever is computed when', () => {
    manualSeed(7);
    const a = [rand([3]).dataSync(), randn([2, 2]).dataSync()];
    manualSeed(7);
    const first = rand([3]);
    const second = randn([2, 2]);
    expect([second.dataSync(), first.dataSync()]).toEqual([a[1], a[0]]);
    const saved = defaultGenerator.state;
    const next = rand([4]).dataSync();
    defaultGenerator.restore(saved);
    expect(rand([4]).dataSync()).toEqual(next);
    expect(randn([2], { seed: 1 }).dataSync()).toEqual(randn([2], { seed: 1 }).dataSync());
  });

  test('have the moments they should', () => {
    const n = 20000;
    const u = uniform([n], { seed: 1, low: -1, high: 3 });
    expect(u.mean().itemSync()).toBeCloseTo(1, 1);
    expect(u.min().itemSync()).toBeGreaterThanOrEqual(-1);
    expect(u.max().itemSync()).toBeLessThan(3);
    const z = normal([n], { seed: 2, mean: 5, std: 2 });
    expect(Math.abs(z.mean().itemSync() - 5)).toBeLessThan(0.05);
    expect(Math.abs(z.std().itemSync() - 2)).toBeLessThan(0.05);
    expect(Math.abs(bernoulli([n], 0.3, { seed: 3 }).mean().itemSync() - 0.3)).toBeLessThan(0.02);
    const whole = randint(-2, 3, [n], { seed: 4 }).dataSync();
    expect([...new Set(whole)].toSorted((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  });

  test('permutations are permutations, and a function of seed and stream', () => {
    expect([...permutationOf(100, 1, 2)].toSorted((a, b) => a - b)).toEqual([...Array(100).keys()]);
    expect(permutationOf(100, 1, 2)).toEqual(permutationOf(100, 1, 2));
    expect(permutationOf(100, 1, 3)).not.toEqual(permutationOf(100, 1, 2));
  });
});
