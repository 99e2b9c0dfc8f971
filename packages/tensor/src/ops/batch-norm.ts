/**
 * Batch normalisation in its two halves: statistics of a batch, and normalising by statistics, be they the batch's or running ones.
 * Ioffe and Szegedy, "Batch Normalization", 2015; semantics of PyTorch.
 */

import { defineOp, sameAs } from '../define-op.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { floatOf, promote } from '../graph/promotion.ts';
import { fullLike } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { requireOptions } from './arguments.ts';
import { add, div, mul, neg, square, sub } from './arithmetic.ts';
import { toDType } from './convert.ts';
import { sum } from './expand.ts';
import { rsqrt, sqrt } from './functions.ts';
import { mean } from './reduce.ts';
import { reshape } from './reshape.ts';

/** The number of channels of x `[N, C, ...]`. @throws ShapeError */
function channelsOf(op: string, x: Tensor): number {
  const { dims, rank } = nodeOf(x, op).shape;
  if (rank < 2) throw new ShapeError({ op, expected: 'x of shape [N, C, …]', got: showDims(dims), fix: 'unsqueeze a single example at axis 0.' });
  return dims[1] ?? 0;
}

/** Sizes with which `[C]` broadcasts against x: channels at axis 1. */
const perChannel = (x: Tensor): Dims => x.shape.map((size, axis) => (axis === 1 ? size : 1));

/** In float32, float64 as itself. */
const widened = (t: Tensor): Tensor => toDType(t, t.dtype === 'float64' ? 'float64' : 'float32');

/** All axes of x but the channels'. */
const axesBeside = (x: Tensor): number[] => Array.from({ length: x.rank }, (_, i) => i).filter((axis) => axis !== 1);

/**
 * The mean square of x around its mean, per channel. Its rule leaves the way through the mean out: deviations from it add up to 0, which
 * autodiff would find out by summing them.
 */
const meanSquareAround = /* @__PURE__ */ defineOp({
  name: 'batch variance',
  shape: ([, center = []]) => center,
  decompose: (x: Tensor, center: Tensor) => mean(square(sub(x, center)), { axis: axesBeside(x), keepDims: true }),
  grad: (g, [x, center]) => [mul(mul(g, (2 * center.size) / x.size), sub(x, center)), null],
});

/** Both sums that the gradients are made of are those of weight and bias, so one pass over x and g gives all but the gradient of x. */
const normalizeBy = (eps: number): ((x: Tensor, center: Tensor, variance: Tensor, weight: Tensor, bias: Tensor) => Tensor) =>
  defineOp({
    name: 'batchNorm',
    shape: sameAs(0),
    decompose: (x: Tensor, center: Tensor, variance: Tensor, weight: Tensor, bias: Tensor) =>
      add(mul(div(sub(x, center), sqrt(add(variance, eps))), weight), bias),
    grad: (g, [x, center, variance, weight]) => {
      const along = { axis: axesBeside(x), keepDims: true };
      const r = rsqrt(add(variance, eps));
      const ofWeight = sum(mul(g, mul(sub(x, center), r)), along);
      const ofBias = sum(g, along);
      const factor = mul(weight, r);
      return [mul(g, factor), neg(mul(ofBias, factor)), mul(mul(ofWeight, mul(factor, r)), -0.5), ofWeight, ofBias];
    },
  });

/** Mean and variance of each channel. */
export interface BatchStatistics {
  /** `[C]` */
  readonly mean: Tensor;
  /** Biased: divided by the count. `[C]` */
  readonly variance: Tensor;
}

/**
 * Mean and biased variance of each channel, over all axes but axis 1, in two passes. Differentiable; in float32 at least.
 *
 * @param x `[N, C, ...]`
 * @throws ShapeError
 */
export function batchStatistics(x: Tensor): BatchStatistics {
  const channels = channelsOf('batchStatistics', x);
  return compose(() => {
    const wide = widened(x);
    const center = mean(wide, { axis: axesBeside(x), keepDims: true });
    return { mean: reshape(center, [channels]), variance: reshape(meanSquareAround(wide, center), [channels]) };
  });
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions {
  /** Factor of each channel, `[C]`. Default 1. */
  readonly weight?: Tensor | null;
  /** Added to each channel, `[C]`. Default 0. */
  readonly bias?: Tensor | null;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/**
 * x normalised channel by channel: `(x - mean) / sqrt(variance + eps) · weight + bias`.
 *
 * For training pass the batch's own statistics, of {@link batchStatistics}, which gradients go through; for evaluation the running ones.
 * x, weight and bias promote to one float dtype, which the result has; 16-bit floats are calculated in float32.
 *
 * @param x `[N, C, ...]`
 * @param center mean of each channel, `[C]`
 * @param variance variance of each channel, `[C]`
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function batchNorm(x: Tensor, center: Tensor, variance: Tensor, options: BatchNormOptions = {}): Tensor {
  requireOptions('batchNorm', options, '{ weight, bias, eps: 1e-3 }');
  const channels = channelsOf('batchNorm', x);
  const { weight = null, bias = null, eps = 1e-5 } = options;
  if (!(Number.isFinite(eps) && eps >= 0)) throw new ArgumentError({ op: 'batchNorm', expected: 'a finite eps of at least 0', got: showValue(eps) });
  for (const [name, t] of Object.entries({ mean: center, variance, weight, bias })) {
    const dims = t === null ? [channels] : nodeOf(t, 'batchNorm').shape.dims;
    if (dims.length !== 1 || dims[0] !== channels)
      throw new ShapeError({ op: 'batchNorm', expected: `${name} of shape [${channels}]`, got: showDims(dims) });
  }
  return compose(() => {
    const dtype = floatOf([weight, bias].reduce((d, t) => (t === null ? d : promote('batchNorm', d, t.dtype)), x.dtype));
    const wide = widened(x);
    const per = (t: Tensor | null, otherwise: number): Tensor =>
      t === null ? fullLike(nodeOf(wide, 'batchNorm'), otherwise, shapeOf(perChannel(x))) : reshape(toDType(t, wide.dtype), perChannel(x));
    return toDType(normalizeBy(eps)(wide, per(center, 0), per(variance, 1), per(weight, 1), per(bias, 0)), dtype);
  });
}
