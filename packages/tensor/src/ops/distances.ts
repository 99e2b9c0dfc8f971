/** Distances between rows, and the covariance of variables. */

import { ArgumentError, ShapeError } from '../errors.ts';
import { broadcastShapes, shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { abs, clamp, div, equal, notEqual, pow, square, sub, where } from './arithmetic.ts';
import { requireOptions } from './arguments.ts';
import { toDType } from './convert.ts';
import { diagonal } from './diagonals.ts';
import { sum } from './expand.ts';
import { sqrt } from './functions.ts';
import { matmul } from './matmul.ts';
import { transpose } from './movement.ts';
import { inWideFloat, max, mean } from './reduce.ts';
import { promoteAll } from './promote-all.ts';
import { reshape, unsqueeze } from './reshape.ts';

/** `f` of positive numbers, 0 of 0, with gradient 0 there: the subgradient of distances between equal points. */
function awayFromZero(x: Tensor, f: (positive: Tensor) => Tensor): Tensor {
  const isZero = equal(x, 0);
  return where(isZero, 0, f(where(isZero, 1, x)));
}

/** The p-norm along the last axis. */
function distance(difference: Tensor, p: number): Tensor {
  const along = { axis: -1 };
  if (p === 0) return toDType(sum(notEqual(difference, 0), along), nodeOf(difference, 'cdist').dtype);
  if (p === 1) return sum(abs(difference), along);
  if (p === 2) return awayFromZero(sum(square(difference), along), sqrt);
  if (p === Infinity) return difference.shape.at(-1) === 0 ? sum(difference, along) : max(abs(difference), along);
  const powers = awayFromZero(abs(difference), (d) => pow(d, p));
  return awayFromZero(sum(powers, along), (s) => pow(s, 1 / p));
}

/**
 * The p-norm (default 2) of the difference of every row of `a` and every row of `b`: `[..., P, R]`, leading axes broadcast.
 *
 * Differences are taken one by one and summed in one pass, without a tensor of them; never by `|a|² + |b|² - 2ab`, which loses half of the digits
 * of small distances. `p: 0` counts coordinates that differ, `p: Infinity` takes the largest. Where points are equal the gradient is 0.
 *
 * @param a `[..., P, M]` @param b `[..., R, M]`
 * @throws ShapeError; ArgumentError for p below 0
 */
export function cdist(a: Tensor, b: Tensor, options: { readonly p?: number } = {}): Tensor {
  requireOptions('cdist', options, '{ p: 1 }');
  const x = nodeOf(a, 'cdist').shape;
  const y = nodeOf(b, 'cdist').shape;
  const { p = 2 } = options;
  if (!(p >= 0)) throw new ArgumentError({ op: 'cdist', expected: 'p of at least 0', got: showValue(p) });
  if (x.rank < 2 || y.rank < 2 || x.dims.at(-1) !== y.dims.at(-1))
    throw new ShapeError({ op: 'cdist', expected: '[..., P, M] and [..., R, M]', got: `${showDims(x.dims)} and ${showDims(y.dims)}` });
  broadcastShapes('cdist', shapeOf(x.dims.slice(0, -2)), shapeOf(y.dims.slice(0, -2)));
  return compose(() => {
    const [left, right] = promoteAll('cdist', [a, b]) as [Tensor, Tensor];
    return inWideFloat('cdist', sub(unsqueeze(left, -2), unsqueeze(right, -3)), (difference) => distance(difference, p));
  });
}

/**
 * The covariance of variables, the rows of `x`, over observations, its columns: `[variables, variables]`; of a vector, its variance, of rank 0.
 *
 * @param options.correction subtracted from the number of observations, default 1
 * @throws ShapeError for more than two axes
 */
export function cov(x: Tensor, options: { readonly correction?: number } = {}): Tensor {
  requireOptions('cov', options, '{ correction: 0 }');
  const { dims, rank } = nodeOf(x, 'cov').shape;
  if (rank > 2) throw new ShapeError({ op: 'cov', expected: 'at most two axes', got: showDims(dims) });
  const observations = rank === 0 ? 1 : (dims.at(-1) ?? 0);
  return inWideFloat('cov', x, (wide) => {
    const rows = reshape(wide, [rank === 2 ? (dims[0] ?? 0) : 1, observations]);
    const centred = sub(rows, mean(rows, { axis: 1, keepDims: true }));
    const products = div(matmul(centred, transpose(centred)), Math.max(0, observations - (options.correction ?? 1)));
    return rank === 2 ? products : reshape(products, []);
  });
}

/** Correlation coefficients of variables, the rows of `x`, from -1 to 1: `[variables, variables]`; of a vector 1, of rank 0. NaN for constant ones. @throws ShapeError for more than two axes */
export function corrcoef(x: Tensor): Tensor {
  const { dims, rank } = nodeOf(x, 'corrcoef').shape;
  if (rank > 2) throw new ShapeError({ op: 'corrcoef', expected: 'at most two axes', got: showDims(dims) });
  return inWideFloat('corrcoef', x, (wide) => {
    const c = cov(wide);
    if (rank < 2) return div(c, c);
    const deviations = sqrt(diagonal(c));
    const scaled = div(div(c, unsqueeze(deviations, 1)), unsqueeze(deviations, 0));
    return clamp(scaled, { min: -1, max: 1 });
  });
}
