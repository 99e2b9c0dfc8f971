/** What networks are made of: PyTorch's numbers, forward and backward. */

import * as g from '@gradus/tensor';
import { tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe } from 'vitest';
import { goldenTests, one } from './golden.ts';
import type { Calls } from './golden.ts';

type Call = Calls[string];
const withBias =
  (f: (x: Tensor, weight: Tensor, options: never) => Tensor): Call =>
  ([x, weight, bias], options) =>
    f(x as Tensor, weight as Tensor, { ...options, bias } as never);
const affine =
  (f: (x: Tensor, options: never) => Tensor): Call =>
  ([x, weight, bias], options) =>
    f(x as Tensor, { ...options, weight, bias } as never);

describe('golden values', () => {
  goldenTests(
    'networks',
    {
      conv1d: withBias(g.conv1d),
      conv2d: withBias(g.conv2d),
      conv3d: withBias(g.conv3d),
      convTranspose1d: withBias(g.convTranspose1d),
      convTranspose2d: withBias(g.convTranspose2d),
      convTranspose3d: withBias(g.convTranspose3d),
      adaptiveAvgPool1d: one(g.adaptiveAvgPool1d),
      adaptiveAvgPool2d: one(g.adaptiveAvgPool2d),
      adaptiveAvgPool3d: one(g.adaptiveAvgPool3d),
      adaptiveMaxPool1d: one(g.adaptiveMaxPool1d),
      adaptiveMaxPool2d: one(g.adaptiveMaxPool2d),
      adaptiveMaxPool3d: one(g.adaptiveMaxPool3d),
      layerNorm: affine(g.layerNorm),
      groupNorm: affine(g.groupNorm),
      'batchNorm training': ([x, weight, bias]) => {
        const { mean, variance } = g.batchStatistics(x as Tensor);
        return g.batchNorm(x as Tensor, mean, variance, { weight: weight as Tensor, bias: bias as Tensor });
      },
      batchNorm: ([x, mean, variance, weight, bias]) =>
        g.batchNorm(x as Tensor, mean as Tensor, variance as Tensor, { weight: weight as Tensor, bias: bias as Tensor }),
      softmax: one(g.softmax),
      logSoftmax: one(g.logSoftmax),
      logSumExp: one(g.logSumExp),
      matmul: ([a, b]) => g.matmul(a as Tensor, b as Tensor),
      gelu: one(g.gelu),
      silu: ([x]) => g.silu(x as Tensor),
      embedding: ([weight], { index, paddingIdx = null }) =>
        g.embedding(weight as Tensor, tensor(index as number[][], { dtype: 'int32', device: (weight as Tensor).device }), {
          paddingIdx: paddingIdx as number | null,
        }),
      scaledDotProductAttention: ([q, k, v], options) => g.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, options),
    },
    { float64: 1e-12, float32: 4e-6 },
  );
});
