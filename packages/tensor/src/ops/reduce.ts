/** Reductions, and what is built of them: statistics, counts, sums without NaN. */

import { isFloat } from '@gradus/backend';
import { ShapeError } from '../errors.ts';
import { row } from '../graph/op.ts';
import type { GradientContext, OpRow } from '../graph/op.ts';
import { floatOf } from '../graph/promotion.ts';
import { record } from '../graph/record.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { div, equal, greater, isNaN, logicalAnd, logicalNot, mul, notEqual, square, sub, where } from './arithmetic.ts';
import { normalizeAxes, requireOptions } from './arguments.ts';
import type { ReduceOptions } from './arguments.ts';
import { toDType } from './convert.ts';
import { reduceLowering, reduction, restore, sum } from './expand.ts';
import { sqrt } from './functions.ts';

/** Ties share the gradient equally, as PyTorch's `amax`. */
const extremeGradient = (g: Tensor, { inputs, output, attribute }: GradientContext): readonly (Tensor | null)[] => {
  const x = inputs[0] as Tensor;
  const winners = toDType(equal(x, restore(output, attribute, x.shape)), x.dtype);
  const { axes } = attribute as { readonly axes: readonly number[] };
  const count = sum(winners, { axis: axes, keepDims: true });
  return [mul(restore(g, attribute, x.shape), div(winners, count))];
};

const MAX: OpRow = /* @__PURE__ */ row({
  name: 'max',
  lowering: /* @__PURE__ */ reduceLowering('max'),
  gradient: extremeGradient,
  residuals: 'both',
});
const MIN: OpRow = /* @__PURE__ */ row({
  name: 'min',
  lowering: /* @__PURE__ */ reduceLowering('min'),
  gradient: extremeGradient,
  residuals: 'both',
});
const PROD: OpRow = /* @__PURE__ */ row({
  name: 'prod',
  lowering: /* @__PURE__ */ reduceLowering('prod'),
  residuals: 'both',
  gradient: (g, { inputs, output, attribute }) => {
    // Each element's gradient is the product of the others: the quotient where it is not 0, else the product with it left out.
    const x = inputs[0] as Tensor;
    const { axes } = attribute as { readonly axes: readonly number[] };
    const isZero = equal(x, 0);
    const others = prod(where(isZero, 1, x), { axis: axes, keepDims: true });
    const zeros = sum(isZero, { axis: axes, keepDims: true });
    const quotient = div(restore(output, attribute, x.shape), where(isZero, 1, x));
    const alone = where(logicalAnd(isZero, equal(zeros, 1)), others, 0);
    return [mul(restore(g, attribute, x.shape), where(isZero, alone, quotient))];
  },
});

function extreme(op: OpRow, x: Tensor, options: ReduceOptions): Tensor {
  const node = nodeOf(x, op.name);
  const { shape, attribute } = reduction(op.name, node.shape, options);
  const axes = normalizeAxes(op.name, options.axis, node.shape.rank);
  if (axes.some((axis) => node.shape.dims[axis] === 0))
    throw new ShapeError({ op: op.name, expected: 'at least one element to choose from', got: `size 0 along axis ${axes.join()}` });
  if (node.dtype === 'bool') return toDType(extreme(op, toDType(x, 'uint8'), options), 'bool');
  return record(op, [node], shape, node.dtype, attribute);
}

/** The largest value along `axis` (all by default); NaN if there is one. Ties share the gradient. @throws AxisError; ShapeError for an empty axis */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  return extreme(MAX, x, options);
}

/** The smallest value along `axis` (all by default); NaN if there is one. @throws AxisError; ShapeError for an empty axis */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return extreme(MIN, x, options);
}

/** The product along `axis` (all by default); 1 for none. Small integers multiply as int32. @throws AxisError */
export function prod(x: Tensor, options: ReduceOptions = {}): Tensor {
  const node = nodeOf(x, 'prod');
  if (!isFloat(node.dtype) && node.dtype !== 'int32' && node.dtype !== 'uint32') return prod(toDType(x, 'int32'), options);
  const { shape, attribute } = reduction('prod', node.shape, options);
  return record(PROD, [node], shape, node.dtype, attribute);
}

/** How many elements each result is made of. */
export function countOf(op: string, x: Tensor, options: ReduceOptions): number {
  const { dims, rank } = nodeOf(x, op).shape;
  requireOptions(op, options, '{ axis: 1 }');
  return normalizeAxes(op, options.axis, rank).reduce((n, axis) => n * (dims[axis] ?? 1), 1);
}

/**
 * `f` of `x` in float32 (float64 in itself), rounded to the dtype of `x` once, at the end: 16-bit floats leave their range and lose
 * count in sums long before the results do. Integers and bool give float32.
 */
export function inWideFloat(op: string, x: Tensor, f: (wide: Tensor) => Tensor): Tensor {
  return compose(() => {
    const dtype = floatOf(nodeOf(x, op).dtype);
    return toDType(f(toDType(x, dtype === 'float64' ? dtype : 'float32')), dtype);
  });
}

/** The mean along `axis` (all by default), as a float; NaN for none. @throws AxisError */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const count = countOf('mean', x, options);
  return inWideFloat('mean', x, (wide) => div(sum(wide, options), count));
}

/** Options of variance and standard deviation. */
export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count: 1 for the unbiased estimate (default), 0 for the mean square deviation. */
  readonly correction?: number;
}

/** The variance along `axis`, in two passes. NaN where there are no more elements than `correction`. @throws AxisError */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  const degrees = Math.max(0, countOf('variance', x, options) - (options.correction ?? 1));
  return inWideFloat('variance', x, (wide) => {
    const deviation = sub(wide, mean(wide, { ...options, keepDims: true }));
    return div(sum(square(deviation), options), degrees);
  });
}

/** The square root, with gradient 0 at 0: the subgradient that norms have there, where the root alone gives NaN (0 · ∞) for x². */
export function rootOfSquares(squares: Tensor): Tensor {
  const isZero = equal(squares, 0);
  return where(isZero, 0, sqrt(where(isZero, 1, squares)));
}

/** The standard deviation along `axis`: the root of {@link variance}. Its gradient where all are equal is 0, as in PyTorch. */
export function std(x: Tensor, options: VarianceOptions = {}): Tensor {
  return inWideFloat('std', x, (wide) => rootOfSquares(variance(wide, options)));
}

/** Is any true (not 0)? bool; false for none. */
export function any(x: Tensor, options: ReduceOptions = {}): Tensor {
  return compose(() => greater(sum(toDType(x, 'bool'), options), 0));
}

/** Are all true (not 0)? bool; true for none. */
export function all(x: Tensor, options: ReduceOptions = {}): Tensor {
  return compose(() => equal(sum(logicalNot(x), options), 0));
}

/** How many elements are not 0, along `axis` (all by default), as int32; NaN is not 0. @throws AxisError */
export function countNonzero(x: Tensor, options: ReduceOptions = {}): Tensor {
  return compose(() => sum(notEqual(x, 0), options));
}

const withoutNaN = (x: Tensor): Tensor => (isFloat(nodeOf(x, 'nansum').dtype) ? where(isNaN(x), 0, x) : x);

/** The sum along `axis` (all by default) of what is not NaN, which has gradient 0. Integers and bool add up as int32. @throws AxisError */
export function nansum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return compose(() => sum(withoutNaN(x), options));
}

/** The mean along `axis` (all by default) of what is not NaN, as a float; NaN for none. @throws AxisError */
export function nanmean(x: Tensor, options: ReduceOptions = {}): Tensor {
  return inWideFloat('nanmean', x, (wide) => div(sum(withoutNaN(wide), options), sum(logicalNot(isNaN(wide)), options)));
}
