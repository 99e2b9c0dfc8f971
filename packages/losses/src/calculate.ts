/**
 * The frame that losses are calculated in: 16-bit floats go through float32 and are rounded once, at the end; what a mask leaves out is
 * calculated at {@link NEUTRAL} instead of its own numbers, so that NaN and infinities there reach neither the loss nor a gradient.
 */

import { compose, expand, requireOptions, toDType, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireSameShape, requireTensors } from './arguments.ts';
import { forLosses, reduceLoss, requireReduction, withTrailingAxes } from './reduction.ts';
import type { LossOptions } from './reduction.ts';

/** A number that every loss is finite and smooth at: a probability, a variance, a rate. */
const NEUTRAL = 0.5;

const isHalf = ({ dtype }: Tensor): boolean => dtype === 'float16' || dtype === 'bfloat16';
const isFloat = ({ dtype }: Tensor): boolean => dtype.includes('float');

/** A value calculated with float32 in place of 16-bit floats, and rounded once to the float dtype that the inputs promote to. */
export function inFloat32(inputs: readonly Tensor[], loss: (...wide: readonly Tensor[]) => Tensor): Tensor {
  return compose(() => {
    if (!inputs.some(isHalf)) return loss(...inputs);
    const floats = new Set(inputs.filter(isFloat).map(({ dtype }) => dtype));
    const value = loss(...inputs.map((x) => (isHalf(x) ? toDType(x, 'float32') : x)));
    const [own] = floats;
    // Two that differ meet in float32 at least, which the loss then has.
    return own !== undefined && floats.size === 1 ? toDType(value, own) : value;
  });
}

/**
 * A loss of `each` of the elements or rows, reduced.
 *
 * @param shape of the losses of `each`: the leading axes of all inputs
 * @throws ArgumentError, ShapeError for options that do not fit
 */
export function reducedLoss(
  op: string,
  inputs: readonly Tensor[],
  shape: readonly number[],
  options: LossOptions,
  each: (...wide: readonly Tensor[]) => Tensor,
): Tensor {
  requireOptions(op, options, "{ reduction: 'sum' }");
  requireTensors(op, ...inputs);
  requireReduction(op, options.reduction ?? 'mean');
  return inFloat32(inputs, (...wide) => {
    const mask = forLosses(op, 'mask', options.mask, shape);
    const safe = mask === undefined ? wide : wide.map((x) => (isFloat(x) ? where(withTrailingAxes(mask, x.rank), x, NEUTRAL) : x));
    return reduceLoss(op, each(...safe), options);
  });
}

/** Options of losses of two tensors, element by element. */
export interface ElementwiseOptions extends LossOptions {
  /** Lets prediction and target broadcast against each other. Default false: they must have one shape. */
  readonly broadcast?: boolean;
}

/** A loss of each element of a prediction and its target. @throws ShapeError with the reshape to use */
export function elementwiseLoss(
  op: string,
  prediction: Tensor,
  target: Tensor,
  options: ElementwiseOptions,
  each: (prediction: Tensor, target: Tensor) => Tensor,
): Tensor {
  requireOptions(op, options, "{ reduction: 'sum' }");
  requireTensors(op, prediction, target);
  if (options.broadcast !== true) {
    requireSameShape(op, prediction, target);
    return reducedLoss(op, [prediction, target], prediction.shape, options, (a, b) => each(a, b));
  }
  const shape = broadcastShape(prediction.shape, target.shape);
  return compose(() => reducedLoss(op, [expand(prediction, shape), expand(target, shape)], shape, options, (a, b) => each(a, b)));
}

/** The larger of the sizes, aligned at the last axis; `expand` refuses what does not fit it. */
function broadcastShape(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  const sizes = (of: readonly number[]): readonly number[] => [...Array.from({ length: rank - of.length }, () => 1), ...of];
  const other = sizes(b);
  return sizes(a).map((size, i) => (size === 1 ? (other[i] ?? 1) : size));
}
