/** The oracle's error function against values to 20 digits. */

import { expect, test } from 'vitest';
import { erf } from './erf.ts';

/** Made by Python: `from decimal import *; getcontext().prec = 60`, then the series Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n+1)) · 2/√π until it stops changing. */
const VALUES: readonly (readonly [number, number])[] = [
  [1e-20, 1.1283791670955125e-20],
  [0.001, 0.0011283787909692365],
  [0.1, 0.1124629160182849],
  [0.3, 0.3286267594591274],
  [0.5, 0.5204998778130465],
  [0.75, 0.7111556336535151],
  [1, 0.8427007929497149],
  [1.25, 0.9229001282564583],
  [1.5, 0.9661051464753108],
  [1.75, 0.9866716712191824],
  [2, 0.9953222650189527],
  [2.25, 0.9985372834133188],
  [2.4, 0.999311486103355],
  [2.49, 0.9995707121322661],
  [2.51, 0.9996142945182758],
  [2.6, 0.9997639655834707],
  [3, 0.9999779095030014],
  [3.5, 0.9999992569016276],
  [4, 0.9999999845827421],
  [5, 0.9999999999984626],
  [5.5, 0.9999999999999927],
];

/** Bound on the relative error that the file states. */
const BOUND = 1e-15;

test.each(VALUES)('erf(%f) is %f to a relative error below 1e-15', (x, expected) => {
  expect(Math.abs(erf(x) - expected) / expected).toBeLessThan(BOUND);
  expect(erf(-x)).toBe(-erf(x));
});

test('where series and fraction meet there is no step', () => {
  // The slope there is 2/√π exp(-6.25) = 0.00218.
  const step = 1e-9;
  expect(erf(2.5 + step) - erf(2.5 - step)).toBeCloseTo(2 * step * 0.0021782842303527, 14);
});

test('zero keeps its sign, NaN stays, the ends are 1', () => {
  expect([erf(0), erf(-0), erf(NaN), erf(Infinity), erf(-Infinity), erf(6), erf(1e300)]).toEqual([0, -0, NaN, 1, -1, 1, 1]);
});
