/** Specifications of activations made of pieces. */

import { unary } from './elementwise.spec.ts';
import { sigmoid } from './functions.spec.ts';
import * as ops from './rectifiers.ts';
import { array, at } from './specification.spec.ts';
import type { OpSpecification } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

const softplus = (x: number): number => Math.log1p(Math.exp(x));
const between = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x));
const exponentials = (values: readonly number[]): number => values.reduce((sum, x) => sum + Math.exp(-x), 0);

export const specifications: readonly OpSpecification[] = [
  unary('hardtanh', ops.hardtanh, (x) => between(x, -1, 1)),
  unary(
    'hardtanh from -2 to 0.5',
    (x: Tensor) => ops.hardtanh(x, { min: -2, max: 0.5 }),
    (x) => between(x, -2, 0.5),
  ),
  unary('relu6', ops.relu6, (x) => between(x, 0, 6), -4, 8),
  unary('elu', ops.elu, (x) => elu(x, 1)),
  unary(
    'elu with alpha',
    (x: Tensor) => ops.elu(x, { alpha: 0.3 }),
    (x) => elu(x, 0.3),
  ),
  unary(
    'celu',
    (x: Tensor) => ops.celu(x, { alpha: 0.7 }),
    (x) => (x > 0 ? x : 0.7 * Math.expm1(x / 0.7)),
  ),
  unary('selu', ops.selu, (x) => 1.0507009873554805 * elu(x, 1.6732632423543772)),
  unary('hardsigmoid', ops.hardsigmoid, (x) => between(x + 3, 0, 6) / 6, -5, 5),
  unary('hardswish', ops.hardswish, (x) => (x * between(x + 3, 0, 6)) / 6, -5, 5),
  unary('mish', ops.mish, (x) => x * Math.tanh(softplus(x))),
  unary('softsign', ops.softsign, (x) => x / (1 + Math.abs(x))),
  unary('tanhshrink', ops.tanhshrink, (x) => x - Math.tanh(x)),
  unary('softshrink', ops.softshrink, (x) => Math.sign(x) * Math.max(Math.abs(x) - 0.5, 0)),
  unary('hardshrink', ops.hardshrink, (x) => (Math.abs(x) <= 0.5 ? 0 : x)),
  unary(
    'threshold',
    (x: Tensor) => ops.threshold(x, { threshold: 0.3, value: -2 }),
    (x) => (x <= 0.3 ? -2 : x),
  ),
  {
    name: 'prelu',
    run: (...[x, w]) => ops.prelu(x as Tensor, w as Tensor),
    reference: (x, w) => {
      if (x === undefined || w === undefined) throw new Error('needs inputs');
      return array(x.dims, (index, flat) => {
        const value = x.data[flat] ?? NaN;
        const channel = x.dims.length > 1 ? (index[1] ?? 0) : (index[0] ?? 0);
        return value > 0 ? value : value * (w.data[w.data.length === 1 ? 0 : channel] ?? NaN);
      });
    },
    cases: [
      [{ dims: [2, 3, 4] }, { dims: [3], low: 0.1, high: 0.5 }],
      [{ dims: [2, 3] }, { dims: [], low: 0.1, high: 0.5 }],
      [{ dims: [5] }, { dims: [5], low: 0.1, high: 0.5 }],
    ],
  },
  {
    name: 'glu',
    run: (...[x]) => ops.glu(x as Tensor, { axis: 1 }),
    reference: (x) => {
      if (x === undefined) throw new Error('needs an input');
      const half = (x.dims[1] ?? 0) / 2;
      return array(x.dims.with(1, half), (index) => at(x, index) * sigmoid(at(x, index.with(1, (index[1] ?? 0) + half))));
    },
    cases: [[{ dims: [2, 4, 3], low: -2, high: 2 }]],
    tolerance: 4e-6,
  },
  {
    name: 'softmin',
    run: (...[x]) => ops.softmin(x as Tensor),
    reference: (x) => {
      if (x === undefined) throw new Error('needs an input');
      return array(x.dims, (index) => {
        const line = Array.from({ length: x.dims.at(-1) ?? 1 }, (_, i) => at(x, [...index.slice(0, -1), i]));
        return Math.exp(-at(x, index)) / exponentials(line);
      });
    },
    cases: [[{ dims: [3, 5], low: -2, high: 2 }]],
    tolerance: 4e-6,
  },
];
