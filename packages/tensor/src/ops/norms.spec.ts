/** Specifications of normalisations: the formulas of PyTorch's documentation, row by row or channel by channel. */

import { batchNorm, batchStatistics } from './batch-norm.ts';
import { groupNorm, layerNorm, rmsNorm } from './norms.ts';
import { array, at } from './specification.spec.ts';
import type { OpSpecification, Reference } from './specification.spec.ts';

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const average = (values: readonly number[]): number => total(values) / values.length;
const spread = (values: readonly number[]): number => average(values.map((v) => (v - average(values)) ** 2));

/** Rows of `size` elements, each element from its row and its place there. */
function byRow(x: Reference, size: number, f: (value: number, row: readonly number[], place: number) => number): Reference {
  return array(x.dims, (_, flat) => {
    const start = flat - (flat % size);
    return f(x.data[flat] ?? NaN, [...x.data.subarray(start, start + size)], flat - start);
  });
}

const element = (t: Reference | undefined, place: number, otherwise: number): number => (t === undefined ? otherwise : (t.data[place] ?? NaN));

const layerNormOf =
  (size: number, eps: number): OpSpecification['reference'] =>
  (x, weight, bias) =>
    byRow(x, size, (v, row, i) => ((v - average(row)) / Math.sqrt(spread(row) + eps)) * element(weight, i, 1) + element(bias, i, 0));

const rmsNormOf =
  (size: number, eps: number): OpSpecification['reference'] =>
  (x, weight) =>
    byRow(x, size, (v, row, i) => (v / Math.sqrt(average(row.map((a) => a * a)) + eps)) * element(weight, i, 1));

/** Values of channel c. */
const channel = (x: Reference, c: number): number[] => {
  const values: number[] = [];
  array(x.dims, (index) => (index[1] === c ? values.push(at(x, index)) : 0));
  return values;
};

const batchNormOf: OpSpecification['reference'] = (x, center, variance, weight, bias) =>
  array(x.dims, (index) => {
    const c = index[1] ?? 0;
    const normal = (at(x, index) - element(center, c, 0)) / Math.sqrt(element(variance, c, 0) + 1e-3);
    return normal * element(weight, c, 1) + element(bias, c, 0);
  });

const batchStatisticOf =
  (f: (values: readonly number[]) => number): OpSpecification['reference'] =>
  (x) =>
    array([x?.dims[1] ?? 0], ([c = 0]) => f(channel(x, c)));

const X = { low: -2, high: 2 };
const W = { low: 0.5, high: 1.5 };

/** Differences of few values: gradients of a normalised pair vanish, so rows have at least 3. */
export const specifications: readonly OpSpecification[] = [
  {
    name: 'layerNorm',
    run: (x, weight, bias) => layerNorm(x, { weight, bias }),
    reference: layerNormOf(5, 1e-5),
    cases: [
      [{ dims: [3, 5], ...X }, { dims: [5], ...W }, { dims: [5] }],
      [{ dims: [2, 2, 5], ...X }, { dims: [5], ...W }, { dims: [5] }],
    ],
    tolerance: 1e-5,
  },
  {
    name: 'layerNorm without weight',
    run: (x) => layerNorm(x, { eps: 0.1 }),
    reference: layerNormOf(4, 0.1),
    cases: [[{ dims: [3, 4], ...X }], [{ dims: [4], ...X }], [{ dims: [0, 4] }]],
    tolerance: 1e-5,
  },
  {
    name: 'layerNorm over two axes',
    run: (x, weight) => layerNorm(x, { weight, normalizedShape: [2, 3] }),
    reference: layerNormOf(6, 1e-5),
    cases: [
      [
        { dims: [3, 2, 3], ...X },
        { dims: [2, 3], ...W },
      ],
      [
        { dims: [2, 3], ...X },
        { dims: [2, 3], ...W },
      ],
    ],
    tolerance: 1e-5,
  },
  {
    name: 'rmsNorm',
    run: (x, weight) => rmsNorm(x, { weight, eps: 1e-6 }),
    reference: rmsNormOf(5, 1e-6),
    cases: [
      [
        { dims: [3, 5], ...X },
        { dims: [5], ...W },
      ],
      [
        { dims: [2, 2, 5], ...X },
        { dims: [5], ...W },
      ],
    ],
    tolerance: 1e-5,
  },
  {
    name: 'rmsNorm without weight',
    run: (x) => rmsNorm(x, { eps: 0.1, normalizedShape: [2, 2] }),
    reference: rmsNormOf(4, 0.1),
    cases: [[{ dims: [3, 2, 2], ...X }], [{ dims: [0, 2, 2] }]],
    tolerance: 1e-5,
  },
  {
    name: 'groupNorm',
    run: (x, weight, bias) => groupNorm(x, { groups: 2, weight, bias }),
    reference: (x, weight, bias) => {
      const [N, C, ...rest] = x.dims as [number, number, ...number[]];
      const area = rest.reduce((n, size) => n * size, 1);
      const normal = layerNormOf((C / 2) * area, 1e-5)({ dims: [N * C * area], data: x.data });
      return array(x.dims, ([, c = 0], flat) => (normal.data[flat] ?? NaN) * element(weight, c, 1) + element(bias, c, 0));
    },
    cases: [
      [{ dims: [2, 4, 3], ...X }, { dims: [4], ...W }, { dims: [4] }],
      [{ dims: [2, 6], ...X }, { dims: [6], ...W }, { dims: [6] }],
    ],
    tolerance: 1e-5,
  },
  {
    name: 'batchNorm',
    run: (x, center, variance, weight, bias) => batchNorm(x, center, variance, { weight, bias, eps: 1e-3 }),
    reference: batchNormOf,
    cases: [
      [{ dims: [4, 3], ...X }, { dims: [3] }, { dims: [3], ...W }, { dims: [3], ...W }, { dims: [3] }],
      [{ dims: [2, 3, 2, 2], ...X }, { dims: [3] }, { dims: [3], ...W }, { dims: [3], ...W }, { dims: [3] }],
    ],
    tolerance: 1e-5,
  },
  {
    name: 'batchNorm by the statistics of the batch',
    run: (x) => {
      const { mean, variance } = batchStatistics(x);
      return batchNorm(x, mean, variance);
    },
    reference: (x) =>
      array(x.dims, (index) => {
        const values = channel(x, index[1] ?? 0);
        return (at(x, index) - average(values)) / Math.sqrt(spread(values) + 1e-5);
      }),
    cases: [[{ dims: [5, 3], ...X }], [{ dims: [2, 3, 2], ...X }]],
    tolerance: 1e-5,
  },
  {
    name: 'batchStatistics, mean',
    run: (x) => batchStatistics(x).mean,
    reference: batchStatisticOf(average),
    cases: [[{ dims: [4, 3], ...X }], [{ dims: [2, 3, 2, 2], ...X }]],
  },
  {
    name: 'batchStatistics, variance',
    run: (x) => batchStatistics(x).variance,
    reference: batchStatisticOf(spread),
    cases: [[{ dims: [4, 3], ...X }], [{ dims: [2, 3, 2, 2], ...X }]],
    tolerance: 1e-5,
  },
];
