/** Gradients of ops, first and second order, on a device and in float64 on the reference. */

import type { DType, Device, Tensor } from '@gradus/tensor';
import {
  avgPool2d,
  concatenate,
  conv2d,
  cumsum,
  gelu,
  grad,
  layerNorm,
  logSoftmax,
  matmul,
  maxPool2d,
  rmsNorm,
  scaledDotProductAttention,
  scope,
  softmax,
  sort,
  takeAlongAxis,
  tensor,
} from '@gradus/tensor';

/** One function of a tensor, and the shape it takes. */
interface Case {
  readonly name: string;
  readonly dims: readonly number[];
  readonly of: (x: Tensor) => Tensor;
}

const weightsLike = (x: Tensor, shape: readonly number[], shift: number): Tensor =>
  tensor(wave(shape, shift), { shape, dtype: x.dtype, device: x.device });

/** Numbers from -1 to 1 without pattern or ties. */
function wave(shape: readonly number[], shift: number): Float64Array {
  return Float64Array.from({ length: shape.reduce((n, size) => n * size, 1) }, (_, i) => Math.sin(1 + shift + i * 1.7 + i * i * 0.013));
}

/** Multiplied by something uneven, so that every element's gradient counts. */
const weighted = (y: Tensor): Tensor => y.mul(weightsLike(y, y.shape, 5)).sum();

const CASES: readonly Case[] = [
  { name: 'elementwise chain', dims: [3, 5], of: (x) => weighted(x.exp().add(1).log().mul(x.tanh())) },
  { name: 'broadcast and sums', dims: [3, 5], of: (x) => weighted(x.mul(x.sum({ axis: 0 })).add(x.mean({ axis: 1, keepDims: true }))) },
  { name: 'matmul', dims: [3, 5], of: (x) => weighted(matmul(x, weightsLike(x, [5, 4], 1)).add(matmul(x.mul(x), weightsLike(x, [5, 1], 2)))) },
  { name: 'batched matmul, transposed', dims: [2, 3, 5], of: (x) => weighted(matmul(x, x.transpose(-1, -2))) },
  {
    name: 'convolution, strided',
    dims: [2, 2, 7, 5],
    of: (x) => weighted(conv2d(x.mul(x), weightsLike(x, [3, 2, 3, 3], 1), { stride: 2, padding: 1 })),
  },
  {
    name: 'convolution, grouped',
    dims: [1, 4, 5, 5],
    of: (x) => weighted(conv2d(x.tanh(), weightsLike(x, [4, 2, 2, 3], 1), { groups: 2, dilation: 2 })),
  },
  { name: 'max pool', dims: [1, 2, 5, 5], of: (x) => weighted(maxPool2d(x.mul(x), { size: 2, stride: 1 })) },
  { name: 'average pool', dims: [1, 2, 5, 5], of: (x) => weighted(avgPool2d(x.mul(x), { size: 3, stride: 2, padding: 1 })) },
  { name: 'softmax', dims: [3, 7], of: (x) => weighted(softmax(x)) },
  { name: 'logSoftmax', dims: [3, 7], of: (x) => weighted(logSoftmax(x)) },
  { name: 'layerNorm', dims: [3, 7], of: (x) => weighted(layerNorm(x, { weight: weightsLike(x, [7], 1), bias: weightsLike(x, [7], 2) })) },
  { name: 'rmsNorm', dims: [3, 7], of: (x) => weighted(rmsNorm(x, { weight: weightsLike(x, [7], 1) })) },
  { name: 'gelu', dims: [4, 6], of: (x) => weighted(gelu(x)) },
  { name: 'attention', dims: [1, 2, 5, 3], of: (x) => weighted(scaledDotProductAttention(x, x.mul(2), x.tanh(), { causal: true })) },
  {
    name: 'gather and concatenate',
    dims: [4, 5],
    of: (x) => weighted(concatenate([takeAlongAxis(x, x.argmax({ axis: 1, keepDims: true }), { axis: 1 }), x.mul(x)], { axis: 1 })),
  },
  { name: 'cumsum', dims: [3, 6], of: (x) => weighted(cumsum(x.mul(x), { axis: 1 })) },
  { name: 'sort', dims: [3, 6], of: (x) => weighted(sort(x.mul(x), { axis: 1 }).values) },
];

/** What is compared for one case: value, gradient, gradient of the gradient. */
type GradientNumbers = readonly (readonly [string, readonly number[]])[];

/** A case, to be carried out on any device. */
export interface GradientCase {
  readonly name: string;
  readonly on: (device: Device, dtype: DType) => Promise<GradientNumbers>;
}

/** The cases. */
export const GRADIENT_CASES: readonly GradientCase[] = CASES.map(({ name, dims, of }) => ({
  name,
  on: (device, dtype) =>
    scope(async () => {
      const x = tensor(wave(dims, 0), { shape: dims, dtype, device });
      const slope = (t: Tensor): Tensor => weighted(grad(of)(t));
      const found: (readonly [string, Tensor])[] = [
        ['value', of(x)],
        ['gradient', grad(of)(x)],
        ['gradient of the gradient', grad(slope)(x)],
      ];
      return Promise.all(found.map(async ([what, t]) => [what, [...(await t.data())]] as const));
    }),
}));
