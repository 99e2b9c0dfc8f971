/** Layers one after the other. */

import { ArgumentError, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';

/** Feeds each module's output to the next. Children are named by their place: `0.weight`, `2.bias`; after them come properties of subclasses. */
export class Sequential extends Module {
  /** The modules, in order. */
  declare readonly layers: readonly Module[];

  /** @throws ArgumentError for what is no module */
  constructor(...layers: readonly Module[]) {
    super();
    const odd = layers.findIndex((layer) => !(layer instanceof Module));
    if (odd >= 0)
      throw new ArgumentError({
        op: 'Sequential',
        expected: 'modules',
        got: `${showValue(layers[odd])} at place ${odd}`,
        fix: 'spread an array: new Sequential(...layers); make a module of a function: new ReLU().',
      });
    // Not enumerable: children are found by their places, not as `layers.0`.
    Object.defineProperty(this, 'layers', { value: layers });
  }

  override *namedChildren(): Generator<[string, Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
    yield* super.namedChildren();
  }

  forward(x: Tensor): Tensor {
    let value = x;
    for (const layer of this.layers) value = layer.forward(value);
    return value;
  }
}
