/** What fully connected layers with weights in integers have in common. */

import { Linear, Module } from '@gradus/nn';
import type { Buffer } from '@gradus/nn';
import { ArgumentError, DTypeError, ShapeError, copy, isTensor, noGrad, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/**
 * A layer in place of a Linear: `y = x · Wᵀ + b` with W in integers. x float32 `[..., inFeatures]`, y float32 `[..., outFeatures]`.
 *
 * It learns nothing: what it has are buffers. They are named by the keys of `stateDict()`: `weight` are the integers.
 */
export abstract class IntegerLinear extends Module {
  /** The integers. */
  abstract readonly weight: Buffer;
  /** What one step of the integers stands for, float32. */
  abstract readonly weightScale: Buffer;
  /** float32 `[outFeatures]`, a copy of the Linear's. */
  readonly bias: Buffer | null;
  readonly inFeatures: number;
  readonly outFeatures: number;

  /** @throws ArgumentError for a layer that cannot be quantized: see {@link whyNot} */
  constructor(linear: Linear) {
    super();
    const op = new.target.name;
    if (!(linear instanceof Linear)) throw new ArgumentError({ op, expected: 'a Linear', got: showValue(linear), fix: `call new ${op}(linear).` });
    const reason = IntegerLinear.whyNot(linear);
    if (reason !== null) throw new ArgumentError({ op, expected: 'a Linear that can be quantized', got: `one where ${reason}` });
    const { bias } = linear;
    this.bias = bias === null ? null : this.buffer(noGrad(() => copy(bias)));
    this.inFeatures = linear.inFeatures;
    this.outFeatures = linear.outFeatures;
  }

  /** The reason why a Linear cannot be quantized; null if it can. */
  static whyNot({ weight, inFeatures, outFeatures }: Linear): string | null {
    if (weight.dtype !== 'float32') return `the weight is ${weight.dtype}, not float32`;
    return inFeatures === 0 || outFeatures === 0 ? 'the weight has no elements' : null;
  }

  /** @throws ShapeError, DTypeError, ArgumentError unless x is float32 `[..., inFeatures]` */
  protected requireInput(x: Tensor): void {
    const op = this.constructor.name;
    if (!isTensor(x)) throw new ArgumentError({ op, expected: 'a tensor', got: showValue(x), fix: 'make one with tensor(…).' });
    if (x.dtype !== 'float32') throw new DTypeError({ op, expected: 'x of dtype float32', got: x.dtype, fix: "cast it with toDType('float32')." });
    if (x.shape.at(-1) !== this.inFeatures)
      throw new ShapeError({ op, expected: `x of shape [..., ${this.inFeatures}]`, got: `[${x.shape.join(', ')}]` });
  }

  protected override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias === null ? ', bias: false' : ''}`;
  }
}
