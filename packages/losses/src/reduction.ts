/** How a loss of each element becomes one number. */

import { ArgumentError, ShapeError, compose, isTensor, mean, showValue, sum, toDType } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** `mean` (default), `sum`, or `none` for the loss of each element. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Reduces over all elements. @throws ArgumentError for another name */
export function reduceLoss(op: string, each: Tensor, reduction: Reduction): Tensor {
  switch (reduction) {
    case 'mean':
      return mean(each);
    case 'sum':
      return sum(each);
    case 'none':
      return each;
    default:
      throw new ArgumentError({ op, expected: "reduction 'mean', 'sum' or 'none'", got: String(reduction satisfies never) });
  }
}

/** @throws ArgumentError unless both are tensors */
export function requireTensors(op: string, prediction: Tensor, target: Tensor): void {
  if (isTensor(prediction) && isTensor(target)) return;
  throw new ArgumentError({
    op,
    expected: 'two tensors',
    got: showValue(isTensor(prediction) ? target : prediction),
    fix: "make one with tensor(…); of class indices with tensor(…, { dtype: 'int32' }).",
  });
}

/** Refuses the silent broadcast of a prediction against its target. @throws ShapeError with the reshape to use */
export function requireSameShape(op: string, prediction: Tensor, target: Tensor): void {
  requireTensors(op, prediction, target);
  const a = prediction.shape;
  const b = target.shape;
  if (a.length === b.length && a.every((size, i) => size === b[i])) return;
  const fits = prediction.size === target.size;
  throw new ShapeError({
    op,
    expected: 'prediction and target of one shape',
    got: `[${a.join(', ')}] and [${b.join(', ')}]`,
    fix: fits ? `target.reshape([${a.join(', ')}])` : 'broadcast one of them with expand(…) if that is meant.',
  });
}

const isHalf = ({ dtype }: Tensor): boolean => dtype === 'float16' || dtype === 'bfloat16';

/** A loss calculated with float32 in place of 16-bit floats, and rounded once, at the end, to the float dtype that the two promote to. */
export function inFloat32(prediction: Tensor, target: Tensor, loss: (prediction: Tensor, target: Tensor) => Tensor): Tensor {
  if (!isHalf(prediction) && !isHalf(target)) return loss(prediction, target);
  const widened = (t: Tensor): Tensor => (isHalf(t) ? toDType(t, 'float32') : t);
  const floats = new Set([prediction.dtype, target.dtype].filter((dtype) => dtype.includes('float')));
  const [own] = floats;
  return compose(() => {
    const value = loss(widened(prediction), widened(target));
    // Two that differ meet in float32 at least, which the loss then has.
    return own !== undefined && floats.size === 1 ? toDType(value, own) : value;
  });
}
