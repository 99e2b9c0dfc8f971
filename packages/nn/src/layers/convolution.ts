/** Convolution layers. */

import { ArgumentError, Parameter, conv2d, requireOptions } from '@gradus/tensor';
import type { ConvolutionOptions, PerAxis, Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';
import { fanInUniform } from './init.ts';
import { requireDTypeOf, requireSizes } from './input.ts';

/** Options of {@link Conv2d}. */
export interface Conv2dOptions extends Omit<ConvolutionOptions, 'bias'> {
  /** Default true. */
  readonly bias?: boolean;
}

/** Convolution over images. x `[N, inChannels, H, W]`, weight `[outChannels, inChannels/groups, kH, kW]`, y `[N, outChannels, H', W']`. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly #options: Omit<ConvolutionOptions, 'bias'>;

  /** @param size of the kernel, one number or `[kH, kW]`. @throws ArgumentError */
  constructor(inChannels: number, outChannels: number, size: PerAxis, options: Conv2dOptions = {}) {
    super();
    requireOptions('Conv2d', options, '{ stride: 2, padding: 1 }');
    const { bias = true, ...rest } = options;
    this.#options = rest;
    const [height = NaN, width = NaN] = typeof size === 'object' ? size : [size, size];
    requireSizes('Conv2d', { inChannels, outChannels, size: typeof size === 'object' ? Math.min(height, width) : size }, 1);
    const groups = options.groups ?? 1;
    const depth = inChannels / groups;
    if (!Number.isSafeInteger(depth) || outChannels % groups !== 0)
      throw new ArgumentError({
        op: 'Conv2d',
        expected: 'groups that divide inChannels and outChannels',
        got: `groups ${groups} for ${inChannels} and ${outChannels}`,
      });
    const fanIn = depth * height * width;
    this.weight = new Parameter(fanInUniform([outChannels, depth, height, width], fanIn));
    this.bias = bias ? new Parameter(fanInUniform([outChannels], fanIn)) : null;
  }

  /** @throws ShapeError when x has other channels, or is smaller than the kernel; DTypeError for another dtype than the weight's */
  forward(x: Tensor): Tensor {
    requireDTypeOf('Conv2d', x, this.weight);
    return conv2d(x, this.weight, this.bias === null ? this.#options : { ...this.#options, bias: this.bias });
  }

  protected override describe(): string {
    const [out, depth, height, width] = this.weight.shape;
    return `${(depth ?? 0) * (this.#options.groups ?? 1)}, ${out}, [${height}, ${width}]`;
  }
}
