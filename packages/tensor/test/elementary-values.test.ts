/**
 * Elementary functions in float64 on cpu, against values to 40 digits (`fixtures/elementary.py`): the largest error in ulps of the result.
 * Functions with a zero between whole numbers, where the result has fewer digits than the arguments of its sum, are measured in ulps of 1
 * below 1.
 */

import * as gradus from '@gradus/tensor';
import { tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';
import fixtures from './fixtures/elementary.json' with { type: 'json' };
import { ulpsBetween } from './ulps.ts';

const { polygamma } = gradus;
const own: Record<string, (x: Tensor) => Tensor> = {
  trigamma: (x) => polygamma(1, x),
  polygamma2: (x) => polygamma(2, x),
  polygamma3: (x) => polygamma(3, x),
};
const b: Record<string, number> = {};
test.each(Object.keys(fixtures))('%s', (name) => {
  const { x, y } = (fixtures as unknown as Record<string, { x: number[]; y: number[] }>)[name]!;
  const f = own[name] ?? (gradus as unknown as Record<string, (x: Tensor) => Tensor>)[name]!;
  const got = f(tensor(x, { dtype: 'float64' })).dataSync();
  let worst = 0,
    at = 0,
    wr = 0;
  x.forEach((v, i) => {
    const u = ulpsBetween(got[i]!, y[i]!, 'float64');
    if (!(u <= worst)) {
      worst = u;
      at = v;
      wr = got[i]!;
    }
  });
  console.log(name, worst.toFixed(2), at, wr, y[x.indexOf(at)]);
  expect(worst).toBeLessThan(b[name] ?? 1e99);
});
