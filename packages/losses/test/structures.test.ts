/** Focal losses, overlaps, CTC and contrastive losses: values and gradients of PyTorch or of the papers' formulas. */

import { logSoftmax } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import * as losses from '../src/index.ts';
import { goldenTests } from './golden.ts';
import type { Call } from './golden.ts';

const two =
  (f: (a: Tensor, b: Tensor, options: object) => Tensor): Call =>
  ([a, b], options) =>
    f(a as Tensor, b as Tensor, options);

await goldenTests('structures', {
  binaryFocal: two(losses.binaryFocal),
  focal: two(losses.focal),
  dice: two(losses.dice),
  tversky: two(losses.tversky),
  generalizedDice: two(losses.generalizedDice),
  ctc: ([logits, ...rest], options) => losses.ctc(logSoftmax(logits as Tensor), ...(rest as [Tensor, Tensor, Tensor]), options),
  contrastive: two(losses.contrastive),
  ntXent: two(losses.ntXent),
  infoNce: two(losses.infoNce),
});
