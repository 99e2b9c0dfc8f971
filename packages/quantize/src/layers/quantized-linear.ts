/** Linear layers that multiply integers: PyTorch's dynamic quantization. */

import type { Buffer, Linear } from '@gradus/nn';
import { compose, mul, noGrad, quantizedMatmul, requireOptions, sum, toDType, unsqueeze } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { quantizeActivations, quantizeSymmetric, symmetricScale } from '../scales.ts';
import type { ActivationOptions } from '../scales.ts';
import { IntegerLinear } from './integer-linear.ts';

/** Options of {@link QuantizedLinear}. */
export interface QuantizedLinearOptions extends ActivationOptions {
  /** A scale for each row of the weight, not one for all of it. Default false, as in PyTorch. */
  readonly perChannel?: boolean;
}

/**
 * A Linear with an int8 weight, whose input is quantized in each call, with one scale for all of it (so what else is in a batch matters): the
 * numbers of PyTorch's `torch.ao.nn.quantized.dynamic.Linear`.
 *
 * With activations `s_a · (a − z_a)` and weights `s_w · w`, the product of integers is summed exactly in int32, and
 * `y = s_a · s_w · (Σ a·w − z_a · Σ w) + bias`. No gradient passes.
 */
export class QuantizedLinear extends IntegerLinear {
  /** int8 `[outFeatures, inFeatures]`. */
  readonly weight: Buffer;
  /** float32 of rank 0, or `[outFeatures]` per channel. */
  readonly weightScale: Buffer;
  /** The sums of the weight's rows, int32 `[outFeatures]`. */
  readonly weightSum: Buffer;
  readonly perChannel: boolean;
  readonly reduceRange: boolean;

  /** @throws ArgumentError for what are no options; and as IntegerLinear */
  constructor(linear: Linear, options: QuantizedLinearOptions = {}) {
    super(linear);
    requireOptions('QuantizedLinear', options, '{ perChannel: true }');
    const { perChannel = false, reduceRange = true } = options;
    this.perChannel = perChannel;
    this.reduceRange = reduceRange;
    const made = noGrad(() =>
      compose(() => {
        const scale = symmetricScale(linear.weight, 8, perChannel ? 1 : undefined);
        const weight = quantizeSymmetric(linear.weight, perChannel ? unsqueeze(scale, 1) : scale, 8);
        return { weight, scale, rowSums: sum(weight, { axis: 1 }) };
      }),
    );
    this.weight = this.buffer(made.weight);
    this.weightScale = this.buffer(made.scale);
    this.weightSum = this.buffer(made.rowSums);
  }

  /** @throws ShapeError, DTypeError unless x is float32 `[..., inFeatures]` */
  forward(x: Tensor): Tensor {
    this.requireInput(x);
    return noGrad(() =>
      compose(() => {
        const { values, scale, zeroPoint } = quantizeActivations(x, this);
        const product = quantizedMatmul(values, this.weight, { aBits: this.reduceRange ? 7 : 8 });
        const centred = product.sub(mul(this.weightSum, toDType(zeroPoint, 'int32')));
        const y = toDType(centred, 'float32').mul(mul(this.weightScale, scale));
        return this.bias === null ? y : y.add(this.bias);
      }),
    );
  }

  protected override describe(): string {
    return `${super.describe()}, int8${this.perChannel ? ' per channel' : ''}, activations ${this.reduceRange ? 'uint7' : 'uint8'}`;
  }
}
