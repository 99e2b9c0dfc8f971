/** Trust ratios: the size of a step measured against the size of what it changes. LARS and LAMB treat each parameter as a layer. */

import { div, greater, logicalAnd, minimum, mul, sqrt, square, sum, where } from '@gradus/tensor';
import type { Operand, Tensor } from '@gradus/tensor';

/** The Euclidean norm of all elements, of rank 0. */
export function wholeNorm(t: Tensor): Tensor {
  return sqrt(sum(square(t)));
}

/** `over / under`, or 1 where either norm is 0. */
export function ratioOrOne(norms: readonly [Tensor, Tensor], over: Tensor, under: Tensor): Tensor {
  const [a, b] = norms;
  return where(logicalAnd(greater(a, 0), greater(b, 0)), div(over, under), 1);
}

/** At most 1 once divided by `unit`: clipping keeps a step from being larger than one without a ratio. */
export function clippedRatio(ratio: Tensor, unit: Operand): Tensor {
  return minimum(div(ratio, unit), 1);
}

/** `t` times a ratio of rank 0. */
export function scaled(t: Tensor, ratio: Tensor): Tensor {
  return mul(t, ratio.toDType(t.dtype));
}
