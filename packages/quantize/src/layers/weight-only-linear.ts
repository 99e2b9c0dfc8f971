/** Linear layers with small weights that calculate in float32: torchao's weight-only quantization, symmetric. */

import type { Buffer, Linear } from '@gradus/nn';
import {
  ArgumentError,
  compose,
  floorDiv,
  matmul,
  mul,
  noGrad,
  remainder,
  reshape,
  showValue,
  slice,
  stack,
  sub,
  toDType,
  transpose,
  unsqueeze,
  where,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { quantizeSymmetric, symmetricScale } from '../scales.ts';
import { IntegerLinear } from './integer-linear.ts';

/** A Linear whose weight is kept in integers and taken back to float32 in each call. Gradients pass to the input. */
export abstract class WeightOnlyLinear extends IntegerLinear {
  /** The weight that the integers stand for, float32 `[outFeatures, inFeatures]`. */
  abstract dequantizedWeight(): Tensor;

  /** @throws ShapeError, DTypeError unless x is float32 `[..., inFeatures]` */
  forward(x: Tensor): Tensor {
    this.requireInput(x);
    return compose(() => {
      const y = matmul(x, transpose(this.dequantizedWeight()));
      return this.bias === null ? y : y.add(this.bias);
    });
  }
}

/** A weight in int8 with a scale for each row: `w ≈ scale · q`, scale = max|w| / 127.5. */
export class Int8WeightOnlyLinear extends WeightOnlyLinear {
  /** int8 `[outFeatures, inFeatures]`. */
  readonly weight: Buffer;
  /** float32 `[outFeatures]`. */
  readonly weightScale: Buffer;

  /** @throws ArgumentError as IntegerLinear */
  constructor(linear: Linear) {
    super(linear);
    const made = noGrad(() =>
      compose(() => {
        const scale = symmetricScale(linear.weight, 8, 1);
        return { scale, weight: quantizeSymmetric(linear.weight, unsqueeze(scale, 1), 8) };
      }),
    );
    this.weight = this.buffer(made.weight);
    this.weightScale = this.buffer(made.scale);
  }

  dequantizedWeight(): Tensor {
    return compose(() => mul(toDType(this.weight, 'float32'), unsqueeze(this.weightScale, 1)));
  }

  protected override describe(): string {
    return `${super.describe()}, int8 weight`;
  }
}

/** Values of 4 bits that this layer packs into a byte. */
const PER_BYTE = 2;

/** A weight in 4 bits, -8..7, with a scale for every `groupSize` values of a row: scale = max|w| / 7.5. */
export class Int4WeightOnlyLinear extends WeightOnlyLinear {
  /** uint8 `[outFeatures, inFeatures / 2]`: two values a byte, the first in the low half. */
  readonly weight: Buffer;
  /** float32 `[outFeatures, inFeatures / groupSize]`. */
  readonly weightScale: Buffer;
  readonly groupSize: number;

  /** @throws ArgumentError unless groupSize is even and divides inFeatures; and as IntegerLinear */
  constructor(linear: Linear, groupSize: number) {
    super(linear);
    requireGroupSize('Int4WeightOnlyLinear', groupSize);
    if (this.inFeatures % groupSize !== 0)
      throw new ArgumentError({
        op: 'Int4WeightOnlyLinear',
        expected: `a groupSize that divides the layer's ${this.inFeatures} input features`,
        got: String(groupSize),
        fix: 'choose a divisor, or leave the layer out with { skip: [its name] }.',
      });
    this.groupSize = groupSize;
    const groups = [this.outFeatures, this.inFeatures / groupSize, groupSize];
    const made = noGrad(() =>
      compose(() => {
        const grouped = reshape(linear.weight, groups);
        const scale = symmetricScale(grouped, 4, 2);
        return { scale, weight: pack(reshape(quantizeSymmetric(grouped, unsqueeze(scale, 2), 4), linear.weight.shape)) };
      }),
    );
    this.weight = this.buffer(made.weight);
    this.weightScale = this.buffer(made.scale);
  }

  dequantizedWeight(): Tensor {
    const { outFeatures, inFeatures, groupSize } = this;
    return compose(() => {
      const grouped = reshape(toDType(unpack(this.weight), 'float32'), [outFeatures, inFeatures / groupSize, groupSize]);
      return reshape(mul(grouped, unsqueeze(this.weightScale, 2)), [outFeatures, inFeatures]);
    });
  }

  protected override describe(): string {
    return `${super.describe()}, int4 weight in groups of ${this.groupSize}`;
  }
}

/** @throws ArgumentError unless it is an even whole number of at least 2 */
export function requireGroupSize(op: string, groupSize: number): void {
  if (Number.isSafeInteger(groupSize) && groupSize > 0 && groupSize % PER_BYTE === 0) return;
  throw new ArgumentError({
    op,
    expected: 'an even groupSize of at least 2',
    got: showValue(groupSize),
    fix: 'pass { groupSize: 32 }: 32, 64 or 128 are usual.',
  });
}

/** int8 of -8..7 `[N, K]`, K even, as uint8 `[N, K / 2]`: the first of two in the low half. */
function pack(values: Tensor): Tensor {
  const [n = 0, k = 0] = values.shape;
  // Two's complement in 4 bits: what is negative has 16 more.
  const pairs = reshape(remainder(toDType(values, 'int32'), 16), [n, k / PER_BYTE, PER_BYTE]);
  const half = (at: number): Tensor => slice(pairs, [null, null, at]);
  return toDType(half(0).add(mul(half(1), 16)), 'uint8');
}

/** The other way, as int32. */
function unpack(packed: Tensor): Tensor {
  const [n = 0, bytes = 0] = packed.shape;
  const wide = toDType(packed, 'int32');
  const halves = reshape(stack([remainder(wide, 16), floorDiv(wide, 16)], { axis: 2 }), [n, PER_BYTE * bytes]);
  return where(halves.less(8), halves, sub(halves, 16));
}
