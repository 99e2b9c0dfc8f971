/** Specifications of convolutions and pools, by brute force over windows. */

import { conv1d, conv2d, conv3d } from './convolution.ts';
import { avgPool1d, avgPool2d, maxPool1d, maxPool2d } from './pooling.ts';
import { array, at } from './specification.spec.ts';
import type { OpSpecification, Reference } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

interface Geometry {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

const input = (inputs: readonly Reference[], i = 0): Reference => {
  const x = inputs[i];
  if (x === undefined) throw new Error('missing input');
  return x;
};

/** Every cell of a window. */
function cells(size: readonly number[]): number[][] {
  const all: number[][] = [];
  array(size, (index) => {
    all.push([...index]);
    return 0;
  });
  return all;
}

const outputSize = (size: number, window: number, { stride = 1, padding = 0, dilation = 1 }: Geometry): number =>
  Math.floor((size + 2 * padding - dilation * (window - 1) - 1) / stride) + 1;

const convolution =
  (geometry: Geometry): OpSpecification['reference'] =>
  (...inputs) => {
    const x = input(inputs);
    const w = input(inputs, 1);
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = geometry;
    const spatial = x.dims.slice(2).map((size, i) => outputSize(size, w.dims[2 + i] ?? 1, geometry));
    const filters = (w.dims[0] ?? 1) / groups;
    return array([x.dims[0] ?? 0, w.dims[0] ?? 0, ...spatial], ([n = 0, o = 0, ...out]) => {
      let sum = inputs.length > 2 ? at(input(inputs, 2), [o]) : 0;
      for (let c = 0; c < (w.dims[1] ?? 0); c++) {
        for (const cell of cells(w.dims.slice(2))) {
          const place = out.map((i, axis) => i * stride - padding + (cell[axis] ?? 0) * dilation);
          const value = at(x, [n, Math.floor(o / filters) * (w.dims[1] ?? 0) + c, ...place]);
          if (!Number.isNaN(value)) sum += value * at(w, [o, c, ...cell]);
        }
      }
      return sum;
    });
  };

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

const conv = (
  name: string,
  run: (x: Tensor, w: Tensor, options: Geometry) => Tensor,
  x: readonly number[],
  w: readonly number[],
  geometry: Geometry = {},
): OpSpecification => ({
  name: `${name} ${JSON.stringify(geometry)}`,
  run: (a, b) => run(a, b, geometry),
  reference: convolution(geometry),
  cases: [
    [
      { dims: x, low: -1, high: 1 },
      { dims: w, low: -1, high: 1 },
    ],
  ],
  tolerance: 1e-5,
});

export const specifications: readonly OpSpecification[] = [
  conv('conv1d', conv1d, [2, 3, 7], [4, 3, 3], { padding: 1, stride: 2 }),
  conv('conv2d', conv2d, [2, 3, 5, 4], [4, 3, 3, 3]),
  conv('conv2d', conv2d, [2, 2, 5, 4], [3, 2, 3, 2], { padding: 1, stride: 2 }),
  conv('conv2d', conv2d, [1, 4, 6, 5], [6, 2, 2, 3], { groups: 2, dilation: 2, padding: 2 }),
  conv('conv2d', conv2d, [2, 3, 4, 4], [3, 1, 3, 3], { groups: 3, padding: 1 }),
  conv('conv3d', conv3d, [1, 2, 3, 4, 3], [2, 2, 2, 2, 2], { padding: 1 }),
  {
    name: 'conv2d with bias',
    run: (x, w, bias) => conv2d(x, w, { bias: bias }),
    reference: convolution({}),
    cases: [
      [
        { dims: [2, 2, 4, 4], low: -1, high: 1 },
        { dims: [3, 2, 3, 3], low: -1, high: 1 },
        { dims: [3], low: -1, high: 1 },
      ],
    ],
    tolerance: 1e-5,
  },
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
];
