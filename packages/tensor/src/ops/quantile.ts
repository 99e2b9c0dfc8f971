/** Order statistics: medians and quantiles, from sorted places, so that gradients go back the way that values came. */

import { tensor } from '../creation.ts';
import { withRule } from '../define-op.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { withGradients } from '../graph/record.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { abs, add, div, equal, greater, isNaN, logicalAnd, logicalOr, mul, sub, where } from './arithmetic.ts';
import { normalizeAxis, requireFloat, requireOptions } from './arguments.ts';
import { toDType } from './convert.ts';
import { sum } from './expand.ts';
import { indexSelect, takeAlongAxis } from './indexing.ts';
import { permute } from './movement.ts';
import { any, inWideFloat } from './reduce.ts';
import { reshape, unsqueeze } from './reshape.ts';
import type { ValuesAndIndices } from './scan.ts';
import { argsort, sort } from './sort.ts';

/** Options of {@link median}. */
export interface MedianOptions {
  /** Default: over all elements, in row-major order. */
  readonly axis?: number;
  /** Keep the axis (all axes) with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** Of `axis`, which is kept with size 1: the value and its place. */
function medianAlong(x: Tensor, axis: number): ValuesAndIndices {
  const { dims } = nodeOf(x, 'median').shape;
  const size = dims[axis] ?? 1;
  const places = argsort(x, { axis });
  // The lower of two middles; NaN sorts last, and is the median if there is one.
  const nans = sum(isNaN(x), { axis, keepDims: true });
  const place = where(greater(nans, 0), sub(size, nans), Math.floor((size - 1) / 2));
  const indices = takeAlongAxis(places, place, { axis });
  return { values: takeAlongAxis(x, indices, { axis }), indices };
}

/** Over all elements of a vector, all elements that equal the median share its gradient. */
function medianOfAll(flat: Tensor): ValuesAndIndices {
  const { values, indices } = withGradients(false, () => medianAlong(flat, 0));
  const value = withRule(values, [flat], (g, [x], output) => {
    if (x === undefined) return [null];
    const winners = toDType(logicalOr(equal(x, output), logicalAnd(isNaN(x), isNaN(output))), x.dtype);
    return [mul(g, div(winners, sum(winners)))];
  });
  return { values: value, indices };
}

/**
 * The median along `axis`, the lower one of two, and the place that it comes from, as int32; NaN if there is one. The gradient goes to that
 * place. Without an axis: of all elements, with a place in row-major order; elements that equal it share the gradient.
 *
 * @throws AxisError; ShapeError for an empty axis; DTypeError on bool
 */
export function median(x: Tensor, options: MedianOptions = {}): ValuesAndIndices {
  requireOptions('median', options, '{ axis: 1 }');
  const { shape, dtype } = nodeOf(x, 'median');
  const { dims, rank, size } = shape;
  const axis = options.axis === undefined ? null : normalizeAxis('median', options.axis, rank);
  if (dtype === 'bool') throw new DTypeError({ op: 'median', expected: 'numbers', got: 'bool', fix: "cast it with toDType('int32')." });
  if ((axis === null ? size : dims[axis]) === 0)
    throw new ShapeError({
      op: 'median',
      expected: 'at least one element to choose from',
      got: axis === null ? 'none' : `size 0 along axis ${axis}`,
    });
  const kept = dims.map((n, i) => (axis === null || i === axis ? 1 : n));
  const result = options.keepDims === true ? kept : kept.filter((_, i) => axis !== null && i !== axis);
  return compose(() => {
    const { values, indices } = axis === null ? medianOfAll(reshape(x, [-1])) : medianAlong(x, axis);
    return { values: reshape(values, result), indices: reshape(indices, result) };
  });
}

/** What a quantile between two elements is: between them in proportion, one of the two, the nearer one (of a tie the even place), or half way. */
export type Interpolation = 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint';

/** Options of {@link quantile}. */
export interface QuantileOptions {
  /** Default: over all elements. */
  readonly axis?: number;
  /** Keep the axis (all axes) with size 1. Default false. */
  readonly keepDims?: boolean;
  /** Default 'linear'. */
  readonly interpolation?: Interpolation;
}

/** Two places among sorted elements, and how far the quantile is from the first to the second. */
interface Between {
  readonly lower: number;
  readonly upper: number;
  readonly weight: number;
}

const roundHalfToEven = (x: number): number => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

function placeOf(rank: number, interpolation: Interpolation): Between {
  const [lower, upper] = [Math.floor(rank), Math.ceil(rank)];
  const at = (place: number): Between => ({ lower: place, upper: place, weight: 0 });
  switch (interpolation) {
    case 'linear':
      return { lower, upper, weight: rank - lower };
    case 'midpoint':
      return { lower, upper, weight: lower === upper ? 0 : 0.5 };
    case 'lower':
      return at(lower);
    case 'higher':
      return at(upper);
    case 'nearest':
      return at(roundHalfToEven(rank));
    default:
      throw new ArgumentError({
        op: 'quantile',
        expected: "interpolation 'linear', 'lower', 'higher', 'nearest' or 'midpoint'",
        got: showValue(interpolation satisfies never),
      });
  }
}

/** Quantiles along `axis`, which comes first in the result: one entry for each. */
function quantilesAlong(x: Tensor, axis: number, places: readonly Between[]): Tensor {
  const { dtype, runtime, shape } = nodeOf(x, 'quantile');
  const sorted = sort(x, { axis }).values;
  const pick = (which: (place: Between) => number): Tensor => {
    const chosen = indexSelect(sorted, tensor(Int32Array.from(places, which), { device: runtime.backend }), { axis });
    return permute(chosen, [axis, ...shape.dims.flatMap((_, i) => (i === axis ? [] : [i]))]);
  };
  const lower = pick((place) => place.lower);
  let found = lower;
  if (places.some(({ weight }) => weight !== 0)) {
    const upper = pick((place) => place.upper);
    const column = [places.length, ...shape.dims.slice(1).map(() => 1)];
    const weight = tensor(
      places.map((place) => place.weight),
      { shape: column, dtype, device: runtime.backend },
    );
    // From the nearer end, as `lerp`; two equal infinities have no difference.
    const same = logicalAnd(equal(lower, upper), equal(abs(lower), Infinity));
    const distance = where(same, 0, sub(upper, lower));
    found = where(greater(0.5, weight), add(lower, mul(distance, weight)), sub(upper, mul(distance, sub(1, weight))));
  }
  return where(unsqueeze(any(isNaN(x), { axis }), 0), NaN, found);
}

/**
 * The value below which the fraction `q` of the elements lies, along `axis` (all elements by default): that of place `q · (n - 1)` among the
 * sorted ones. NaN if there is one. The gradient goes to the elements it lies between.
 *
 * @param q from 0 to 1, or several of them: then the result has a first axis more, for them
 * @throws ArgumentError, AxisError; DTypeError on integers and bool; ShapeError for an empty axis
 */
export function quantile(x: Tensor, q: number | readonly number[], options: QuantileOptions = {}): Tensor {
  requireOptions('quantile', options, '{ axis: 1 }');
  const { shape, dtype } = nodeOf(x, 'quantile');
  const { interpolation = 'linear', keepDims = false } = options;
  const axis = options.axis === undefined ? null : normalizeAxis('quantile', options.axis, shape.rank);
  requireFloat('quantile', dtype);
  const fractions = typeof q === 'number' ? [q] : [...q];
  for (const fraction of fractions) {
    if (!(fraction >= 0 && fraction <= 1)) throw new ArgumentError({ op: 'quantile', expected: 'q from 0 to 1', got: showValue(fraction) });
  }
  const size = axis === null ? shape.size : (shape.dims[axis] ?? 1);
  if (size === 0) throw new ShapeError({ op: 'quantile', expected: 'at least one element to choose from', got: 'none' });
  // Places are calculated in the dtype, as PyTorch does.
  const round = dtype === 'float64' ? (n: number) => n : Math.fround;
  const places = fractions.map((fraction) => placeOf(round(round(fraction) * (size - 1)), interpolation));
  return inWideFloat('quantile', x, (wide) => {
    const found = axis === null ? quantilesAlong(reshape(wide, [-1]), 0, places) : quantilesAlong(wide, axis, places);
    const restored = axis === null ? shape.dims.map(() => 1) : shape.dims.with(axis, 1);
    const rest = keepDims ? restored : restored.filter((_, i) => axis !== null && i !== axis);
    return reshape(found, typeof q === 'number' ? rest : [fractions.length, ...rest]);
  });
}
