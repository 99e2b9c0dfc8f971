/** Specifications of what reads and writes at computed places: gathering, scattering, subscripts; and of searching and counting. */

import { gather, takeAlongAxis } from './indexing.ts';
import { indexAdd, indexCopy, indexFill, maskedFill, maskedScatter, scatter, scatterReduce } from './scattering.ts';
import type { ScatterReduction } from './scattering.ts';
import { bincount, bucketize, histogram, kthValue, searchSorted } from './searching.ts';
import { array, at } from './specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from './specification.spec.ts';
import { index, indexPut } from './subscripts.ts';

const input = (inputs: readonly Reference[], i: number): Reference => {
  const x = inputs[i];
  if (x === undefined) throw new Error('missing input');
  return x;
};

const real = (...dims: number[]): InputSpecification => ({ dims, low: -2, high: 2 });
const places = (size: number, ...dims: number[]): InputSpecification => ({ dims, low: 0, high: size, whole: true });
/** Whole numbers that stand for bool. */
const mask = (...dims: number[]): InputSpecification => places(2, ...dims);

/** A copy of x with `f` called for each place of the index and source: what was there, and what comes. */
const written = (
  [x, where, source]: readonly [Reference, Reference, (place: readonly number[]) => number],
  axis: number,
  f: (before: number, value: number, count: number) => number,
): Reference => {
  const result = array(x.dims, (_, flat) => x.data[flat] ?? NaN);
  const counts = array(x.dims, () => 0);
  array(where.dims, (place) => {
    const target = place.with(axis, at(where, place));
    const flat = target.reduce((n, i, a) => n * (x.dims[a] ?? 1) + i, 0);
    counts.data[flat] = (counts.data[flat] ?? 0) + 1;
    result.data[flat] = f(result.data[flat] ?? NaN, source(place), counts.data[flat] ?? 0);
    return 0;
  });
  return result;
};

const REDUCTIONS: { readonly [R in ScatterReduction]: (a: number, b: number, count: number) => number } = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  /** The running mean of itself and `count` others. */
  mean: (a, b, count) => a + (b - a) / (count + 1),
  amax: (a, b) => Math.max(a, b),
  amin: (a, b) => Math.min(a, b),
};

const reduceBy = (reduce: ScatterReduction, includeSelf: boolean): OpSpecification => ({
  name: `scatterReduce by ${reduce}${includeSelf ? '' : ' without self'}`,
  run: (x, i, s) => scatterReduce(x, i, s, { axis: 1, reduce, includeSelf }),
  reference: (...inputs) =>
    written([input(inputs, 0), input(inputs, 1), (at_) => at(input(inputs, 2), at_)], 1, (a, b, count) =>
      includeSelf ? REDUCTIONS[reduce](a, b, count) : count === 1 ? b : REDUCTIONS[reduce](a, b, count - 1),
    ),
  cases: [[real(2, 3), places(3, 2, 5), real(2, 5)]],
});

const spread =
  (axis: number, where: Reference) =>
  (place: readonly number[]): number =>
    at(where, [place[axis] ?? 0]);

export const specifications: readonly OpSpecification[] = [
  {
    name: 'gather',
    run: (x, i) => gather(x, i, { axis: 0 }),
    reference: (...inputs) => array([4, 2], (place) => at(input(inputs, 0), place.with(0, at(input(inputs, 1), place)))),
    cases: [[real(3, 3), places(3, 4, 2)]],
  },
  {
    name: 'takeAlongAxis with broadcasting',
    run: (x, i) => takeAlongAxis(x, i, { axis: 1 }),
    reference: (...inputs) => array([2, 4, 3], ([a = 0, b = 0, c = 0]) => at(input(inputs, 0), [a, at(input(inputs, 1), [0, b, c]), 0])),
    cases: [[real(2, 3, 1), places(3, 1, 4, 3)]],
  },
  {
    name: 'scatter',
    run: (x, i, s) => scatter(x, i, s, { axis: 0 }),
    reference: (...inputs) => written([input(inputs, 0), input(inputs, 1), (place) => at(input(inputs, 2), place)], 0, (_, value) => value),
    cases: [[real(3, 2), places(3, 4, 2), real(4, 2)]],
  },
  ...(['sum', 'prod', 'mean', 'amax', 'amin'] as const).flatMap((reduce) => [reduceBy(reduce, true), reduceBy(reduce, false)]),
  {
    name: 'indexAdd',
    run: (x, i, s) => indexAdd(x, i, s, { axis: 1, alpha: -0.5 }),
    reference: (...inputs) => {
      const where = input(inputs, 1);
      const wide = array([2, 4], spread(1, where));
      return written([input(inputs, 0), wide, (place) => at(input(inputs, 2), place)], 1, (a, b) => a - 0.5 * b);
    },
    cases: [[real(2, 3), places(3, 4), real(2, 4)]],
  },
  {
    name: 'indexCopy',
    run: (x, i, s) => indexCopy(x, i, s),
    reference: (...inputs) => {
      const wide = array([2, 2], spread(0, input(inputs, 1)));
      return written([input(inputs, 0), wide, (place) => at(input(inputs, 2), place)], 0, (_, b) => b);
    },
    cases: [[real(3, 2), places(3, 2), real(2, 2)]],
  },
  {
    name: 'indexFill',
    run: (x, i, v) => indexFill(x, i, v, { axis: 1 }),
    reference: (...inputs) => {
      const wide = array([2, 2], spread(1, input(inputs, 1)));
      return written([input(inputs, 0), wide, () => at(input(inputs, 2), [])], 1, (_, b) => b);
    },
    cases: [[real(2, 4), { ...places(4, 2), values: [3, 1] }, real()]],
  },
  {
    name: 'maskedFill',
    run: (x, m, v) => maskedFill(x, m.toDType('bool'), v),
    reference: (...inputs) =>
      array([2, 4], ([a = 0, b = 0]) => (at(input(inputs, 1), [b]) === 0 ? at(input(inputs, 0), [a, b]) : at(input(inputs, 2), []))),
    cases: [[real(2, 4), mask(4), real()]],
  },
  {
    name: 'maskedScatter',
    run: (x, m, s) => maskedScatter(x, m.toDType('bool'), s),
    reference: (...inputs) => {
      let taken = 0;
      return array([2, 4], (place) => (at(input(inputs, 1), place) === 0 ? at(input(inputs, 0), place) : (input(inputs, 2).data[taken++] ?? NaN)));
    },
    cases: [[real(2, 4), mask(2, 4), real(8)]],
  },
  {
    name: 'index with basic subscripts',
    run: (x) => index(x, [1, null, '...', { start: -1, end: 0, step: -2 }]),
    reference: (x) => array([1, 2, 2], ([, b = 0, c = 0]) => at(x, [1, b, 3 - 2 * c])),
    cases: [[real(2, 2, 4)]],
  },
  {
    name: 'index with tensors side by side',
    run: (x, i, j) => index(x, [{}, i, j]),
    reference: (...inputs) =>
      array([2, 2, 3], ([a = 0, b = 0, c = 0]) => at(input(inputs, 0), [a, at(input(inputs, 1), [b, 0]), at(input(inputs, 2), [c])])),
    cases: [[real(2, 3, 4), places(3, 2, 1), places(4, 3)]],
  },
  {
    name: 'index with tensors apart',
    run: (x, i, j) => index(x, [i, {}, j]),
    reference: (...inputs) =>
      array([3, 2], ([a = 0, b = 0]) => at(input(inputs, 0), [(at(input(inputs, 1), [a]) + 3) % 3, b, at(input(inputs, 2), [a])])),
    cases: [[real(3, 2, 4), { dims: [3], low: -3, high: 3, whole: true }, places(4, 3)]],
  },
  {
    name: 'indexPut',
    run: (x, i, s) => indexPut(x, [i, { start: 1 }], s),
    reference: (...inputs) => {
      const result = array([3, 3], (_, flat) => input(inputs, 0).data[flat] ?? NaN);
      array([4, 2], ([a = 0, b = 0]) => {
        result.data[at(input(inputs, 1), [a]) * 3 + b + 1] = at(input(inputs, 2), [a, 0]);
        return 0;
      });
      return result;
    },
    cases: [[real(3, 3), places(3, 4), real(4, 1)]],
  },
  {
    name: 'searchSorted',
    run: (sorted, values) => searchSorted(sorted, values, { right: true }),
    reference: (...inputs) =>
      array([2, 3], ([a = 0, b = 0]) => [0, 1, 2, 3].filter((k) => at(input(inputs, 0), [a, k]) <= at(input(inputs, 1), [a, b])).length),
    cases: [[{ dims: [2, 4], values: [-1, -0.5, 0.25, 1, -2, 0, 0.5, 0.75] }, real(2, 3)]],
    differentiable: false,
  },
  {
    name: 'bucketize',
    run: (x, boundaries) => bucketize(x, boundaries),
    reference: (...inputs) => array([2, 3], (place) => input(inputs, 1).data.filter((b) => b < at(input(inputs, 0), place)).length),
    cases: [[real(2, 3), { dims: [5], values: [-1, -0.5, 0, 0.5, 1] }]],
    differentiable: false,
  },
  {
    name: 'bincount',
    run: (x, weights) => bincount(x, { weights, length: 4 }),
    reference: (...inputs) =>
      array([4], ([bin = 0]) => input(inputs, 0).data.reduce((sum, value, i) => sum + (value === bin ? at(input(inputs, 1), [i]) : 0), 0)),
    cases: [[places(6, 8), real(8)]],
  },
  {
    name: 'histogram',
    run: (x) => histogram(x, 4, { range: [-1, 1] }).counts,
    reference: (x) => array([4], ([bin = 0]) => x.data.filter((value) => value >= bin / 2 - 1 && value < bin / 2 - 0.5).length),
    cases: [[real(3, 4)]],
    differentiable: false,
  },
  {
    name: 'kthValue',
    run: (x) => kthValue(x, 2, { axis: 0 }).values,
    reference: (x) => array([4], ([column = 0]) => [0, 1, 2].map((k) => at(x, [k, column])).toSorted((a, b) => a - b)[1] ?? NaN),
    cases: [[real(3, 4)]],
  },
];
