/**
 * Activations made of pieces, and the smooth ones built of other functions, with PyTorch's defaults. At their kinks gradients are PyTorch's:
 * what is said of each below. 16-bit floats are calculated in float32 and rounded once.
 *
 * Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2015 (elu); Klambauer et al., "Self-Normalizing
 * Neural Networks", 2017 (selu); Barron, "Continuously Differentiable Exponential Linear Units", 2017 (celu); Howard et al., "Searching for
 * MobileNetV3", 2019 (hardswish); Misra, "Mish", 2019; He et al., "Delving Deep into Rectifiers", 2015 (prelu); Dauphin et al., "Language
 * Modeling with Gated Convolutional Networks", 2016 (glu).
 */

import { isFloat } from '@gradus/backend';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { abs, add, div, greater, less, lessEqual, greaterEqual, logicalAnd, logicalOr, mul, neg, sub, where } from './arithmetic.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { expm1, sigmoid, softplus, tanh } from './functions.ts';
import { slice } from './movement.ts';
import { inWideFloat } from './reduce.ts';
import { reshape } from './reshape.ts';
import { softmax } from './softmax.ts';

/** Integers stay integers where they can; bool is no number. */
function requireNumbers(op: string, x: Tensor): void {
  if (nodeOf(x, op).dtype === 'bool') throw new DTypeError({ op, expected: 'numbers', got: 'bool', fix: "cast it with toDType('float32')." });
}

function requireNumber(op: string, name: string, value: number, fits: boolean, expected: string): void {
  if (typeof value !== 'number' || !fits) throw new ArgumentError({ op, expected: `${name} ${expected}`, got: showValue(value) });
}

/** x cut off at both ends, which have gradient 0. */
const between = (x: Tensor, low: number, high: number): Tensor => where(lessEqual(x, low), low, where(greaterEqual(x, high), high, x));

/** `min(max(x, min), max)`, default -1 and 1; unlike `clamp`, with gradient 0 at both ends. @throws ArgumentError unless min < max */
export function hardtanh(x: Tensor, options: { readonly min?: number; readonly max?: number } = {}): Tensor {
  requireOptions('hardtanh', options, '{ min: -1, max: 1 }');
  const { min = -1, max = 1 } = options;
  requireNumber('hardtanh', 'min', min, min < max, `below max (${max})`);
  requireNumbers('hardtanh', x);
  return compose(() => between(x, min, max));
}

/** `min(max(x, 0), 6)`, with gradient 0 at 0 and at 6. */
export function relu6(x: Tensor): Tensor {
  requireNumbers('relu6', x);
  return compose(() => between(x, 0, 6));
}

/** `positive` above 0, `scale · expm1(x / width)` elsewhere: nothing overflows, and neither do gradients. */
function exponentialBelow(x: Tensor, scale: number, width: number, positive: Tensor): Tensor {
  const isPositive = greater(x, 0);
  const below = where(isPositive, 0, x);
  const curve = expm1(width === 1 ? below : div(below, width));
  return where(isPositive, positive, scale === 1 ? curve : mul(curve, scale));
}

/** x above 0, `alpha · (exp(x) - 1)` elsewhere (default alpha 1), with that side's gradient at 0. @throws ArgumentError */
export function elu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  requireOptions('elu', options, '{ alpha: 1 }');
  const { alpha = 1 } = options;
  requireNumber('elu', 'alpha', alpha, !Number.isNaN(alpha), 'as a number');
  return inWideFloat('elu', x, (wide) => exponentialBelow(wide, alpha, 1, wide));
}

/** x above 0, `alpha · (exp(x / alpha) - 1)` elsewhere (default alpha 1), with gradient 1 at 0. @throws ArgumentError for alpha 0 */
export function celu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  requireOptions('celu', options, '{ alpha: 1 }');
  const { alpha = 1 } = options;
  requireNumber('celu', 'alpha', alpha, alpha !== 0, 'other than 0');
  return inWideFloat('celu', x, (wide) => exponentialBelow(wide, alpha, alpha, wide));
}

/** From the paper: the fixed point of mean 0 and variance 1. */
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** `1.0507 · elu(x)` with alpha 1.6733, which keep mean 0 and variance 1 from layer to layer; at 0 the gradient is that from below. */
export function selu(x: Tensor): Tensor {
  return inWideFloat('selu', x, (wide) => exponentialBelow(wide, SELU_ALPHA * SELU_SCALE, 1, mul(wide, SELU_SCALE)));
}

/** `min(max(x + 3, 0), 6) / 6`, with gradient 0 at both ends. */
export function hardsigmoid(x: Tensor): Tensor {
  return inWideFloat('hardsigmoid', x, (wide) => where(lessEqual(wide, -3), 0, where(greaterEqual(wide, 3), 1, div(add(wide, 3), 6))));
}

/** `x · hardsigmoid(x)`, 0 at -Infinity; the gradient at -3 is that from above, at 3 too. */
export function hardswish(x: Tensor): Tensor {
  return inWideFloat('hardswish', x, (wide) => {
    const [below, above] = [less(wide, -3), greaterEqual(wide, 3)];
    // What is not between is left out of the product, whose gradient would be 0 · ∞.
    const middle = where(logicalOr(below, above), 0, wide);
    return where(below, 0, where(above, wide, div(mul(middle, add(middle, 3)), 6)));
  });
}

/** `x · tanh(softplus(x))`. */
export function mish(x: Tensor): Tensor {
  return inWideFloat('mish', x, (wide) => mul(wide, tanh(softplus(wide))));
}

/** `x / (1 + |x|)`. */
export function softsign(x: Tensor): Tensor {
  return inWideFloat('softsign', x, (wide) => div(wide, add(abs(wide), 1)));
}

/** `x - tanh(x)`. */
export function tanhshrink(x: Tensor): Tensor {
  return inWideFloat('tanhshrink', x, (wide) => sub(wide, tanh(wide)));
}

/** x brought nearer to 0 by `lambda` (default 0.5), 0 where that would go past it; NaN stays. @throws ArgumentError for a negative lambda */
export function softshrink(x: Tensor, options: { readonly lambda?: number } = {}): Tensor {
  requireOptions('softshrink', options, '{ lambda: 0.5 }');
  const { lambda = 0.5 } = options;
  requireNumber('softshrink', 'lambda', lambda, lambda >= 0, 'of at least 0');
  // x · 0 rather than 0, for NaN.
  return inWideFloat('softshrink', x, (wide) =>
    where(greater(wide, lambda), sub(wide, lambda), where(less(wide, -lambda), add(wide, lambda), mul(wide, 0))),
  );
}

/** x where it is beyond ±`lambda` (default 0.5), else 0; NaN stays. @throws ArgumentError */
export function hardshrink(x: Tensor, options: { readonly lambda?: number } = {}): Tensor {
  requireOptions('hardshrink', options, '{ lambda: 0.5 }');
  const { lambda = 0.5 } = options;
  requireNumber('hardshrink', 'lambda', lambda, !Number.isNaN(lambda), 'as a number');
  requireNumbers('hardshrink', x);
  return compose(() => where(logicalAnd(greaterEqual(x, -lambda), lessEqual(x, lambda)), 0, x));
}

/** x where it is above `threshold`, else `value`, which has gradient 0; NaN stays. @throws ArgumentError */
export function threshold(x: Tensor, options: { readonly threshold: number; readonly value: number }): Tensor {
  requireOptions('threshold', options, '{ threshold: 0.1, value: 0 }');
  requireNumber('threshold', 'threshold', options.threshold, !Number.isNaN(options.threshold), 'as a number');
  requireNumber('threshold', 'value', options.value, true, 'as a number');
  requireNumbers('threshold', x);
  return compose(() => where(lessEqual(x, options.threshold), options.value, x));
}

/**
 * x above 0, `weight · x` elsewhere; the gradients at 0 are those from below.
 *
 * @param x `[N, C, …]`, any shape for a weight of one element
 * @param weight one element, or `[C]`, one for each channel (axis 1; axis 0 of a tensor of rank 1)
 * @throws ShapeError, DTypeError
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const { dims, rank } = nodeOf(x, 'prelu').shape;
  const { shape: slopes, dtype } = nodeOf(weight, 'prelu');
  if (!isFloat(dtype))
    throw new DTypeError({ op: 'prelu', expected: 'a floating-point weight', got: dtype, fix: "cast it with toDType('float32')." });
  const axis = rank > 1 ? 1 : 0;
  const channels = dims[axis] ?? 1;
  if (slopes.rank > 1 || (slopes.size !== 1 && slopes.size !== channels))
    throw new ShapeError({
      op: 'prelu',
      expected: `a weight of one element or of [${channels}], the channels of ${showDims(dims)}`,
      got: showDims(slopes.dims),
    });
  return compose(() => {
    const placed = reshape(weight, slopes.size === 1 ? [] : dims.map((_, i) => (i === axis ? channels : 1)));
    return where(greater(x, 0), x, mul(x, placed));
  });
}

/** `a · sigmoid(b)` of the two halves of `x` along `axis` (default the last). @throws AxisError; ShapeError for an odd size */
export function glu(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  requireOptions('glu', options, '{ axis: 1 }');
  const { dims, rank } = nodeOf(x, 'glu').shape;
  const axis = normalizeAxis('glu', options.axis ?? -1, rank);
  const size = dims[axis] ?? 0;
  if (size % 2 !== 0) throw new ShapeError({ op: 'glu', expected: `an even size along axis ${axis}`, got: showDims(dims) });
  const before = Array.from({ length: axis }, () => null);
  return inWideFloat('glu', x, (wide) => mul(slice(wide, [...before, { end: size / 2 }]), sigmoid(slice(wide, [...before, { start: size / 2 }]))));
}

/** `softmax(-x)` along `axis` (default the last). @throws AxisError */
export function softmin(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  requireOptions('softmin', options, '{ axis: 1 }');
  const axis = normalizeAxis('softmin', options.axis ?? -1, nodeOf(x, 'softmin').shape.rank);
  return inWideFloat('softmin', x, (wide) => softmax(neg(wide), { axis }));
}
