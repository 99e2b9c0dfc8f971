/** Sorts of rows that are longer than those of the conformance kit, against the engine's own stable sort. */

import type { SortKernel } from '@gradus/backend';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { numbers } from '../../test/random.ts';
import { PATIENCE, dense, deviceOf, runDense } from '../../test/support.ts';

/** Ascending, NaN last. */
function order(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return Math.sign(a - b) || 0;
}

const rows = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.nat({ max: 300 }))
  .chain(([count, columns]) =>
    fc.tuple(fc.constant(count), fc.array(numbers('float64'), { minLength: count * columns, maxLength: count * columns })),
  );

test.each([false, true])('descending: %s', { timeout: PATIENCE }, (descending) => {
  const device = deviceOf('generated');
  fc.assert(
    fc.property(rows, ([count, x]) => {
      const columns = x.length / count;
      const kernel: SortKernel = {
        kind: 'sort',
        descending,
        operands: [dense('float64'), dense('float64', 'write'), dense('int32', 'write')],
        scalars: [],
      };
      const [, values = [], places = []] = runDense(device, kernel, [count, columns], [x, x.length, x.length]);
      for (let row = 0; row < count; row++) {
        const mine = x.slice(row * columns, (row + 1) * columns);
        const at = (place: number): number => mine[place] ?? NaN;
        const expected = [...mine.keys()].toSorted((a, b) => (descending ? order(at(b), at(a)) : order(at(a), at(b))));
        expect(places.slice(row * columns, (row + 1) * columns)).toEqual(expected);
        expect(values.slice(row * columns, (row + 1) * columns)).toEqual(expected.map(at));
      }
    }),
  );
});
