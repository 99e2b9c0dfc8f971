/** Mean squared error. */

import { square, sub } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { reduceLoss, requireSameShape } from './reduction.ts';
import type { Reduction } from './reduction.ts';

/** `(prediction - target)²`, averaged over all elements. Shapes must be equal. @throws ShapeError */
export function mse(prediction: Tensor, target: Tensor, options: { readonly reduction?: Reduction } = {}): Tensor {
  requireSameShape('mse', prediction, target);
  return reduceLoss('mse', square(sub(prediction, target)), options.reduction ?? 'mean');
}
