/** What layers ask of their sizes and of their input, before anything is calculated or changed. */

import { ArgumentError, DTypeError, isTensor, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** @throws ArgumentError unless each is a whole number of at least `least` */
export function requireSizes(op: string, sizes: Readonly<Record<string, number>>, least: number): void {
  const wrong = Object.entries(sizes).find(([, size]) => !(Number.isSafeInteger(size) && size >= least));
  if (wrong === undefined) return;
  throw new ArgumentError({
    op,
    expected: `a whole number of at least ${least} for ${wrong[0]}`,
    got: showValue(wrong[1]),
    fix: `call new ${op}(${Object.keys(sizes).join(', ')}, …).`,
  });
}

/**
 * Refuses an input of another dtype than the layer's own tensors, as PyTorch does. Ops promote; a layer's result, statistics and gradients
 * would change their dtype with the data.
 *
 * @throws DTypeError with the cast to use; ArgumentError for what is no tensor
 */
export function requireDTypeOf(op: string, x: Tensor, own: Tensor): void {
  if (!isTensor(x)) throw new ArgumentError({ op, expected: 'a tensor', got: showValue(x), fix: 'make one with tensor(…).' });
  if (x.dtype === own.dtype) return;
  throw new DTypeError({
    op,
    expected: `x of dtype ${own.dtype}, which its parameters have`,
    got: x.dtype,
    fix: `cast it with toDType('${own.dtype}').`,
  });
}
