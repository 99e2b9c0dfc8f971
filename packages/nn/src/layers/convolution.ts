/** Convolution layers. */

import { Parameter, conv2d } from '@gradus/tensor';
import type { ConvolutionOptions, PerAxis, Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';
import { fanInUniform } from './init.ts';
import { requireDTypeOf } from './input.ts';

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

  /** @param size of the kernel, one number or `[kH, kW]` */
  constructor(inChannels: number, outChannels: number, size: PerAxis, options: Conv2dOptions = {}) {
    super();
    const { bias = true, ...rest } = options;
    this.#options = rest;
    const [height = 1, width = 1] = typeof size === 'number' ? [size, size] : size;
    const depth = inChannels / (options.groups ?? 1);
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
