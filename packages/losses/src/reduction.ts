/**
 * How the loss of each element becomes one number.
 *
 * With each loss l, its sample weight w (1 by default) and a mask that says which of them count:
 * `none` is w·l, `sum` is Σ w·l, `mean` and `sumOverBatchSize` are Σ w·l / the number that counts, `meanWithSampleWeight` is Σ w·l / Σ w.
 * The names of the last two are Keras'. Means of nothing are NaN, as in PyTorch; the gradients of what does not count are 0 even then.
 */

import { ArgumentError, ShapeError, div, isTensor, mean, mul, reshape, showValue, sum, toDType, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** `mean` (default), `sum`, `none` for the loss of each element, or Keras' `sumOverBatchSize` and `meanWithSampleWeight`. */
export type Reduction = 'mean' | 'sum' | 'none' | 'sumOverBatchSize' | 'meanWithSampleWeight';

/** Options of every loss. */
export interface LossOptions {
  /** Default `mean`: over all losses that count. */
  readonly reduction?: Reduction;
  /** What each loss is multiplied by: shaped like the losses of `reduction: 'none'`, or like their leading axes (one weight for each example). */
  readonly sampleWeight?: Tensor;
  /** Which losses count: bool, of the same shapes. What is left out, NaN as well, changes neither the loss nor a gradient. */
  readonly mask?: Tensor;
}

const REDUCTIONS: readonly string[] = ['mean', 'sum', 'none', 'sumOverBatchSize', 'meanWithSampleWeight'] satisfies readonly Reduction[];

/** @throws ArgumentError for another name */
export function requireReduction(op: string, reduction: string, more: readonly string[] = []): void {
  if (REDUCTIONS.includes(reduction) || more.includes(reduction)) return;
  const names = [...REDUCTIONS, ...more].map((name) => `'${name}'`);
  throw new ArgumentError({ op, expected: `reduction 'mean', 'sum' or 'none' (or ${names.slice(3).join(', ')})`, got: showValue(reduction) });
}

/** `given` with axes of size 1 behind its own, as many as `rank` asks for. */
export function withTrailingAxes(given: Tensor, rank: number): Tensor {
  return given.rank >= rank ? given : reshape(given, [...given.shape, ...Array.from({ length: rank - given.rank }, () => 1)]);
}

/** A weight or mask of losses of this shape, with as many axes. @throws ArgumentError, ShapeError */
export function forLosses(op: string, name: 'sampleWeight' | 'mask', given: Tensor | undefined, shape: readonly number[]): Tensor | undefined {
  if (given === undefined) return undefined;
  if (!isTensor(given)) throw new ArgumentError({ op, expected: `a tensor for ${name}`, got: showValue(given) });
  if (given.rank > shape.length || !given.shape.every((size, i) => size === shape[i]))
    throw new ShapeError({
      op,
      expected: `${name} of shape [${shape.join(', ')}], or of its leading axes`,
      got: `[${given.shape.join(', ')}]`,
      fix: given.size === shape.reduce((n, size) => n * size, 1) ? `${name}.reshape([${shape.join(', ')}])` : 'expand(…) it if that is meant.',
    });
  const counted = name === 'mask' && given.dtype !== 'bool' ? toDType(given, 'bool') : given;
  return withTrailingAxes(counted, shape.length);
}

/** The sum of a weight or mask over all losses, those of whole examples counted once for each loss of theirs. */
function totalOf(weights: Tensor, like: Tensor): Tensor {
  const spread = weights.size === like.size ? 1 : like.size / Math.max(1, weights.size);
  const total = sum(toDType(weights, like.dtype));
  return spread === 1 ? total : mul(total, spread);
}

/** Losses weighted, masked and reduced. @throws ArgumentError, ShapeError */
export function reduceLoss(op: string, each: Tensor, options: LossOptions): Tensor {
  const { reduction = 'mean' } = options;
  requireReduction(op, reduction);
  const sampleWeight = forLosses(op, 'sampleWeight', options.sampleWeight, each.shape);
  const mask = forLosses(op, 'mask', options.mask, each.shape);
  const weighted = sampleWeight === undefined ? each : mul(each, toDType(sampleWeight, each.dtype));
  const counted = mask === undefined ? weighted : where(mask, weighted, 0);
  switch (reduction) {
    case 'none':
      return counted;
    case 'sum':
      return sum(counted);
    case 'mean':
    case 'sumOverBatchSize':
      return mask === undefined ? mean(counted) : div(sum(counted), totalOf(mask, each));
    case 'meanWithSampleWeight': {
      if (sampleWeight === undefined) return mask === undefined ? mean(counted) : div(sum(counted), totalOf(mask, each));
      const used = mask === undefined ? sampleWeight : where(mask, sampleWeight, 0);
      return div(sum(counted), totalOf(used, each));
    }
    default:
      throw new ArgumentError({ op, expected: 'a reduction', got: String(reduction satisfies never) });
  }
}
