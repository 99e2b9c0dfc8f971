/** pow, remainder and sqrt: the bounds that `power.ts` and the README state, for pairs from the whole range of float32. */

import { apply, constant } from '@gradus/backend';
import type { Backend, Opcode } from '@gradus/backend';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorsOf, samples } from '../../test/accuracy.ts';
import { WIDTHS, firstDifference, floatsOf } from '../../test/support.ts';
import { wasm } from '../index.ts';

const PAIRS = 200_000;
const SPECIAL = [0, 1, 0.5, 2, 3, 1e-40, 2 ** -149, 1.5e38, 16_777_217, 2 ** 127, Infinity].flatMap((x) => [x, -x]).concat(NaN);

/** Words that look random, the same every time (the finaliser of MurmurHash3, by A. Appleby, of a counter). */
function word(counter: number): number {
  let h = Math.imul(counter, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Any float32, by its bits. */
function anyFloats(count: number, salt: number): Float32Array {
  return new Float32Array(Uint32Array.from({ length: count }, (_, i) => word(2 * i + salt)).buffer);
}

/** Every special value with every other. */
const GRID = {
  x: Float32Array.from(SPECIAL.flatMap((x) => SPECIAL.map(() => x))),
  y: Float32Array.from(SPECIAL.flatMap(() => SPECIAL)),
};

/** JavaScript's power, but for the three places where C's is 1. */
function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

/** Exponents that lead to results in range: whole, halves, and any. */
function exponents(x: Float32Array): Float32Array {
  return x.map((value, i) => {
    const target = (word(2 * i + 77) / 2 ** 32) * 300 - 160;
    const y = target / Math.log2(Math.abs(value));
    return i % 3 === 0 ? Math.round(y) : i % 3 === 1 ? Math.round(2 * y) / 2 : y;
  });
}

describe.each(WIDTHS)('simd: %s', (simd) => {
  let device: Backend;
  beforeAll(async () => {
    device = await wasm({ simd });
  });
  const binary = (op: Opcode, x: Float32Array, y: Float32Array): Float32Array =>
    floatsOf(device, [x, y], (a = constant('float32', 0), b = a) => apply(op, a, b));

  test('pow has a relative error below 6e-8, and 1 unit in the last place', () => {
    const x = anyFloats(PAIRS, 1);
    for (const base of [x, x.map(Math.abs)]) {
      const y = exponents(base);
      const errors = errorsOf(
        binary('pow', base, y),
        (i) => power(base[i] ?? 0, y[i] ?? 0),
        (i) => `pow(${base[i]}, ${y[i]})`,
      );
      expect(errors.wrong).toEqual([]);
      expect(errors.relative).toBeLessThan(6e-8);
      expect(errors.ulps).toBeLessThan(1);
    }
  });

  test('pow of special values is C’s', () => {
    expect(
      firstDifference(
        binary('pow', GRID.x, GRID.y),
        GRID.x.map((x, i) => power(x, GRID.y[i] ?? 0)),
      ),
    ).toBeNull();
  });

  test('remainder is exact', () => {
    const [x, y] = [anyFloats(PAIRS, 3), anyFloats(PAIRS, 5)];
    expect(
      firstDifference(
        binary('remainder', x, y),
        x.map((value, i) => value % (y[i] ?? NaN)),
      ),
    ).toBeNull();
    // Of one size, as most are.
    const near = x.map((value) => value / 3.7);
    expect(
      firstDifference(
        binary('remainder', x, near),
        x.map((value, i) => value % (near[i] ?? NaN)),
      ),
    ).toBeNull();
    expect(
      firstDifference(
        binary('remainder', GRID.x, GRID.y),
        GRID.x.map((value, i) => value % (GRID.y[i] ?? NaN)),
      ),
    ).toBeNull();
  });

  test('sqrt is exact', () => {
    const x = samples([2 ** -149, 2 ** -126, 1, 4, Infinity]);
    expect(
      firstDifference(
        floatsOf(device, [x], (a = constant('float32', 0)) => apply('sqrt', a)),
        x.map(Math.sqrt),
      ),
    ).toBeNull();
  });
});
