/** Divergences, likelihoods and margins: PyTorch's numbers and gradients. */

import { clamp, div, mul, sqrt, sub, sum } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import * as losses from '../src/index.ts';
import { goldenTests } from './golden.ts';
import type { Call } from './golden.ts';

const two =
  (f: (a: Tensor, b: Tensor, options: object) => Tensor): Call =>
  ([a, b], options) =>
    f(a as Tensor, b as Tensor, options);
const three =
  (f: (a: Tensor, b: Tensor, c: Tensor, options: object) => Tensor): Call =>
  ([a, b, c], options) =>
    f(a as Tensor, b as Tensor, c as Tensor, options);

const length = (a: Tensor): Tensor => clamp(sqrt(sum(mul(a, a), { axis: 1 })), { min: 1e-8 });
const cosineDistance = (a: Tensor, b: Tensor): Tensor => sub(1, div(sum(mul(a, b), { axis: 1 }), mul(length(a), length(b))));

await goldenTests('margins', {
  klDiv: two(losses.klDiv),
  poissonNll: two(losses.poissonNll),
  gaussianNll: three(losses.gaussianNll),
  distillation: two(losses.distillation),
  softMargin: two(losses.softMargin),
  hingeEmbedding: two(losses.hingeEmbedding),
  marginRanking: three(losses.marginRanking),
  cosineEmbedding: three(losses.cosineEmbedding),
  tripletMargin: three(losses.tripletMargin),
  tripletMarginWithDistance: three((a, b, c, options) => losses.tripletMarginWithDistance(a, b, c, { ...options, distance: cosineDistance })),
  multiMargin: two(losses.multiMargin),
  multiLabelMargin: two(losses.multiLabelMargin),
  multiLabelSoftMargin: two(losses.multiLabelSoftMargin),
});
