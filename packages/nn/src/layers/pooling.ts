/** Pooling layers. */

import { maxPool2d, requireOptions } from '@gradus/tensor';
import type { PerAxis, PoolOptions, Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';
import { requireSizes } from './input.ts';

/** The largest value of each window. x `[N, C, H, W]`. */
export class MaxPool2d extends Module {
  readonly #options: PoolOptions;

  /** @param size of the window; `stride` is the size by default. @throws ArgumentError */
  constructor(size: PerAxis, options: Omit<PoolOptions, 'size'> = {}) {
    super();
    requireOptions('MaxPool2d', options, '{ stride: 2 }');
    if (typeof size !== 'object') requireSizes('MaxPool2d', { size }, 1);
    this.#options = { ...options, size };
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#options);
  }

  protected override describe(): string {
    return JSON.stringify(this.#options.size);
  }
}
