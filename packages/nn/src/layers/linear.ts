/** Fully connected layers. */

import { Parameter, ShapeError, matmul, requireOptions, transpose } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { Module } from '../module.ts';
import { fanInUniform } from './init.ts';
import { requireDTypeOf, requireSizes } from './input.ts';

/** `y = x · Wᵀ + b`. x `[..., inFeatures]`, weight `[outFeatures, inFeatures]`, bias `[outFeatures]`, y `[..., outFeatures]`. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly inFeatures: number;
  readonly outFeatures: number;

  /** @param options `bias: false` leaves the bias out. @throws ArgumentError */
  constructor(inFeatures: number, outFeatures: number, options: { readonly bias?: boolean } = {}) {
    super();
    requireSizes('Linear', { inFeatures, outFeatures }, 0);
    requireOptions('Linear', options, '{ bias: false }');
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(fanInUniform([outFeatures, inFeatures], inFeatures));
    this.bias = (options.bias ?? true) ? new Parameter(fanInUniform([outFeatures], inFeatures)) : null;
  }

  /** @throws ShapeError when x's last axis is not inFeatures; DTypeError for another dtype than the weight's */
  forward(x: Tensor): Tensor {
    requireDTypeOf('Linear', x, this.weight);
    const { shape } = x;
    if (shape.length === 0 || shape.at(-1) !== this.inFeatures) {
      throw new ShapeError({ op: 'Linear', expected: `x of shape [..., ${this.inFeatures}]`, got: `[${shape.join(', ')}]` });
    }
    const product = matmul(x, transpose(this.weight));
    return this.bias === null ? product : product.add(this.bias);
  }

  protected override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias === null ? ', bias: false' : ''}`;
  }
}
