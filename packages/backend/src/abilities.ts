/** What a kernel asks of a device's dtypes: the part of `supports` that is the same for every backend. */

import type { Capabilities } from './backend.ts';
import type { DType } from './dtype.ts';
import type { Expression } from './expression.ts';
import type { ContractKernel, ConvolutionKernel } from './optional.ts';
import type { Kernel } from './kernel.ts';
import { evaluationOrder } from './walk.ts';

/** The expressions of a kernel: what is folded, where a scatter goes, and what is stored. */
export function expressionsOf(kernel: Kernel): Expression[] {
  const roots: Expression[] = [];
  if ('outputs' in kernel) roots.push(...kernel.outputs.map((output) => output.value));
  if (kernel.kind === 'reduce') roots.push(...kernel.folds.map((fold) => fold.value));
  if (kernel.kind === 'scatter') roots.push(kernel.position, kernel.value);
  return roots;
}

/** Are all dtypes of a kernel stored, all operations in dtypes that are calculated in, and all folds in those that are accumulated in? */
export function isWithin(kernel: Kernel, dtypes: Capabilities['dtypes']): boolean {
  const named = [...kernel.operands.map((operand) => operand.dtype), ...kernel.scalars];
  if (!named.every((dtype) => dtypes[dtype]?.store)) return false;
  if (kernel.kind === 'reduce' && !kernel.folds.every((fold) => dtypes[fold.value.dtype]?.accumulate)) return false;
  return evaluationOrder(expressionsOf(kernel)).every(
    (e) => dtypes[e.dtype]?.store && (!('args' in e) || e.args.every((argument) => dtypes[argument.dtype]?.compute)),
  );
}

/** The dtypes that factors may have, by the dtype that products are accumulated in: those that convert without loss. */
const FACTORS: { readonly [D in DType]?: readonly DType[] } = {
  float64: ['float64', 'float32', 'float16', 'bfloat16'],
  float32: ['float32', 'float16', 'bfloat16'],
  int32: ['int32', 'uint32', 'int8', 'uint8'],
  uint32: ['int32', 'uint32', 'int8', 'uint8'],
};

/** Do both factors of a product convert without loss to the dtype that it is accumulated in? */
export function hasExactFactors({ operands: [a, b], accumulate }: ContractKernel | ConvolutionKernel): boolean {
  const allowed = FACTORS[accumulate] ?? [];
  return a !== undefined && b !== undefined && allowed.includes(a.dtype) && allowed.includes(b.dtype);
}
