/** erf over the whole range of float32: the bound that `erf.ts` and the README state. */

import { expect, test } from 'vitest';
import { errorsAt, samples } from '../../test/accuracy.ts';
import { WIDTHS } from '../../test/support.ts';
import { wasm } from '../index.ts';

/** Beyond, erf is 1 in float64 too. */
const ONE_FROM = 6;
const SMALLEST_TERM = 1e-17;

/** erf in float64 by 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!, whose terms are all of one sign (Abramowitz and Stegun, 7.1.6). */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > ONE_FROM) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > SMALLEST_TERM * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

test('the reference: erf(0.5), erf(1), erf(2), erf(3), made with mpmath 1.3 at 40 digits', () => {
  const known = [0.5204998778130465, 0.8427007929497149, 0.9953222650189527, 0.9999779095030014];
  [0.5, 1, 2, 3].forEach((x, i) => expect(erf(x)).toBeCloseTo(known[i] ?? NaN, 14));
});

test.each(WIDTHS)('erf has a relative error below 2e-7, and 3 units in the last place, simd: %s', async (simd) => {
  const errors = errorsAt(await wasm({ simd }), 'erf', samples([2 ** -126, 0.5, 1, 2, 3.9, 4, ONE_FROM, Infinity]), erf);
  expect(errors.wrong).toEqual([]);
  expect(errors.relative).toBeLessThan(2e-7);
  expect(errors.ulps).toBeLessThan(3);
});
