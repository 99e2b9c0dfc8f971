/** Normalisations of rows as kernels of their own: rows of the op table for the functions of the contract's `rowwise` kernel. */

import { isFloat } from '@gradus/backend';
import type { DType, Kernel, RowwiseKernel } from '@gradus/backend';
import { row } from '../graph/op.ts';
import type { GradientRule, KernelOperand, KernelPlan, OpRow, OpSite, Residuals } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { shapeOf } from '../graph/shape.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { dense, isClaimed, kernelNamed } from './fast-path.ts';

type RowFunction = RowwiseKernel['function'];
type Pass = RowwiseKernel['pass'];

/** The kernel over `inputs` dense operands, all of one dtype, and one result. The norms have a scalar, eps. */
function rowwiseKernel(fn: RowFunction, pass: Pass, inputs: number, dtype: DType): Kernel {
  return kernelNamed(`rowwise ${fn} ${pass} ${dtype}`, () => ({
    kind: 'rowwise',
    function: fn,
    pass,
    operands: [...Array.from({ length: inputs }, () => dense(dtype)), dense(dtype, 'write')],
    scalars: fn === 'layerNorm' || fn === 'rmsNorm' ? [dtype === 'float64' ? 'float64' : 'float32'] : [],
  }));
}

const sizeOf = (dims: Dims): number => dims.reduce((n, size) => n * size, 1);

/** The plan over rows that are the last axis of input 0. Inputs after the operands are numbers. */
function planOf(fn: RowFunction, pass: Pass, count: number, { inputs, dims }: OpSite): KernelPlan {
  const [x = { dims: [], dtype: 'float32' as const }] = inputs;
  const columns = x.dims.at(-1) ?? 1;
  const rows = sizeOf(x.dims.slice(0, -1));
  const read = inputs.slice(0, count).map((input, i): KernelOperand => ({ input: i, size: sizeOf(input.dims) }));
  return {
    kernel: rowwiseKernel(fn, pass, count, x.dtype),
    sizes: [rows, columns],
    operands: [...read, { output: 0, size: sizeOf(dims) }],
    scalars: inputs.slice(count).map((_, i) => count + i),
  };
}

/** A row of the table for one function and pass with `count` dense inputs. */
export function rowwiseRow(fn: RowFunction, pass: Pass, count: number, gradient: GradientRule, residuals: Residuals): OpRow {
  const name = pass === 'forward' ? fn : `${fn} backward`;
  return row({ name, lowering: { kind: 'kernel', output: 0, plan: (site) => planOf(fn, pass, count, site) }, gradient, residuals });
}

/** Can the device of `x` run this function over its last axis? */
export function runsRowwise(x: Tensor, fn: RowFunction, pass: Pass, inputs: number): boolean {
  const { dtype, shape } = nodeOf(x, fn);
  return shape.rank > 0 && isFloat(dtype) && isClaimed(x, rowwiseKernel(fn, pass, inputs, dtype));
}

/** Records a node of `op` over these tensors (and numbers), with a result of `dims` in the dtype of the first. */
export function recordRowwise(op: OpRow, inputs: readonly Tensor[], dims: Dims): Tensor {
  const nodes = inputs.map((t) => nodeOf(t, op.name));
  return record(op, nodes, shapeOf(dims), nodes[0]?.dtype ?? 'float32');
}
