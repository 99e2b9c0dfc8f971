/** Specifications of movement, conversion and indexing ops, and of the matrix product. */

import { copy, detach, toDType } from './convert.ts';
import { expand } from './expand.ts';
import { indexSelect, scatterAdd, takeAlongAxis } from './indexing.ts';
import { matmul } from './matmul.ts';
import { concatenate, flip, pad, permute, slice, split, stack, transpose } from './movement.ts';
import { flatten, reshape, squeeze, unsqueeze } from './reshape.ts';
import { array, at } from './specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

const one = (inputs: readonly Reference[], i = 0): Reference => {
  const x = inputs[i];
  if (x === undefined) throw new Error('missing input');
  return x;
};

/** The result's element at `index` is x's at `place(index)`. */
const moved = (
  name: string,
  run: OpSpecification['run'],
  from: readonly number[],
  to: readonly number[],
  place: (index: readonly number[]) => readonly number[],
): OpSpecification => ({
  name,
  run,
  reference: (...inputs) => array(to, (index) => at(one(inputs), place(index))),
  cases: [[{ dims: from, low: -2, high: 2 }]],
});

const reshaped = (name: string, run: OpSpecification['run'], from: readonly number[], to: readonly number[]): OpSpecification => ({
  name,
  run,
  reference: (...inputs) => ({ dims: to, data: one(inputs).data }),
  cases: [[{ dims: from, low: -2, high: 2 }]],
});

/** Brute-force product of the last two axes, with broadcast batches. */
const product: OpSpecification['reference'] = (...inputs) => {
  const a = one(inputs, 0);
  const b = one(inputs, 1);
  const rank = Math.max(a.dims.length, b.dims.length);
  const batch = Array.from({ length: rank - 2 }, (_, i) => Math.max(a.dims[i - rank + a.dims.length] ?? 1, b.dims[i - rank + b.dims.length] ?? 1));
  const pick = (x: Reference, index: readonly number[]): number => {
    const own = index.slice(rank - x.dims.length);
    return at(
      x,
      own.map((i, axis) => (x.dims[axis] === 1 ? 0 : i)),
    );
  };
  const [m = 0, k = 0] = a.dims.slice(-2);
  const n = b.dims.at(-1) ?? 0;
  return array([...batch, m, n], (index) => {
    const outer = index.slice(0, -2);
    const [i = 0, j = 0] = index.slice(-2);
    let sum = 0;
    for (let l = 0; l < k; l++) sum += pick(a, [...outer, i, l]) * pick(b, [...outer, l, j]);
    return sum;
  });
};

const matrices = (a: readonly number[], b: readonly number[]): readonly InputSpecification[] => [
  { dims: a, low: -1, high: 1 },
  { dims: b, low: -1, high: 1 },
];

export const specifications: readonly OpSpecification[] = [
  moved(
    'permute',
    (x) => permute(x, [2, 0, 1]),
    [2, 3, 4],
    [4, 2, 3],
    ([a = 0, b = 0, c = 0]) => [b, c, a],
  ),
  moved(
    'transpose',
    (x) => transpose(x),
    [2, 3, 4],
    [2, 4, 3],
    ([a = 0, b = 0, c = 0]) => [a, c, b],
  ),
  moved(
    'slice with steps',
    (x) => slice(x, [{ start: 1 }, { start: -1, step: -2 }]),
    [3, 5],
    [2, 3],
    ([a = 0, b = 0]) => [a + 1, 4 - 2 * b],
  ),
  moved(
    'slice of one index',
    (x) => slice(x, [null, -1]),
    [3, 5],
    [3],
    ([a = 0]) => [a, 4],
  ),
  moved(
    'slice of nothing',
    (x) => slice(x, [{ start: 2, end: 1 }]),
    [3, 5],
    [0, 5],
    ([a = 0, b = 0]) => [a, b],
  ),
  moved(
    'flip',
    (x) => flip(x, { axis: 1 }),
    [2, 3],
    [2, 3],
    ([a = 0, b = 0]) => [a, 2 - b],
  ),
  moved(
    'expand',
    (x) => expand(x, [2, 4, 3]),
    [4, 1],
    [2, 4, 3],
    ([, b = 0]) => [b, 0],
  ),
  moved(
    'split',
    (x) => split(x, [1, 2, 2], { axis: 1 })[2] as Tensor,
    [2, 5],
    [2, 2],
    ([a = 0, b = 0]) => [a, b + 3],
  ),
  reshaped('reshape', (x) => reshape(x, [4, -1]), [2, 6], [4, 3]),
  reshaped('flatten', (x) => flatten(x, { start: 1 }), [2, 3, 4], [2, 12]),
  reshaped('squeeze', (x) => squeeze(x), [1, 3, 1], [3]),
  reshaped('unsqueeze', (x) => unsqueeze(x, -1), [2, 3], [2, 3, 1]),
  reshaped('copy', (x) => copy(x), [2, 3], [2, 3]),
  reshaped('toDType', (x) => toDType(x, 'float64'), [2, 3], [2, 3]),
  { ...reshaped('detach', (x) => detach(x), [2, 3], [2, 3]), differentiable: false },
  {
    name: 'reshape of a transpose',
    run: (x) => reshape(transpose(x), [6]),
    reference: (...inputs) => array([6], (_, flat) => at(one(inputs), [flat % 2, Math.floor(flat / 2)])),
    cases: [[{ dims: [2, 3], low: -2, high: 2 }]],
  },
  {
    name: 'pad',
    run: (x) =>
      pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        { value: 7 },
      ),
    reference: (...inputs) => array([3, 5], ([a = 0, b = 0]) => (a >= 1 && b < 3 ? at(one(inputs), [a - 1, b]) : 7)),
    cases: [[{ dims: [2, 3], low: -2, high: 2 }]],
  },
  {
    name: 'concatenate along 0',
    run: (a, b) => concatenate([a, b]),
    reference: (...inputs) => array([5, 3], ([i = 0, j = 0]) => (i < 2 ? at(one(inputs), [i, j]) : at(one(inputs, 1), [i - 2, j]))),
    cases: [
      [
        { dims: [2, 3], low: -2, high: 2 },
        { dims: [3, 3], low: -2, high: 2 },
      ],
    ],
  },
  {
    name: 'concatenate along the last axis',
    run: (a, b) => concatenate([a, b, a], { axis: -1 }),
    reference: (...inputs) =>
      array([2, 7], ([i = 0, j = 0]) => (j < 3 ? at(one(inputs), [i, j]) : j < 4 ? at(one(inputs, 1), [i, 0]) : at(one(inputs), [i, j - 4]))),
    cases: [
      [
        { dims: [2, 3], low: -2, high: 2 },
        { dims: [2, 1], low: -2, high: 2 },
      ],
    ],
  },
  {
    name: 'stack',
    run: (a, b) => stack([a, b], { axis: 1 }),
    reference: (...inputs) => array([3, 2], ([i = 0, j = 0]) => at(one(inputs, j), [i])),
    cases: [
      [
        { dims: [3], low: -2, high: 2 },
        { dims: [3], low: -2, high: 2 },
      ],
    ],
  },
  {
    name: 'takeAlongAxis',
    run: (x, index) => takeAlongAxis(x, index, { axis: 1 }),
    reference: (...inputs) => array(one(inputs, 1).dims, (index) => at(one(inputs), index.with(1, at(one(inputs, 1), index)))),
    cases: [
      [
        { dims: [3, 5], low: -2, high: 2 },
        { dims: [3, 7], low: 0, high: 5, whole: true },
      ],
    ],
  },
  {
    name: 'indexSelect',
    run: (x, index) => indexSelect(x, index),
    reference: (...inputs) => array([2, 3, 4], ([a = 0, b = 0, c = 0]) => at(one(inputs), [at(one(inputs, 1), [a, b]), c])),
    cases: [
      [
        { dims: [6, 4], low: -2, high: 2 },
        { dims: [2, 3], low: 0, high: 6, whole: true },
      ],
    ],
  },
  {
    name: 'scatterAdd',
    run: (target, index, source) => scatterAdd(target, index, source, { axis: 0 }),
    reference: (...inputs) => {
      const result = array(one(inputs).dims, (index) => at(one(inputs), index));
      const places = one(inputs, 1);
      array(places.dims, (index) => {
        const [, column = 0] = index;
        const flat = at(places, index) * (result.dims[1] ?? 1) + column;
        result.data[flat] = (result.data[flat] ?? 0) + at(one(inputs, 2), index);
        return 0;
      });
      return result;
    },
    cases: [
      [
        { dims: [3, 4], low: -2, high: 2 },
        { dims: [7, 4], low: 0, high: 3, whole: true },
        { dims: [7, 4], low: -2, high: 2 },
      ],
    ],
  },
  {
    name: 'matmul',
    run: (a, b) => matmul(a, b),
    reference: product,
    cases: [
      matrices([3, 4], [4, 5]),
      matrices([1, 3], [3, 1]),
      matrices([2, 3, 4], [4, 5]),
      matrices([2, 3, 4], [2, 4, 2]),
      matrices([3, 4], [2, 4, 3]),
      matrices([2, 1, 3, 2], [3, 2, 4]),
      matrices([3, 0], [0, 2]),
    ],
  },
  {
    name: 'matmul of transposes',
    run: (a, b) => matmul(transpose(a), transpose(b)),
    reference: (...inputs) => {
      const flipped = (x: Reference): Reference => array(x.dims.toReversed(), ([i = 0, j = 0]) => at(x, [j, i]));
      return product(flipped(one(inputs)), flipped(one(inputs, 1)));
    },
    cases: [matrices([4, 3], [5, 4])],
  },
  {
    name: 'matmul with a vector',
    run: (a, b) => matmul(a, b),
    reference: (...inputs) => array([3], ([i = 0]) => [0, 1, 2, 3].reduce((sum, k) => sum + at(one(inputs), [i, k]) * at(one(inputs, 1), [k]), 0)),
    cases: [matrices([3, 4], [4])],
  },
];
