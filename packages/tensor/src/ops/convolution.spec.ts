/** Specifications of convolutions and their transposes, by brute force over windows. */

import { conv1d, conv2d, conv3d } from './convolution.ts';
import { convTranspose1d, convTranspose2d, convTranspose3d } from './transposed-convolution.ts';
import { array, at } from './specification.spec.ts';
import type { OpSpecification } from './specification.spec.ts';
import { cells, input, outputSize } from './windows.spec.ts';
import type { Geometry } from './windows.spec.ts';
import type { Tensor } from '../tensor.ts';

interface GroupedGeometry extends Geometry {
  readonly groups?: number;
}

interface TransposedGeometry extends GroupedGeometry {
  readonly outputPadding?: number;
}

const convolution =
  (geometry: GroupedGeometry): OpSpecification['reference'] =>
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

/** Every cell of x adds its multiple of the filter to the result, where that lies inside. */
const transposed =
  (geometry: TransposedGeometry): OpSpecification['reference'] =>
  (...inputs) => {
    const x = input(inputs);
    const w = input(inputs, 1);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, outputPadding = 0 } = geometry;
    const [channels = 0, depth = 0, ...size] = w.dims;
    const spatial = size.map((k, i) => ((x.dims[2 + i] ?? 1) - 1) * stride - 2 * padding + dilation * (k - 1) + outputPadding + 1);
    return array([x.dims[0] ?? 0, depth * groups, ...spatial], ([n = 0, o = 0, ...out]) => {
      let sum = inputs.length > 2 ? at(input(inputs, 2), [o]) : 0;
      const group = Math.floor(o / depth);
      for (let c = (group * channels) / groups; c < ((group + 1) * channels) / groups; c++) {
        for (const cell of cells(size)) {
          const from = out.map((i, axis) => (i + padding - (cell[axis] ?? 0) * dilation) / stride);
          const value = from.every((i) => Number.isInteger(i)) ? at(x, [n, c, ...from]) : NaN;
          if (!Number.isNaN(value)) sum += value * at(w, [c, o - group * depth, ...cell]);
        }
      }
      return sum;
    });
  };

const conv = (
  name: string,
  run: (x: Tensor, w: Tensor, options: GroupedGeometry) => Tensor,
  x: readonly number[],
  w: readonly number[],
  geometry: GroupedGeometry = {},
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

const convT = (
  name: string,
  run: (x: Tensor, w: Tensor, options: TransposedGeometry) => Tensor,
  x: readonly number[],
  w: readonly number[],
  geometry: TransposedGeometry = {},
): OpSpecification => ({
  ...conv(name, run, x, w, geometry),
  reference: transposed(geometry),
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
  convT('convTranspose1d', convTranspose1d, [2, 3, 4], [3, 2, 3], { stride: 2, padding: 1, outputPadding: 1 }),
  convT('convTranspose2d', convTranspose2d, [2, 3, 3, 4], [3, 2, 3, 2]),
  convT('convTranspose2d', convTranspose2d, [1, 4, 3, 2], [4, 3, 2, 3], { stride: 3, groups: 2, dilation: 2, padding: 1, outputPadding: 2 }),
  convT('convTranspose3d', convTranspose3d, [1, 2, 2, 2, 3], [2, 2, 2, 2, 2], { stride: 2 }),
  {
    name: 'convTranspose2d with bias',
    run: (x, w, bias) => convTranspose2d(x, w, { bias: bias }),
    reference: transposed({}),
    cases: [
      [
        { dims: [2, 2, 3, 3], low: -1, high: 1 },
        { dims: [2, 3, 2, 2], low: -1, high: 1 },
        { dims: [3], low: -1, high: 1 },
      ],
    ],
    tolerance: 1e-5,
  },
];
