/**
 * Transposed convolution in 1 to 3 dimensions: what carries gradients back through a convolution, as an op of its own.
 *
 * x is `[N, C, ...spatial]`, weight `[C, O/groups, ...kernel]`, the result `[N, O, ...spatial]`: seen from the convolution that it
 * transposes, x is the output, and the result the input. Zeiler et al., "Deconvolutional Networks", 2010; conventions are PyTorch's.
 */

import { ArgumentError, ShapeError } from '../errors.ts';
import { promote } from '../graph/promotion.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { toDType } from './convert.ts';
import { recordPass, withBias } from './convolution.ts';
import type { ConvolutionAttribute } from './convolution.ts';
import { perAxis } from './windows.ts';
import type { PerAxis } from './windows.ts';

/** Options of transposed convolutions; each number stands for all spatial axes, or give one each. */
export interface TransposedConvolutionOptions {
  /** One number a filter, `[O]`. */
  readonly bias?: Tensor;
  /** Cells of the result from one cell of x to the next, default 1. */
  readonly stride?: PerAxis;
  /** Cells cut off the result on both sides, default 0. */
  readonly padding?: PerAxis;
  /** Cells more at the end of the result, fewer than stride or dilation; default 0. */
  readonly outputPadding?: PerAxis;
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Channels and filters are split into as many independent parts. Default 1. */
  readonly groups?: number;
}

function transposed(op: string, rank: number, x: Tensor, weight: Tensor, options: TransposedConvolutionOptions): Tensor {
  const y = nodeOf(x, op).shape.dims;
  const filter = nodeOf(weight, op).shape.dims;
  requireOptions(op, options, '{ bias, stride: 2 }');
  const dtype = promote(op, nodeOf(x, op).dtype, nodeOf(weight, op).dtype);
  requireFloat(op, dtype);
  const groups = options.groups ?? 1;
  if (y.length !== rank + 2 || filter.length !== rank + 2) {
    throw new ShapeError({
      op,
      expected: `x of rank ${rank + 2} [N, C, …] and weight of rank ${rank + 2} [C, O/groups, …]`,
      got: `${showDims(y)} and ${showDims(filter)}`,
      fix: 'unsqueeze a single image at axis 0.',
    });
  }
  const [channels = 0, depth = 0, ...size] = filter;
  if (!Number.isInteger(groups) || groups < 1 || y[1] !== channels || channels % groups !== 0) {
    throw new ShapeError({
      op,
      expected: `${channels} channels, as weight [C, O/groups, …] has, which groups divides`,
      got: `${y[1]} channels, groups ${groups}`,
      ...(y[1] === depth && { fix: 'a transposed convolution has its input channels first: weight.transpose(0, 1).' }),
    });
  }
  const stride = perAxis(op, 'stride', options.stride ?? 1, rank, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, rank, 0);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, rank, 1);
  const more = perAxis(op, 'outputPadding', options.outputPadding ?? 0, rank, 0);
  if (more.some((n, i) => n >= Math.max(stride[i] ?? 1, dilation[i] ?? 1)))
    throw new ArgumentError({
      op,
      expected: 'outputPadding below stride or dilation',
      got: `outputPadding ${showDims(more)}, stride ${showDims(stride)}, dilation ${showDims(dilation)}`,
    });
  const at = (list: readonly number[], i: number): number => list[i] ?? 0;
  const spatial = size.map((n, i) => (at(y, 2 + i) - 1) * at(stride, i) - 2 * at(padding, i) + at(dilation, i) * (n - 1) + at(more, i) + 1);
  if (spatial.some((n) => n < 1))
    throw new ShapeError({ op, expected: 'a result with at least one cell along each axis', got: showDims(spatial), fix: 'use less padding.' });
  const geometry: ConvolutionAttribute = {
    window: { size, stride, dilation, padding },
    groups,
    x: [y[0] ?? 0, depth * groups, ...spatial],
    filter,
    y,
  };
  return compose(() => withBias(op, recordPass('inputGradient', toDType(x, dtype), toDType(weight, dtype), geometry), options.bias));
}

/** Transposed convolution over one axis: x `[N, C, L]`, weight `[C, O/groups, k]`. @throws ShapeError, DTypeError, ArgumentError */
export function convTranspose1d(x: Tensor, weight: Tensor, options: TransposedConvolutionOptions = {}): Tensor {
  return transposed('convTranspose1d', 1, x, weight, options);
}

/** Transposed convolution over two axes: x `[N, C, H, W]`, weight `[C, O/groups, kH, kW]`. @throws ShapeError, DTypeError, ArgumentError */
export function convTranspose2d(x: Tensor, weight: Tensor, options: TransposedConvolutionOptions = {}): Tensor {
  return transposed('convTranspose2d', 2, x, weight, options);
}

/** Transposed convolution over three axes: x `[N, C, D, H, W]`, weight `[C, O/groups, kD, kH, kW]`. @throws ShapeError, DTypeError, ArgumentError */
export function convTranspose3d(x: Tensor, weight: Tensor, options: TransposedConvolutionOptions = {}): Tensor {
  return transposed('convTranspose3d', 3, x, weight, options);
}
