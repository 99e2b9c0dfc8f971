/** sin, cos and atan over the whole range of float32: the bounds that `trigonometric.ts` and the README state. */

import { apply, constant } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorsAt, samples } from '../../test/accuracy.ts';
import { WIDTHS, floatsOf } from '../../test/support.ts';
import { wasm } from '../index.ts';

/** Up to here arguments are reduced exactly. */
const RANGE = 8192;
/** Zeros and extremes, near and far; halfway between them, where the polynomials change. */
const QUARTERS = [1, 2, 3, 4, 5, 7, 1001, 4095, 5215, 10_429].map((n) => (n * Math.PI) / 4);
const OCTAVES = [2 ** -149, 2 ** -126, 2 ** -12, 0.5, 1, 2, RANGE];

describe.each(WIDTHS)('simd: %s', (simd) => {
  let device: Backend;
  beforeAll(async () => {
    device = await wasm({ simd });
  });

  test.each([
    ['sin', Math.sin],
    ['cos', Math.cos],
  ] as const)('%s has an absolute error below 8e-8 up to 8192', (op, exact) => {
    const x = samples([...QUARTERS, ...OCTAVES]).filter((value) => Math.abs(value) <= RANGE);
    const errors = errorsAt(device, op, x, exact);
    expect(errors.wrong).toEqual([]);
    expect(errors.absolute).toBeLessThan(8e-8);
  });

  test('sin keeps tiny arguments as they are, to the bit', () => {
    const x = samples().filter((value) => Math.abs(value) < 2 ** -13);
    const y = floatsOf(device, [x], (a = constant('float32', 0)) => apply('sin', a));
    expect(x.findIndex((value, i) => !Object.is(value, y[i]))).toBe(-1);
  });

  test.each(['sin', 'cos'] as const)('%s stays within -1 and 1 beyond 8192, and is NaN at the infinities', (op) => {
    const x = samples().filter((value) => Math.abs(value) > RANGE);
    const y = floatsOf(device, [x], (a = constant('float32', 0)) => apply(op, a));
    expect(x.findIndex((value, i) => Number.isFinite(value) && !(Math.abs(y[i] ?? NaN) <= 1))).toBe(-1);
    const ends = floatsOf(device, [Float32Array.of(Infinity, -Infinity, NaN)], (a = constant('float32', 0)) => apply(op, a));
    expect([...ends]).toEqual([NaN, NaN, NaN]);
  });

  test('atan has a relative error below 2.1e-7, and 3 units in the last place', () => {
    const errors = errorsAt(device, 'atan', samples([...OCTAVES, Math.tan(Math.PI / 8), Math.tan((3 * Math.PI) / 8), Infinity]), Math.atan);
    expect(errors.wrong).toEqual([]);
    expect(errors.relative).toBeLessThan(2.1e-7);
    expect(errors.ulps).toBeLessThan(3);
  });
});
