/** What elementwise functions and reductions refuse, and how they say so; and what they make of tensors without elements. */

import {
  ArgumentError,
  AxisError,
  DTypeError,
  ShapeError,
  bitwiseAnd,
  bitwiseNot,
  countNonzero,
  elu,
  celu,
  fmod,
  frac,
  glu,
  hardtanh,
  heaviside,
  hypot,
  leftShift,
  lerp,
  logaddexp,
  logcumsumexp,
  logit,
  median,
  nanmean,
  nansum,
  norm,
  polygamma,
  prelu,
  quantile,
  relu6,
  softmin,
  softshrink,
  tensor,
  threshold,
  zeros,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';

const x = tensor([[1, 2, 3]]);
const whole = tensor([1, 2], { dtype: 'int32' });
const flags = tensor([true, false], { dtype: 'bool' });
const empty = zeros([2, 0]);
/** As callers without types may write it. */
const wrong = (value: unknown): never => value as never;

type Refusal = readonly [what: string, call: () => unknown, error: new (parts: never) => Error, message: string];

const REFUSALS: readonly Refusal[] = [
  ['bits of floats', () => bitwiseAnd(x, x), DTypeError, '[bitwiseAnd] expected integers or bool, got float32'],
  ['bits with a fraction', () => bitwiseAnd(whole, 0.5), DTypeError, '[bitwiseAnd] expected integers or bool, got float32'],
  ['bits of shapes that do not broadcast', () => bitwiseAnd(whole, zeros([3], { dtype: 'int32' })), ShapeError, '[bitwiseAnd]'],
  ['not of floats', () => bitwiseNot(x), DTypeError, '[bitwiseNot]'],
  ['shifts of bool', () => leftShift(flags, flags), DTypeError, '[leftShift] expected integers, got bool'],
  ['the fraction of integers', () => frac(whole), DTypeError, '[frac] expected a floating-point tensor, got int32'],
  ['fmod of bool', () => fmod(flags, 2), DTypeError, '[fmod] expected numbers, got bool'],
  ['heaviside of bool', () => heaviside(flags, flags), DTypeError, '[heaviside]'],
  ['hypot of shapes that do not broadcast', () => hypot(x, zeros([2])), ShapeError, '[hypot]'],
  ['logaddexp of two numbers', () => logaddexp(1, 2), DTypeError, '[logaddexp] expected at least one tensor'],
  ['lerp of shapes that do not broadcast', () => lerp(x, zeros([2]), 0.5), ShapeError, '[lerp]'],
  ['logit with an eps above a half', () => logit(x, { eps: 0.6 }), ArgumentError, '[logit] expected eps from 0 to 0.5, got 0.6'],
  ['logit with a number for options', () => logit(x, wrong(0.1)), ArgumentError, '[logit] expected options, got 0.1'],
  ['polygamma of a fractional order', () => polygamma(0.5, x), ArgumentError, '[polygamma] expected an order from 0 to 8, got 0.5'],
  ['polygamma of a negative order', () => polygamma(-1, x), ArgumentError, '[polygamma]'],
  ['hardtanh with ends reversed', () => hardtanh(x, { min: 1, max: -1 }), ArgumentError, '[hardtanh] expected min below max (-1), got 1'],
  ['hardtanh of bool', () => hardtanh(flags), DTypeError, '[hardtanh]'],
  ['relu6 of bool', () => relu6(flags), DTypeError, '[relu6]'],
  ['elu with NaN', () => elu(x, { alpha: NaN }), ArgumentError, '[elu] expected alpha as a number, got NaN'],
  ['celu with alpha 0', () => celu(x, { alpha: 0 }), ArgumentError, '[celu] expected alpha other than 0, got 0'],
  ['softshrink with a negative lambda', () => softshrink(x, { lambda: -1 }), ArgumentError, '[softshrink] expected lambda of at least 0, got -1'],
  ['threshold without options', () => threshold(x, wrong(1)), ArgumentError, '[threshold] expected options, got 1'],
  ['threshold without a value', () => threshold(x, wrong({ threshold: 1 })), ArgumentError, '[threshold] expected value as a number'],
  ['prelu with too many weights', () => prelu(x, zeros([2])), ShapeError, '[prelu] expected a weight of one element or of [3]'],
  ['prelu with a matrix of weights', () => prelu(x, zeros([1, 3])), ShapeError, '[prelu]'],
  ['prelu with whole weights', () => prelu(x, tensor([1, 2, 3], { dtype: 'int32' })), DTypeError, '[prelu] expected a floating-point weight'],
  ['glu of an odd size', () => glu(x), ShapeError, '[glu] expected an even size along axis 1'],
  ['glu along an axis that is not there', () => glu(x, { axis: 2 }), AxisError, '[glu]'],
  ['softmin along an axis that is not there', () => softmin(x, { axis: 2 }), AxisError, '[softmin]'],
  ['norm of no order', () => norm(x, { p: NaN }), ArgumentError, '[norm] expected p as a number, got NaN'],
  ['norm of an order in words', () => norm(x, { p: wrong('fro') }), ArgumentError, '[norm] expected p as a number'],
  ['norm along an axis that is not there', () => norm(x, { axis: 2 }), AxisError, '[norm]'],
  ['norm with a number for options', () => norm(x, wrong(1)), ArgumentError, '[norm] expected options, got 1'],
  ['the largest of nothing', () => norm(empty, { p: Infinity, axis: 1 }), ShapeError, '[max] expected at least one element'],
  ['the median of nothing', () => median(empty, { axis: 1 }), ShapeError, '[median] expected at least one element to choose from, got size 0'],
  ['the median of no elements at all', () => median(empty), ShapeError, '[median]'],
  ['the median of bool', () => median(flags), DTypeError, '[median] expected numbers, got bool'],
  ['the median along an axis that is not there', () => median(x, { axis: 2 }), AxisError, '[median]'],
  ['a quantile of integers', () => quantile(whole, 0.5), DTypeError, '[quantile] expected a floating-point tensor'],
  ['a quantile above 1', () => quantile(x, 1.5), ArgumentError, '[quantile] expected q from 0 to 1, got 1.5'],
  ['a quantile of NaN', () => quantile(x, [0.5, NaN]), ArgumentError, '[quantile] expected q from 0 to 1, got NaN'],
  ['a quantile of nothing', () => quantile(empty, 0.5, { axis: 1 }), ShapeError, '[quantile]'],
  ['a quantile along an axis that is not there', () => quantile(x, 0.5, { axis: -3 }), AxisError, '[quantile]'],
  [
    'an interpolation that there is not',
    () => quantile(x, 0.3, { interpolation: wrong('cubic') }),
    ArgumentError,
    "[quantile] expected interpolation 'linear', 'lower', 'higher', 'nearest' or 'midpoint'",
  ],
  ['logcumsumexp along an axis that is not there', () => logcumsumexp(x, { axis: 2 }), AxisError, '[logcumsumexp]'],
  ['logcumsumexp without an axis', () => logcumsumexp(x, wrong({})), AxisError, '[logcumsumexp]'],
];

test.each(REFUSALS)('%s is refused', (_, call, error, message) => {
  expect(call).toThrow(error);
  expect(call).toThrow(message);
});

test.each<readonly [string, Tensor, readonly number[], readonly number[]]>([
  ['nansum along an empty axis', nansum(empty, { axis: 1 }), [2], [0, 0]],
  ['nanmean along an empty axis', nanmean(empty, { axis: 1 }), [2], [NaN, NaN]],
  ['nanmean of NaN alone', nanmean(tensor([NaN])), [], [NaN]],
  ['countNonzero along an empty axis', countNonzero(empty, { axis: 1 }), [2], [0, 0]],
  ['norm along an empty axis', norm(empty, { axis: 1 }), [2], [0, 0]],
  ['norm of order 3 along an empty axis', norm(empty, { axis: 1, p: 3 }), [2], [0, 0]],
  ['quantiles of empty rows', quantile(zeros([0, 3]), [0.2, 0.5], { axis: 1 }), [2, 0], []],
  ['medians of empty rows', median(zeros([0, 3]), { axis: 1 }).values, [0], []],
  ['glu of empty halves', glu(empty), [2, 0], []],
  ['logcumsumexp of nothing', logcumsumexp(empty, { axis: 1 }), [2, 0], []],
  ['no quantile', quantile(x, [], { axis: 1 }), [0, 1], []],
])('%s', (_, result, shape, values) => {
  expect(result.shape).toEqual(shape);
  expect([...result.dataSync()]).toEqual(values);
});
