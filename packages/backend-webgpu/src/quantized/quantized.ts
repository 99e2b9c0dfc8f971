/**
 * `quantizedContract` as a tiled product of int32 values: `Σ_k a[m, k] · b[n, k]`, both read along k, exact modulo 2³².
 * With groups, a span is a group, and its sum is scaled before it joins the float32 total; so spans are never shared among workgroups.
 */

import { operandPositions } from '@gradus/backend';
import type { QuantizedContractKernel } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import type { Planner } from '../launch/launch.ts';
import { alignmentOf, matrixPlan } from '../product/factor.ts';
import type { FactorPlan, MatrixLayout } from '../product/factor.ts';
import { prepareProduct } from '../product/product.ts';
import type { ProductRules } from '../product/product.ts';
import { nibblesPlan } from './nibbles.ts';

type Rule = (dims: Int32Array) => number;

const valuesOf: Rule = (dims) => dims[2] ?? 0;

/** Rows of bytes, one after the other. */
function bytesPlan(kernel: QuantizedContractKernel, operand: 0 | 1, at: number, dims: Int32Array): FactorPlan {
  const layout: MatrixLayout = {
    base: (frame, name) => `let ${name} = ${frame.dim(at)};`,
    outerStride: valuesOf,
    innerStride: () => 1,
  };
  const { along, vector } = alignmentOf(layout, dims, [dims[at] ?? 0], dims[operand] ?? 0, valuesOf(dims));
  // Steps begin where a group does: vectors have to as well.
  const aligned = vector && (kernel.group ?? 0) % 4 === 0;
  return matrixPlan(operand, kernel.operands[operand]?.dtype ?? 'int8', 'int32', layout, { along, vector: aligned });
}

/** Scales `[N, ceil(K / group)]`, operand 2. */
function scales(size: number, at: number): NonNullable<ProductRules['groups']> {
  return {
    size,
    totalType: 'f32',
    declarations: (frame) => `fn scale(column: u32, group: u32) -> f32 {
if (column >= u32(${frame.dim(1)})) { return 0.0; }
return load2(${frame.dim(at)} + i32(column * u32(${frame.word((dims) => Math.ceil(valuesOf(dims) / size))}) + group));
}`,
    scaled: (value, column, span) => `f32(${value}) * scale(${column}, ${span})`,
  };
}

/** Plans quantized products. */
export function prepareQuantizedContract(kernel: QuantizedContractKernel, toolchain: Toolchain): Planner {
  const [aAt = 0, bAt = 0, scalesAt = 0] = operandPositions(kernel);
  return prepareProduct(
    {
      kernel,
      rank: 2,
      accumulate: 'int32',
      shape: (dims) => ({ batch: 1, m: dims[0] ?? 0, n: dims[1] ?? 0, k: valuesOf(dims) }),
      factors: (dims) => [bytesPlan(kernel, 0, aAt, dims), kernel.bBits === 4 ? nibblesPlan(1, bAt, valuesOf) : bytesPlan(kernel, 1, bAt, dims)],
      point: (_frame, _m, n) => `row * ${n} + column`,
      ...(kernel.group === null ? {} : { groups: scales(kernel.group, scalesAt) }),
    },
    toolchain,
  );
}
