/** What layers ask of their input, before anything is calculated or changed. */

import { DTypeError } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/**
 * Refuses an input of another dtype than the layer's own tensors, as PyTorch does. Ops promote; a layer's result, statistics and gradients
 * would change their dtype with the data.
 *
 * @throws DTypeError with the cast to use
 */
export function requireDTypeOf(op: string, x: Tensor, own: Tensor): void {
  if (x.dtype === own.dtype) return;
  throw new DTypeError({
    op,
    expected: `x of dtype ${own.dtype}, which its parameters have`,
    got: x.dtype,
    fix: `cast it with toDType('${own.dtype}').`,
  });
}
