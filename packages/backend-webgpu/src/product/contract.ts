/** `contract` as a tiled product: transposes, broadcasts and batches are strides. */

import { operandPositions } from '@gradus/backend';
import type { ContractKernel } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import { sizeOf } from '../kernels/space.ts';
import type { Planner } from '../launch/launch.ts';
import { alignmentOf, matrixPlan } from './factor.ts';
import type { FactorPlan, MatrixLayout } from './factor.ts';
import { prepareProduct } from './product.ts';

/** Operand 0 or 1 over the index space `[...batch, m, n, k]`. */
class Operand {
  readonly #kernel: ContractKernel;
  readonly #operand: 0 | 1;
  readonly #at: number;
  readonly #batchAxes: number;
  readonly #outerAxis: number;
  readonly #layout: MatrixLayout;

  constructor(kernel: ContractKernel, operand: 0 | 1) {
    this.#kernel = kernel;
    this.#operand = operand;
    this.#at = operandPositions(kernel)[operand] ?? 0;
    this.#batchAxes = kernel.rank - 3;
    this.#outerAxis = this.#batchAxes + operand;
    this.#layout = {
      outerStride: (dims) => this.#stride(dims, this.#outerAxis),
      innerStride: (dims) => this.#stride(dims, kernel.rank - 1),
      base: (frame, name) => {
        const lines = [`var ${name} = ${frame.dim(this.#at)};`];
        if (this.#batchAxes > 0) lines.push(`var ${name}Rest = batch;`);
        for (let axis = this.#batchAxes - 1; axis >= 0; axis--) {
          const size = `u32(${frame.dim(axis)})`;
          const stride = frame.dim(this.#at + 1 + axis);
          lines.push(`${name} += i32(${name}Rest % ${size}) * ${stride};`, `${name}Rest /= ${size};`);
        }
        return lines.join('\n');
      },
    };
  }

  #stride(dims: Int32Array, axis: number): number {
    return dims[this.#at + 1 + axis] ?? 0;
  }

  plan(dims: Int32Array): FactorPlan {
    const { rank, accumulate, operands } = this.#kernel;
    const bases = [...dims.subarray(this.#at, this.#at + 1 + this.#batchAxes)];
    const alignment = alignmentOf(this.#layout, dims, bases, dims[this.#outerAxis] ?? 0, dims[rank - 1] ?? 0);
    return matrixPlan(this.#operand, operands[this.#operand]?.dtype ?? accumulate, accumulate, this.#layout, alignment);
  }
}

/** Plans contractions. */
export function prepareContract(kernel: ContractKernel, toolchain: Toolchain): Planner {
  const { rank } = kernel;
  const [a, b] = [new Operand(kernel, 0), new Operand(kernel, 1)];
  return prepareProduct(
    {
      kernel,
      rank: rank - 1,
      accumulate: kernel.accumulate,
      shape: (dims) => ({ batch: sizeOf(dims, 0, rank - 4), m: dims[rank - 3] ?? 0, n: dims[rank - 2] ?? 0, k: dims[rank - 1] ?? 0 }),
      factors: (dims) => [a.plan(dims), b.plan(dims)],
      point: (_frame, m, n) => `(batch * ${m} + row) * ${n} + column`,
    },
    toolchain,
  );
}
