/** Specifications of sorting, against the engine's own stable sort, and of places of extremes. */

import { argmax, argmin } from './arg-reduce.ts';
import { argsort, sort, topK } from './sort.ts';
import { array, at, foldAxes } from './specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from './specification.spec.ts';

/** The first `count` places (all by default) of each line along `axis`, in order. */
const ordered = (axis: number, descending: boolean, what: 'values' | 'places', count = Infinity): OpSpecification['reference'] => {
  return (x?: Reference) => {
    if (x === undefined) throw new Error('needs an input');
    const size = x.dims[axis] ?? 1;
    return array(x.dims.with(axis, Math.min(size, count)), (index) => {
      const line = Array.from({ length: size }, (_, i) => at(x, index.with(axis, i)));
      const order = [...line.keys()].toSorted((a, b) => (descending ? -1 : 1) * ((line[a] ?? 0) - (line[b] ?? 0)));
      const place = order[index[axis] ?? 0] ?? NaN;
      return what === 'places' ? place : (line[place] ?? NaN);
    });
  };
};

const NUMBERS: readonly InputSpecification[][] = [
  [{ dims: [2, 7], low: -2, high: 2 }],
  [{ dims: [1, 8], low: -2, high: 2 }],
  [{ dims: [3, 1], low: -2, high: 2 }],
  [{ dims: [2, 0], low: -2, high: 2 }],
];
/** Few different ones, so that most are tied. */
const TIES: InputSpecification[] = [{ dims: [2, 13], low: 0, high: 4, whole: true }];

export const specifications: readonly OpSpecification[] = [
  { name: 'sort', run: (x) => sort(x).values, reference: ordered(1, false, 'values'), cases: NUMBERS },
  {
    name: 'sort, descending along axis 0',
    run: (x) => sort(x, { axis: 0, descending: true }).values,
    reference: ordered(0, true, 'values'),
    cases: [[{ dims: [5, 2, 2], low: -2, high: 2 }]],
  },
  { name: 'sort indices', run: (x) => sort(x).indices, reference: ordered(1, false, 'places'), cases: [...NUMBERS, TIES], differentiable: false },
  { name: 'argsort', run: (x) => argsort(x), reference: ordered(1, false, 'places'), cases: [...NUMBERS, TIES], differentiable: false },
  {
    name: 'argsort, descending',
    run: (x) => argsort(x, { descending: true }),
    reference: ordered(1, true, 'places'),
    cases: [...NUMBERS, TIES],
    differentiable: false,
  },
  {
    name: 'topK',
    run: (x) => topK(x, 3).values,
    reference: ordered(1, true, 'values', 3),
    cases: [[{ dims: [2, 7], low: -2, high: 2 }]],
  },
  {
    name: 'topK, smallest along axis 0',
    run: (x) => topK(x, 2, { axis: 0, largest: false }).values,
    reference: ordered(0, false, 'values', 2),
    cases: [[{ dims: [5, 3], low: -2, high: 2 }]],
  },
  { name: 'topK indices', run: (x) => topK(x, 5).indices, reference: ordered(1, true, 'places', 5), cases: [TIES], differentiable: false },
  {
    name: 'argmax',
    run: (x) => argmax(x, { axis: 1 }),
    reference: foldAxes([1], false, (v) => v.indexOf(Math.max(...v))),
    cases: [[{ dims: [4, 7], low: -3, high: 3 }], [{ dims: [3, 6], low: 0, high: 3, whole: true }], [{ dims: [2, 3, 4], low: -3, high: 3 }]],
    differentiable: false,
  },
  {
    name: 'argmin',
    run: (x) => argmin(x, { axis: 0 }),
    reference: foldAxes([0], false, (v) => v.indexOf(Math.min(...v))),
    cases: [[{ dims: [4, 7], low: -3, high: 3 }], [{ dims: [6, 3], low: 0, high: 3, whole: true }], [{ dims: [5], low: -3, high: 3 }]],
    differentiable: false,
  },
];
