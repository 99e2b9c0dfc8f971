/** How a loss of each element becomes one number. */

import { ArgumentError, ShapeError, mean, sum } from '@gradus/tensor';
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

/** Refuses the silent broadcast of a prediction against its target. @throws ShapeError with the reshape to use */
export function requireSameShape(op: string, prediction: Tensor, target: Tensor): void {
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
