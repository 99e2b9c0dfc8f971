/** Specifications of reductions, softmax and its relatives. */

import { sum } from './expand.ts';
import * as ops from './reduce.ts';
import { logSoftmax, logSumExp, softmax } from './softmax.ts';
import { array, at, foldAxes } from './specification.spec.ts';
import type { OpSpecification, Reference } from './specification.spec.ts';
import { norm } from './vector-norm.ts';
import type { Tensor } from '../tensor.ts';

const CASES: readonly { readonly dims: readonly number[]; readonly axis: readonly number[]; readonly keepDims: boolean }[] = [
  { dims: [7], axis: [0], keepDims: false },
  { dims: [3, 5], axis: [1], keepDims: false },
  { dims: [3, 5], axis: [0], keepDims: true },
  { dims: [2, 3, 4], axis: [0, 2], keepDims: false },
  { dims: [2, 1, 3], axis: [1], keepDims: true },
  { dims: [2, 2], axis: [0, 1], keepDims: false },
];

type Options = { readonly axis: readonly number[]; readonly keepDims: boolean };

/** One specification for each set of axes. */
const reduction = (
  name: string,
  run: (x: Tensor, options: Options) => Tensor,
  f: (values: number[]) => number,
  more: Partial<OpSpecification> = {},
): OpSpecification[] =>
  CASES.map(({ dims, axis, keepDims }) => ({
    name: `${name} over ${axis.join()} of [${dims.join()}]${keepDims ? ', kept' : ''}`,
    run: (...[x]) => run(x as Tensor, { axis, keepDims }),
    reference: foldAxes(axis, keepDims, f),
    cases: [[{ dims, low: 0.5, high: 2 }]],
    ...more,
  }));

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const average = (values: readonly number[]): number => total(values) / values.length;
const spread = (values: readonly number[], correction: number): number =>
  total(values.map((v) => (v - average(values)) ** 2)) / (values.length - correction);
const logTotal = (values: readonly number[]): number => Math.log(total(values.map(Math.exp)));

/** Values along `axis`, given those along it. */
const alongAxis =
  (axis: number, f: (x: number, line: number[]) => number) =>
  (x: Reference | undefined): Reference => {
    if (x === undefined) throw new Error('needs an input');
    return array(x.dims, (index) => {
      const line = Array.from({ length: x.dims[axis] ?? 1 }, (_, i) => at(x, index.with(axis, i)));
      return f(at(x, index), line);
    });
  };

/** Over the last axis, with NaN in the first row. */
const withNaN = (name: string, run: (x: Tensor, options: Options) => Tensor, f: (values: number[]) => number): OpSpecification[] => [
  {
    name,
    run: (...[x]) => run(x as Tensor, { axis: [1], keepDims: false }),
    reference: foldAxes([1], false, (values) => f(values.filter((x) => !Number.isNaN(x)))),
    cases: [[{ dims: [3, 4], low: 0.5, high: 2, values: [NaN, 1.5, NaN, 0.25] }]],
  },
  ...reduction(name, run, f),
];

const withEnoughValues = (specification: OpSpecification): boolean => !specification.name.includes('of [2,1,3]');

export const specifications: readonly OpSpecification[] = [
  ...reduction('sum', sum, total),
  ...reduction('mean', ops.mean, average),
  ...reduction('prod', ops.prod, (v) => v.reduce((a, b) => a * b, 1), { tolerance: 4e-6 }),
  ...reduction('max', ops.max, (v) => Math.max(...v)),
  ...reduction('min', ops.min, (v) => Math.min(...v)),
  ...reduction('variance', ops.variance, (v) => spread(v, 1), { tolerance: 1e-5 }).filter(withEnoughValues),
  ...reduction(
    'variance, biased',
    (x, o) => ops.variance(x, { ...o, correction: 0 }),
    (v) => spread(v, 0),
    { tolerance: 1e-5 },
  ),
  ...reduction('std', ops.std, (v) => Math.sqrt(spread(v, 1)), { tolerance: 1e-5 }).filter(withEnoughValues),
  ...reduction('norm', norm, (v) => Math.hypot(...v)),
  ...[1, 3, 2.5, -2].flatMap((p) =>
    reduction(
      `norm, p ${p},`,
      (x, o) => norm(x, { ...o, p }),
      (v) => total(v.map((x) => Math.abs(x) ** p)) ** (1 / p),
      { tolerance: 1e-5 },
    ),
  ),
  ...reduction(
    'norm, largest,',
    (x, o) => norm(x, { ...o, p: Infinity }),
    (v) => Math.max(...v),
  ),
  ...reduction(
    'norm, smallest,',
    (x, o) => norm(x, { ...o, p: -Infinity }),
    (v) => Math.min(...v),
  ),
  ...reduction(
    'norm, count,',
    (x, o) => norm(x, { ...o, p: 0 }),
    (v) => v.length,
    { differentiable: false },
  ),
  ...reduction('countNonzero', ops.countNonzero, (v) => v.filter((x) => x !== 0).length, { differentiable: false }),
  ...withNaN('nansum', ops.nansum, (v) => total(v)),
  ...withNaN('nanmean', ops.nanmean, average),
  ...reduction('logSumExp', logSumExp, logTotal),
  ...reduction('any', ops.any, (v) => Number(v.some((x) => x !== 0)), { differentiable: false }),
  ...reduction('all', ops.all, (v) => Number(v.every((x) => x !== 0)), { differentiable: false }),
  {
    name: 'softmax',
    run: (x) => softmax(x, { axis: 1 }),
    reference: alongAxis(1, (x, line) => Math.exp(x) / total(line.map(Math.exp))),
    cases: [[{ dims: [3, 5], low: -2, high: 2 }], [{ dims: [2, 4, 3], low: -2, high: 2 }]],
  },
  {
    name: 'logSoftmax',
    run: (x) => logSoftmax(x),
    reference: (x) => alongAxis((x?.dims.length ?? 1) - 1, (v, line) => v - logTotal(line))(x),
    cases: [[{ dims: [3, 5], low: -2, high: 2 }], [{ dims: [4], low: -2, high: 2 }]],
    tolerance: 1e-5,
  },
];
