import { describe, expect, test } from 'vitest';

import { erf } from './erf.ts';

/**
 * Made with mpmath 1.3 at 40 digits, rounded to float64:
 * `import mpmath as mp; mp.mp.dps = 40; [float(mp.erf(mp.mpf(x))) for x in points]`.
 * The points include both ends of each range of the method.
 */
const REFERENCE: readonly (readonly [number, number])[] = [
  [1e-300, 1.1283791670955126e-300],
  [1e-10, 1.1283791670955126e-10],
  [0.001, 0.0011283787909692365],
  [0.1, 0.1124629160182849],
  [0.25, 0.27632639016823696],
  [0.46875, 0.49261347321793797],
  [0.46875000000000006, 0.492613473217938],
  [0.5, 0.5204998778130465],
  [0.75, 0.7111556336535151],
  [1, 0.8427007929497149],
  [1.25, 0.9229001282564583],
  [1.5, 0.9661051464753108],
  [1.9375, 0.9938568063952132],
  [2, 0.9953222650189527],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [3.5, 0.9999992569016276],
  [3.999, 0.9999999844552505],
  [4, 0.9999999845827421],
  [4.000000000000001, 0.9999999845827421],
  [4.5, 0.9999999998033839],
  [5, 0.9999999999984626],
  [5.5, 0.9999999999999927],
  [5.9, 0.9999999999999999],
  [5.92, 0.9999999999999999],
  [5.93, 1],
  [6, 1],
];

describe('erf', () => {
  test.each(REFERENCE)('erf(%d) has a relative error below 5e-16, and so has its negative', (x, expected) => {
    expect(Math.abs(erf(x) - expected) / expected).toBeLessThan(5e-16);
    expect(erf(-x)).toBe(-erf(x));
  });

  test('zeros, infinities and NaN', () => {
    expect(erf(0)).toBe(0);
    expect(erf(-0)).toBe(-0);
    expect(erf(Infinity)).toBe(1);
    expect(erf(-Infinity)).toBe(-1);
    expect(erf(NaN)).toBeNaN();
  });
});
