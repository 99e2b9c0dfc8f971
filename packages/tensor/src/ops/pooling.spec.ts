/** Specifications of pools, plain and adaptive, by brute force over windows. */

import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from './adaptive-pooling.ts';
import type { AdaptivePoolOptions } from './adaptive-pooling.ts';
import { lpPool1d, lpPool2d, lpPool3d, maxUnpool } from './unpooling.ts';
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d, maxPoolIndices } from './pooling.ts';
import { array, at } from './specification.spec.ts';
import type { OpSpecification } from './specification.spec.ts';
import { cells, input, outputSize } from './windows.spec.ts';
import type { Geometry } from './windows.spec.ts';
import type { Tensor } from '../tensor.ts';

const pool =
  (window: readonly number[], geometry: Geometry, f: (values: number[], cellCount: number) => number): OpSpecification['reference'] =>
  (...inputs) => {
    const x = input(inputs);
    const { stride = 1, padding = 0, dilation = 1 } = geometry;
    const spatial = x.dims.slice(2).map((size, i) => outputSize(size, window[i] ?? 1, geometry));
    return array([...x.dims.slice(0, 2), ...spatial], ([n = 0, c = 0, ...out]) => {
      const values = cells(window).map((cell) => at(x, [n, c, ...out.map((i, axis) => i * stride - padding + (cell[axis] ?? 0) * dilation)]));
      return f(
        values.filter((v) => !Number.isNaN(v)),
        values.length,
      );
    });
  };

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Windows from floor(i·n/o) up to ceil((i+1)·n/o). */
const adaptive =
  (size: readonly number[], f: (values: number[]) => number): OpSpecification['reference'] =>
  (...inputs) => {
    const x = input(inputs);
    return array([...x.dims.slice(0, 2), ...size], ([n = 0, c = 0, ...out]) => {
      const bounds = out.map((i, axis) => {
        const step = (x.dims[2 + axis] ?? 1) / (size[axis] ?? 1);
        return { start: Math.floor(i * step + 1e-9), end: Math.ceil((i + 1) * step - 1e-9) };
      });
      const window = cells(bounds.map(({ start, end }) => end - start));
      return f(window.map((cell) => at(x, [n, c, ...cell.map((i, axis) => i + (bounds[axis]?.start ?? 0))])));
    });
  };

const average = (values: readonly number[]): number => total(values) / values.length;

const adaptives = (
  name: string,
  run: (x: Tensor, options: AdaptivePoolOptions) => Tensor,
  f: (values: number[]) => number,
  cases: readonly { readonly dims: readonly number[]; readonly size: readonly number[] }[],
): OpSpecification[] =>
  cases.map(({ dims, size }) => ({
    name: `${name} of [${dims.join()}] to [${size.join()}]`,
    run: (...[x]: Tensor[]) => run(x as Tensor, { size }),
    reference: adaptive(size, f),
    cases: [[{ dims, low: -2, high: 2 }]],
  }));

export const specifications: readonly OpSpecification[] = [
  {
    name: 'maxPool1d',
    run: (x) => maxPool1d(x, { size: 3, stride: 2, padding: 1 }),
    reference: pool([3], { stride: 2, padding: 1 }, (v) => Math.max(...v)),
    cases: [[{ dims: [2, 2, 9], low: -2, high: 2 }]],
  },
  {
    name: 'maxPool2d',
    run: (x) => maxPool2d(x, { size: 2 }),
    reference: pool([2, 2], { stride: 2 }, (v) => Math.max(...v)),
    cases: [[{ dims: [2, 3, 5, 4], low: -2, high: 2 }]],
  },
  {
    name: 'maxPool2d, overlapping and dilated',
    run: (x) => maxPool2d(x, { size: [3, 2], stride: 1, padding: 1, dilation: 2 }),
    reference: pool([3, 2], { stride: 1, padding: 1, dilation: 2 }, (v) => Math.max(...v)),
    cases: [[{ dims: [1, 2, 6, 5], low: -2, high: 2 }]],
  },
  {
    name: 'avgPool1d',
    run: (x) => avgPool1d(x, { size: 3, stride: 1, padding: 1, countPadding: false }),
    reference: pool([3], { stride: 1, padding: 1 }, (v) => total(v) / v.length),
    cases: [[{ dims: [2, 2, 6], low: -2, high: 2 }]],
  },
  {
    name: 'avgPool2d',
    run: (x) => avgPool2d(x, { size: 2, padding: 1 }),
    reference: pool([2, 2], { stride: 2, padding: 1 }, (v, count) => total(v) / count),
    cases: [[{ dims: [2, 3, 5, 4], low: -2, high: 2 }]],
  },
  {
    name: 'maxPool3d',
    run: (x) => maxPool3d(x, { size: 2, stride: 1 }),
    reference: pool([2, 2, 2], {}, (v) => Math.max(...v)),
    cases: [[{ dims: [1, 2, 3, 2, 3], low: -2, high: 2 }]],
  },
  {
    name: 'avgPool3d',
    run: (x) => avgPool3d(x, { size: [1, 2, 2], stride: 1 }),
    reference: pool([1, 2, 2], {}, average),
    cases: [[{ dims: [1, 2, 2, 3, 3], low: -2, high: 2 }]],
  },
  {
    name: 'maxPoolIndices',
    run: (x) => maxPoolIndices(x, { size: 2, stride: 1, padding: 1 }),
    reference: (...inputs) => {
      const x = input(inputs);
      const plane = { dims: x.dims, data: Float64Array.from(x.data, (_, i) => i % 12) };
      return array([2, 2, 4, 5], ([n = 0, c = 0, h = 0, w = 0]) => {
        const inside = cells([2, 2])
          .map(([i = 0, j = 0]) => [n, c, h + i - 1, w + j - 1])
          .filter((cell) => !Number.isNaN(at(x, cell)));
        const numbers = inside.map((cell) => at(x, cell));
        return at(plane, inside[numbers.indexOf(Math.max(...numbers))] ?? []);
      });
    },
    cases: [[{ dims: [2, 2, 3, 4], low: -2, high: 2 }]],
    differentiable: false,
  },
  {
    name: 'avgPool2d with a divisor',
    run: (x) => avgPool2d(x, { size: 2, stride: 1, divisorOverride: 3 }),
    reference: pool([2, 2], {}, (v) => total(v) / 3),
    cases: [[{ dims: [1, 2, 3, 4], low: -2, high: 2 }]],
  },
  {
    name: 'avgPool1d with a window beyond the padding',
    run: (x) => avgPool1d(x, { size: 3, stride: 2, padding: 1, ceil: true }),
    // Windows begin at -1, 1, 3 and 5; the last has one cell of x and one of the padding.
    reference: (...inputs) => {
      const x = input(inputs);
      const cell = (i: number): number => at(x, [0, 0, i]);
      return array([1, 1, 4], ([, , o = 0]) =>
        o === 0 ? (cell(0) + cell(1)) / 3 : o === 3 ? cell(5) / 2 : (cell(2 * o - 1) + cell(2 * o) + cell(2 * o + 1)) / 3,
      );
    },
    cases: [[{ dims: [1, 1, 6], low: -2, high: 2 }]],
  },
  {
    name: 'maxUnpool',
    run: (x, places) => maxUnpool(x, places, { size: 2, outputSize: [5, 4] }),
    reference: (...inputs) => {
      const x = input(inputs);
      const places = input(inputs, 1);
      const result = array([1, 2, 5, 4], () => 0);
      x.data.forEach((value, i) => {
        result.data[20 * Math.floor(i / 4) + (places.data[i] ?? 0)] = value;
      });
      return result;
    },
    cases: [
      [
        { dims: [1, 2, 2, 2], low: -2, high: 2 },
        { dims: [1, 2, 2, 2], whole: true, values: [0, 3, 9, 14, 5, 2, 19, 11] },
      ],
    ],
  },
  ...[lpPool1d, lpPool2d, lpPool3d].map((run, i): OpSpecification => ({
    name: `lpPool${i + 1}d`,
    run: (x) => run(x, { size: 2, stride: 1, order: 3 }),
    reference: pool(
      Array.from({ length: i + 1 }, () => 2),
      {},
      (v) => Math.cbrt(total(v.map((x) => x ** 3))),
    ),
    cases: [[{ dims: [1, 2, ...[3, 4, 2].slice(0, i + 1)], low: 0.5, high: 2 }]],
    tolerance: 6e-6,
  })),
  ...adaptives('adaptiveAvgPool1d', adaptiveAvgPool1d, average, [
    { dims: [2, 2, 7], size: [3] },
    { dims: [1, 2, 6], size: [3] },
    { dims: [1, 2, 3], size: [5] },
    { dims: [2, 1, 5], size: [1] },
  ]),
  ...adaptives('adaptiveAvgPool2d', adaptiveAvgPool2d, average, [
    { dims: [1, 2, 5, 7], size: [2, 3] },
    { dims: [1, 2, 4, 6], size: [2, 2] },
    { dims: [2, 3, 4, 3], size: [1, 1] },
    { dims: [1, 1, 5, 4], size: [5, 3] },
  ]),
  ...adaptives('adaptiveAvgPool3d', adaptiveAvgPool3d, average, [{ dims: [1, 1, 3, 4, 2], size: [2, 3, 2] }]),
  ...adaptives('adaptiveMaxPool1d', adaptiveMaxPool1d, (v) => Math.max(...v), [
    { dims: [2, 2, 7], size: [3] },
    { dims: [1, 2, 6], size: [2] },
  ]),
  ...adaptives('adaptiveMaxPool2d', adaptiveMaxPool2d, (v) => Math.max(...v), [
    { dims: [1, 2, 5, 7], size: [2, 3] },
    { dims: [2, 2, 4, 4], size: [1, 1] },
  ]),
  ...adaptives('adaptiveMaxPool3d', adaptiveMaxPool3d, (v) => Math.max(...v), [{ dims: [1, 1, 3, 4, 2], size: [2, 3, 2] }]),
];
