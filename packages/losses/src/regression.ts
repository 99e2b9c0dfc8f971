/** Losses of numbers against numbers, element by element: prediction and target must have one shape. Formulas are PyTorch's. */

import { abs, add, div, exp, less, lessEqual, log1p, mul, neg, square, sub, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber } from './arguments.ts';
import { elementwiseLoss } from './calculate.ts';
import type { ElementwiseOptions } from './calculate.ts';

/** `(prediction - target)²`: mean squared error. @throws ShapeError, ArgumentError */
export function mse(prediction: Tensor, target: Tensor, options: ElementwiseOptions = {}): Tensor {
  return elementwiseLoss('mse', prediction, target, options, (a, b) => square(sub(a, b)));
}

/** `|prediction - target|`: mean absolute error. Its gradient where they are equal is 0. @throws ShapeError, ArgumentError */
export function l1(prediction: Tensor, target: Tensor, options: ElementwiseOptions = {}): Tensor {
  return elementwiseLoss('l1', prediction, target, options, (a, b) => abs(sub(a, b)));
}

/** Options of {@link huber}. */
export interface HuberOptions extends ElementwiseOptions {
  /** Where the square becomes a line, above 0. Default 1. */
  readonly delta?: number;
}

/**
 * Half the square of a difference d up to δ, `δ(|d| - δ/2)` beyond. P. Huber, "Robust Estimation of a Location Parameter", 1964.
 *
 * @throws ShapeError, ArgumentError
 */
export function huber(prediction: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  const { delta = 1 } = options;
  requireNumber('huber', 'delta', delta, { above: 0 });
  return elementwiseLoss('huber', prediction, target, options, (a, b) => {
    const d = sub(a, b);
    const size = abs(d);
    return where(lessEqual(size, delta), mul(square(d), 0.5), mul(sub(size, 0.5 * delta), delta));
  });
}

/** Options of {@link smoothL1}. */
export interface SmoothL1Options extends ElementwiseOptions {
  /** Where the square becomes a line, at least 0; with 0 it is {@link l1}. Default 1. */
  readonly beta?: number;
}

/** The Huber loss over its δ: `d²/2β` below β, `|d| - β/2` from there on. R. Girshick, "Fast R-CNN", 2015. @throws ShapeError, ArgumentError */
export function smoothL1(prediction: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  const { beta = 1 } = options;
  requireNumber('smoothL1', 'beta', beta, { min: 0 });
  return elementwiseLoss('smoothL1', prediction, target, options, (a, b) => {
    const d = sub(a, b);
    const size = abs(d);
    return beta === 0 ? size : where(less(size, beta), div(mul(square(d), 0.5), beta), sub(size, 0.5 * beta));
  });
}

/** `log cosh(prediction - target)`, as `|d| + log(1 + e^(-2|d|)) - log 2`, which overflows nowhere. @throws ShapeError, ArgumentError */
export function logCosh(prediction: Tensor, target: Tensor, options: ElementwiseOptions = {}): Tensor {
  return elementwiseLoss('logCosh', prediction, target, options, (a, b) => logCoshOf(sub(a, b)));
}

/** `log cosh d`. The slope at 0 is that of |d|, 0, for both terms. */
function logCoshOf(d: Tensor): Tensor {
  const size = abs(d);
  return sub(add(size, log1p(exp(mul(neg(size), 2)))), Math.LN2);
}
