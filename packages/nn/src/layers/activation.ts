/** Activations as modules, and reshaping between layers. */

import { flatten, relu, requireOptions } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';

/** `max(x, 0)`, with gradient 0 at 0. Any shape. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** Axes from `start` (default 1, so that the batch stays) to `end` (default the last) as one. */
export class Flatten extends Module {
  readonly start: number;
  readonly end: number;

  constructor(options: { readonly start?: number; readonly end?: number } = {}) {
    super();
    requireOptions('Flatten', options, '{ start: 1 }');
    this.start = options.start ?? 1;
    this.end = options.end ?? -1;
  }

  forward(x: Tensor): Tensor {
    return flatten(x, { start: this.start, end: this.end });
  }
}
