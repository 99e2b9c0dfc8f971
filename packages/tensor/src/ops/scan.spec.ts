/** Specifications of running folds, by brute force over what each place covers. */

import { cummax, cummin, cumprod, cumsum, logcumsumexp } from './scan.ts';
import type { ScanOptions } from './scan.ts';
import { array, at } from './specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

/** `f` of the line up to each place along `axis`; with `reverse` from it on, nearest last; with `exclusive` without it. */
const running =
  ({ axis, reverse = false, exclusive = false }: ScanOptions, f: (covered: number[]) => number): OpSpecification['reference'] =>
  (x?: Reference) => {
    if (x === undefined) throw new Error('needs an input');
    const size = x.dims[axis] ?? 1;
    return array(x.dims, (index) => {
      const place = index[axis] ?? 0;
      const places = reverse ? Array.from({ length: size - place }, (_, i) => size - 1 - i) : Array.from({ length: place + 1 }, (_, i) => i);
      return f((exclusive ? places.slice(0, -1) : places).map((i) => at(x, index.with(axis, i))));
    });
  };

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

const DIRECTIONS: readonly Omit<ScanOptions, 'axis'>[] = [{}, { reverse: true }, { exclusive: true }, { reverse: true, exclusive: true }];

const SHAPES: readonly { readonly dims: readonly number[]; readonly axis: number }[] = [
  { dims: [7], axis: 0 },
  { dims: [2, 5], axis: 1 },
  { dims: [3, 2, 2], axis: 0 },
  { dims: [2, 1], axis: 1 },
  { dims: [2, 0], axis: 1 },
];

const scans = (name: string, run: (x: Tensor, o: ScanOptions) => Tensor, f: (values: number[]) => number): OpSpecification[] =>
  DIRECTIONS.flatMap((direction) =>
    SHAPES.map(({ dims, axis }) => ({
      name: `${name} ${JSON.stringify({ axis, ...direction })} of [${dims.join()}]`,
      run: (...[x]: Tensor[]) => run(x as Tensor, { axis, ...direction }),
      reference: running({ axis, ...direction }, f),
      cases: [[{ dims, low: 0.5, high: 2 }]],
      tolerance: 4e-6,
    })),
  );

/** Values with zeros among them, one, two and none in a row. */
const WITH_ZEROS: InputSpecification = { dims: [3, 5], values: [2, 0, 3, -1, 0.5, 0, 2, 0, 3, 1, 1.5, -2, 0.5, 3, 2] };

export const specifications: readonly OpSpecification[] = [
  ...scans('cumsum', cumsum, total),
  ...scans('cumprod', cumprod, product),
  ...DIRECTIONS.map((direction): OpSpecification => ({
    name: `cumprod ${JSON.stringify(direction)} with zeros`,
    run: (x) => cumprod(x, { axis: 1, ...direction }),
    reference: running({ axis: 1, ...direction }, product),
    cases: [[WITH_ZEROS]],
  })),
  ...SHAPES.map(({ dims, axis }): OpSpecification => ({
    name: `logcumsumexp along ${axis} of [${dims.join()}]`,
    run: (x) => logcumsumexp(x, { axis }),
    reference: running({ axis }, (v) => Math.log(total(v.map(Math.exp)))),
    cases: [[{ dims, low: -2, high: 2 }]],
    tolerance: 4e-6,
  })),
  {
    name: 'cumsum of integers',
    run: (x) => cumsum(x, { axis: 0 }),
    reference: running({ axis: 0 }, total),
    cases: [[{ dims: [9, 2], low: -5, high: 5, whole: true }]],
    differentiable: false,
  },
  {
    name: 'cummax',
    run: (x) => cummax(x, { axis: 1 }).values,
    reference: running({ axis: 1 }, (v) => Math.max(...v)),
    cases: [[{ dims: [3, 6], low: -2, high: 2 }], [{ dims: [2, 5, 2], low: -2, high: 2 }]],
  },
  {
    name: 'cummax indices',
    run: (x) => cummax(x, { axis: 1 }).indices,
    reference: running({ axis: 1 }, (v) => v.lastIndexOf(Math.max(...v))),
    cases: [[{ dims: [3, 6], low: -2, high: 2 }], [{ dims: [3, 9], low: 0, high: 4, whole: true }]],
    differentiable: false,
  },
  {
    name: 'cummin',
    run: (x) => cummin(x, { axis: 0 }).values,
    reference: running({ axis: 0 }, (v) => Math.min(...v)),
    cases: [[{ dims: [6, 3], low: -2, high: 2 }]],
  },
  {
    name: 'cummin indices',
    run: (x) => cummin(x, { axis: 0 }).indices,
    reference: running({ axis: 0 }, (v) => v.lastIndexOf(Math.min(...v))),
    cases: [[{ dims: [9, 3], low: 0, high: 4, whole: true }]],
    differentiable: false,
  },
];
