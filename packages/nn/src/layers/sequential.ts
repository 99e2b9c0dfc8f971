/** Layers one after the other. */

import type { Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';

/** Feeds each module's output to the next. Children are named by their place: `0.weight`, `2.bias`; after them come properties of subclasses. */
export class Sequential extends Module {
  readonly #layers: readonly Module[];

  constructor(...layers: readonly Module[]) {
    super();
    this.#layers = layers;
  }

  /** The modules, in order. */
  get layers(): readonly Module[] {
    return this.#layers;
  }

  override *namedChildren(): Generator<[string, Module]> {
    for (const [i, layer] of this.#layers.entries()) yield [String(i), layer];
    yield* super.namedChildren();
  }

  forward(x: Tensor): Tensor {
    let value = x;
    for (const layer of this.#layers) value = layer.forward(value);
    return value;
  }
}
