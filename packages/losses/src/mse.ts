/** Mean squared error. */

import { requireOptions, square, sub } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { inFloat32, reduceLoss, requireSameShape } from './reduction.ts';
import type { Reduction } from './reduction.ts';

/** `(prediction - target)²`, averaged over all elements. Shapes must be equal. @throws ShapeError */
export function mse(prediction: Tensor, target: Tensor, options: { readonly reduction?: Reduction } = {}): Tensor {
  requireOptions('mse', options, "{ reduction: 'sum' }");
  requireSameShape('mse', prediction, target);
  return inFloat32(prediction, target, (a, b) => reduceLoss('mse', square(sub(a, b)), options.reduction ?? 'mean'));
}
