/** `rowwise`: normalisations of rows and their gradients, in float64, rounded when stored. */

import type { RowwiseKernel } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { DenseOperands } from '../dense/operands.ts';
import type { Workspace } from '../workspace.ts';
import { layerNormGradient, logSoftmaxGradient, logSumExpGradient, rmsNormGradient, softmaxGradient } from './backward.ts';
import { layerNorm, logSoftmax, logSumExp, rmsNorm, softmax } from './forward.ts';
import type { RowFunction } from './row.ts';

const FUNCTIONS: { readonly [P in RowwiseKernel['pass']]: { readonly [F in RowwiseKernel['function']]: RowFunction } } = {
  forward: { softmax, logSoftmax, logSumExp, layerNorm, rmsNorm },
  backward: {
    softmax: softmaxGradient,
    logSoftmax: logSoftmaxGradient,
    logSumExp: logSumExpGradient,
    layerNorm: layerNormGradient,
    rmsNorm: rmsNormGradient,
  },
};

/** Code for a normalisation. */
export function prepareRowwise(kernel: RowwiseKernel, { row }: Workspace): KernelCode {
  const compute = FUNCTIONS[kernel.pass][kernel.function];
  return (views, [eps = 0], dims) => {
    const [rows = 0, columns = 0] = dims;
    const run = new DenseOperands(kernel, views, dims);
    const last = kernel.operands.length - 1;
    const operands = kernel.operands.map((_, i) => (i === last ? run.write(i) : run.read(i)));
    compute(rows, columns, operands, eps, row.get(columns));
    run.finish();
  };
}
