/**
 * The dense operands of the optional kernels, as one table: name, shape, dtypes and access of each, in order, and the scalars that go with them.
 *
 * It says in data what `optional.ts`, `rows.ts`, `attention.ts` and `optimizer-step.ts` say in words; the verifier goes by it.
 */

import type { AttentionKernel } from './attention.ts';
import { ALL_DTYPES, isFloat, wideFloat } from './dtype.ts';
import type { DType } from './dtype.ts';
import type { Kernel, Operand } from './kernel.ts';
import type { ConvolutionKernel, PoolKernel, QuantizedContractKernel } from './optional.ts';
import type { OptimizerStepKernel } from './optimizer-step.ts';
import type { RowwiseKernel } from './rows.ts';

/** One dense operand as its kernel's definition has it. */
export interface DenseOperand {
  /** What the definition calls it. */
  readonly name: string;
  readonly access: Operand['access'];
  /** The dtypes that it may have, given that of operand 0. */
  readonly dtypes: readonly DType[];
  /** Its axes, for the sizes that `dims` begins with. */
  readonly shape: (sizes: Int32Array) => readonly number[];
}

/** One scalar as its kernel's definition has it. */
export interface DenseScalar {
  readonly name: string;
  readonly dtype: DType;
}

type Shape = DenseOperand['shape'];

const FLOATS = ALL_DTYPES.filter(isFloat);
const NUMBERS = ALL_DTYPES.filter((dtype) => dtype !== 'bool');
/** What the steps of optimizers calculate in. */
const EXACT_FLOATS: readonly DType[] = ['float64', 'float32'];

function read(name: string, dtypes: readonly DType[], shape: Shape): DenseOperand {
  return { name, access: 'read', dtypes, shape };
}

function write(name: string, dtypes: readonly DType[], shape: Shape): DenseOperand {
  return { name, access: 'write', dtypes, shape };
}

const matrix: Shape = ([rows = 0, columns = 0]) => [rows, columns];
const perRow: Shape = ([rows = 0]) => [rows];
const perColumn: Shape = ([, columns = 0]) => [columns];

/** The dense operands of a kernel, which are its first ones; none for kernels that go by strides alone, for `fft` and for `custom`. */
export function denseOperands(kernel: Kernel): readonly DenseOperand[] {
  const dtype = kernel.operands[0]?.dtype ?? 'float32';
  switch (kernel.kind) {
    case 'convolution':
      return convolution(kernel);
    case 'pool':
      return pool(kernel);
    case 'quantizedContract':
      return quantizedContract(kernel);
    case 'rowwise':
      return rowwise(kernel, dtype);
    case 'attention':
      return attention(kernel, dtype);
    case 'optimizerStep':
      return optimizerStep(kernel, dtype);
    case 'scan':
      return [read('x', NUMBERS, matrix), write('result', [dtype], matrix)];
    case 'sort':
      return [read('x', ALL_DTYPES, matrix), write('values', [dtype], matrix), write('places', ['int32'], matrix)];
    case 'argReduce':
      return [read('x', ALL_DTYPES, matrix), write('places', ['int32'], perRow)];
    default:
      return [];
  }
}

/** The scalars of a kernel all of whose operands are dense; other kernels may have any. */
export function denseScalars(kernel: Kernel): readonly DenseScalar[] {
  const dtype = kernel.operands[0]?.dtype ?? 'float32';
  switch (kernel.kind) {
    case 'rowwise':
      return kernel.function === 'layerNorm' || kernel.function === 'rmsNorm' ? [{ name: 'eps', dtype: wideFloat(dtype) }] : [];
    case 'attention':
      return [{ name: 'scale', dtype: wideFloat(dtype) }];
    case 'optimizerStep':
      return optimizerScalars(kernel).map((name) => ({ name, dtype }));
    default:
      return [];
  }
}

function convolution({ pass, window, groups }: ConvolutionKernel): DenseOperand[] {
  const spatial = window.size.length;
  const x: Shape = ([n = 0, c = 0, , ...rest]) => [n, c, ...rest.slice(0, spatial)];
  const y: Shape = ([n = 0, , o = 0, ...rest]) => [n, o, ...rest.slice(spatial)];
  const filter: Shape = ([, c = 0, o = 0]) => [o, c / groups, ...window.size];
  const first = read(pass === 'inputGradient' ? 'gradient' : 'x', ALL_DTYPES, pass === 'inputGradient' ? y : x);
  const second = read(pass === 'filterGradient' ? 'gradient' : 'filter', ALL_DTYPES, pass === 'filterGradient' ? y : filter);
  return [first, second];
}

function pool({ mode, pass, window }: PoolKernel): DenseOperand[] {
  const spatial = window.size.length;
  const x: Shape = (sizes) => [...sizes.subarray(0, 2 + spatial)];
  const y: Shape = (sizes) => [...sizes.subarray(0, 2), ...sizes.subarray(2 + spatial, 2 + 2 * spatial)];
  const other = pass === 'forward' ? x : y;
  const name = pass === 'forward' ? 'values' : 'gradient';
  return mode === 'max' ? [read('x', ALL_DTYPES, x), read(name, ALL_DTYPES, other)] : [read(name, ALL_DTYPES, other)];
}

function quantizedContract({ bBits, group }: QuantizedContractKernel): DenseOperand[] {
  const perByte = bBits === 4 ? 2 : 1;
  const a = read('a', ['int8', 'uint8'], ([m = 0, , k = 0]) => [m, k]);
  const b = read('b', [bBits === 4 ? 'uint8' : 'int8'], ([, n = 0, k = 0]) => [n, Math.ceil(k / perByte)]);
  return group === null ? [a, b] : [a, b, read('scales', ['float32'], ([, n = 0, k = 0]) => [n, Math.ceil(k / group)])];
}

function rowwise(kernel: RowwiseKernel, dtype: DType): DenseOperand[] {
  const same = [dtype];
  const result = write('result', same, matrix);
  const gradient = read('gradient', same, matrix);
  const weight = read('weight', same, perColumn);
  const x = read('x', FLOATS, matrix);
  const forward = kernel.pass === 'forward';
  switch (kernel.function) {
    case 'softmax':
    case 'logSoftmax':
      return forward ? [x, result] : [read('y', FLOATS, matrix), gradient, result];
    case 'logSumExp':
      return forward ? [x, write('result', same, perRow)] : [x, read('y', same, perRow), read('gradient', same, perRow), result];
    case 'layerNorm':
      return forward ? [x, weight, read('bias', same, perColumn), result] : [x, weight, gradient, result];
    case 'rmsNorm':
      return forward ? [x, weight, result] : [x, weight, gradient, result];
    default:
      return kernel.function satisfies never;
  }
}

function attention({ pass, headDim, mask }: AttentionKernel, dtype: DType): DenseOperand[] {
  const queries: Shape = ([b = 0, heads = 0, , t = 0]) => [b, heads, t, headDim];
  const keys: Shape = ([b = 0, , keyHeads = 0, , s = 0]) => [b, keyHeads, s, headDim];
  const rows: Shape = ([b = 0, heads = 0, , t = 0]) => [b, heads, t];
  const scores: Shape = ([b = 0, , , t = 0, s = 0]) => [b, t, s];
  const same = [dtype];
  const lse = [wideFloat(dtype)];
  const inputs = [read('q', FLOATS, queries), read('k', same, keys), read('v', same, keys)];
  if (mask !== 'none') inputs.push(read('mask', [mask === 'bool' ? 'bool' : dtype], scores));
  if (pass === 'forward') return [...inputs, write('y', same, queries), write('lse', lse, rows)];
  const gradients = [write('gradient of q', same, queries), write('gradient of k', same, keys), write('gradient of v', same, keys)];
  return [...inputs, read('y', same, queries), read('lse', lse, rows), read('gradient', same, queries), ...gradients];
}

function optimizerStep({ algorithm, momentum }: OptimizerStepKernel, dtype: DType): DenseOperand[] {
  const flat: Shape = ([n = 0]) => [n];
  const state = algorithm === 'sgd' ? (momentum ? ['buffer'] : []) : ['first moment', 'second moment'];
  const inPlace = (name: string, dtypes: readonly DType[]): DenseOperand => ({ name, access: 'readWrite', dtypes, shape: flat });
  return [inPlace('parameters', EXACT_FLOATS), read('gradients', [dtype], flat), ...state.map((name) => inPlace(name, [dtype]))];
}

function optimizerScalars({ algorithm, momentum }: OptimizerStepKernel): readonly string[] {
  if (algorithm === 'sgd') return momentum ? ['lr', 'weightDecay', 'momentum', 'share'] : ['lr', 'weightDecay'];
  return ['rate', algorithm === 'adam' ? 'weightDecay' : 'keep', 'beta1', '1 - beta1', 'beta2', '1 - beta2', 'root', 'eps'];
}
