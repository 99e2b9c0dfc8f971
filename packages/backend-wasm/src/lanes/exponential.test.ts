/** exp, log and tanh over the whole range of float32: the bounds that `exponential.ts` and the README state. */

import type { Backend } from '@gradus/backend';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorsAt, samples } from '../../test/accuracy.ts';
import { WIDTHS } from '../../test/support.ts';
import { wasm } from '../index.ts';

/** Where the smallest normal number begins, and each octave on either side of 1: the places where exponents change. */
const OCTAVES = [2 ** -126, 2 ** -125, 0.25, 0.5, 1, 2, 4];
/** The largest finite exp; the smallest normal one; the smallest that is not 0. */
const EXP_ENDS = [128 * Math.LN2, -126 * Math.LN2, -149 * Math.LN2, -150 * Math.LN2, 89, -104];
/** Halfway between multiples of ln 2, where exp goes over to the next. */
const EXP_HALVES = [0.5, 1.5, 2.5, 63.5, 126.5, 127.5].map((n) => n * Math.LN2);
const ROOTS = [Math.SQRT1_2, Math.SQRT2, 2 * Math.SQRT2, 2 ** -126 * Math.SQRT2, 2 ** 127 * Math.SQRT2];

describe.each(WIDTHS)('simd: %s', (simd) => {
  let device: Backend;
  beforeAll(async () => {
    device = await wasm({ simd });
  });

  test('exp has a relative error below 9e-8, and 1 unit in the last place', () => {
    const errors = errorsAt(device, 'exp', samples([...OCTAVES, ...EXP_ENDS, ...EXP_HALVES]), Math.exp);
    expect(errors.wrong).toEqual([]);
    expect(errors.relative).toBeLessThan(9e-8);
    expect(errors.ulps).toBeLessThan(1);
  });

  test('log has a relative error below 9e-8, and 1 unit in the last place', () => {
    const errors = errorsAt(device, 'log', samples([...OCTAVES, ...ROOTS, 2 ** -149, Infinity]), Math.log);
    expect(errors.wrong).toEqual([]);
    expect(errors.relative).toBeLessThan(9e-8);
    expect(errors.ulps).toBeLessThan(1);
  });

  test('tanh has a relative error below 1.5e-7, and 1.5 units in the last place', () => {
    const errors = errorsAt(device, 'tanh', samples([...OCTAVES, 0.625, 9, 44.5]), Math.tanh);
    expect(errors.wrong).toEqual([]);
    expect(errors.relative).toBeLessThan(1.5e-7);
    expect(errors.ulps).toBeLessThan(1.5);
  });
});
