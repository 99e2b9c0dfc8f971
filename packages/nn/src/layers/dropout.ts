/** Dropout. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014. */

import { ArgumentError, greaterEqual, mul, rand, reshape, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';

/** In training, sets each element to 0 with probability `p` and scales the others by `1/(1-p)`; in evaluation does nothing. Any shape. */
export class Dropout extends Module {
  readonly p: number;

  /** @throws ArgumentError unless p is from 0 to 1 */
  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError({ op: 'Dropout', expected: 'a probability from 0 to 1', got: String(p) });
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    // Another handle: what comes out of a layer may be disposed without what went in.
    if (!this.training || this.p === 0) return reshape(x, x.shape);
    if (this.p === 1) return mul(x, 0);
    const kept = greaterEqual(rand(x.shape, { device: x.device }), this.p);
    return where(kept, mul(x, 1 / (1 - this.p)), 0);
  }

  protected override describe(): string {
    return String(this.p);
  }
}
