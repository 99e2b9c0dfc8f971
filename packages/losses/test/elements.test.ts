/** Losses of elements and of classes: PyTorch's numbers and gradients. */

import type { Tensor } from '@gradus/tensor';
import { bce, bceWithLogits, crossEntropy, huber, l1, logCosh, mse, nll, smoothL1 } from '../src/index.ts';
import { goldenTests } from './golden.ts';
import type { Call } from './golden.ts';

const two =
  (f: (a: Tensor, b: Tensor, options: object) => Tensor): Call =>
  ([a, b], options) =>
    f(a as Tensor, b as Tensor, options);

await goldenTests('elements', {
  mse: two(mse),
  l1: two(l1),
  huber: two(huber),
  smoothL1: two(smoothL1),
  logCosh: two(logCosh),
  bce: two(bce),
  bceWithLogits: two(bceWithLogits),
  crossEntropy: two(crossEntropy),
  nll: two(nll),
});
