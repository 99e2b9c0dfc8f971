/** Specifications of medians and quantiles. */

import * as ops from './quantile.ts';
import type { Interpolation } from './quantile.ts';
import { array, foldAxes } from './specification.spec.ts';
import type { OpSpecification } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

const inOrder = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** Between the two sorted elements around place q · (n - 1). */
function quantileOf(values: readonly number[], q: number, interpolation: Interpolation): number {
  const place = q * (values.length - 1);
  const [low, high] = [Math.floor(place), Math.ceil(place)];
  const [a = NaN, b = NaN] = [inOrder(values)[low], inOrder(values)[high]];
  switch (interpolation) {
    case 'linear':
      return a + (b - a) * (place - low);
    case 'lower':
      return a;
    case 'higher':
      return b;
    case 'nearest':
      return place - low < 0.5 ? a : b;
    default:
      return (a + b) / 2;
  }
}

const middleOf = (values: readonly number[]): number => inOrder(values)[Math.floor((values.length - 1) / 2)] ?? NaN;

export const specifications: readonly OpSpecification[] = [
  {
    name: 'median',
    run: (...[x]) => ops.median(x as Tensor).values,
    reference: foldAxes([0, 1], false, middleOf),
    cases: [[{ dims: [3, 5] }], [{ dims: [2, 4] }]],
  },
  {
    name: 'median along an axis',
    run: (...[x]) => ops.median(x as Tensor, { axis: 1, keepDims: true }).values,
    reference: foldAxes([1], true, middleOf),
    cases: [[{ dims: [3, 5] }], [{ dims: [2, 4, 2] }]],
  },
  ...(['linear', 'lower', 'higher', 'nearest', 'midpoint'] as const).map((interpolation): OpSpecification => ({
    name: `quantile, ${interpolation}`,
    run: (...[x]) => ops.quantile(x as Tensor, 0.3, { axis: 0, interpolation }),
    reference: foldAxes([0], false, (values) => quantileOf(values, 0.3, interpolation)),
    cases: [[{ dims: [6] }], [{ dims: [4, 3] }]],
  })),
  {
    name: 'quantile, several',
    run: (...[x]) => ops.quantile(x as Tensor, [0.25, 0.9], { axis: 1 }),
    reference: (x) => {
      if (x === undefined) throw new Error('needs an input');
      const rows = foldAxes([1], false, (values) => quantileOf(values, 0.25, 'linear'))(x);
      const high = foldAxes([1], false, (values) => quantileOf(values, 0.9, 'linear'))(x);
      return array([2, ...rows.dims], ([which = 0, row = 0]) => (which === 0 ? rows : high).data[row] ?? NaN);
    },
    cases: [[{ dims: [3, 5] }]],
  },
];
