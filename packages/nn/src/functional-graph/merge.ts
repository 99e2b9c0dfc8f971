/** Layers that make one symbolic tensor of several. */

import * as ops from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireSymbolic, symbolicOutput } from './symbolic.ts';
import type { SymbolicTensor } from './symbolic.ts';

function merge(scope: string, inputs: readonly SymbolicTensor[], run: (...values: Tensor[]) => Tensor): SymbolicTensor {
  const list: readonly unknown[] = Array.isArray(inputs) ? inputs : [inputs];
  requireSymbolic(scope, list);
  return symbolicOutput({ part: run, scope, name: null, inputs });
}

/** Elementwise from the first to the last. */
const fold =
  (op: (a: Tensor, b: Tensor) => Tensor) =>
  (...values: Tensor[]): Tensor =>
    values.reduce((a, b) => op(a, b));

/**
 * Symbolic tensors joined along `axis`, by default the last one; axis 0 is the batch.
 *
 * @throws GraphError when the other axes differ, or `axis` is the batch or beyond the rank
 */
export function concatenate(inputs: readonly SymbolicTensor[], options: { readonly axis?: number } = {}): SymbolicTensor {
  ops.requireOptions('concatenate', options, '{ axis: -1 }');
  return merge('concatenate', inputs, (...values) => ops.concatenate(values, { axis: options.axis ?? -1 }));
}

/** The sum of symbolic tensors, broadcast to each other. @throws GraphError for shapes that do not fit */
export function add(inputs: readonly SymbolicTensor[]): SymbolicTensor {
  return merge('add', inputs, fold(ops.add));
}

/** The product of symbolic tensors, broadcast to each other. @throws GraphError for shapes that do not fit */
export function multiply(inputs: readonly SymbolicTensor[]): SymbolicTensor {
  return merge('multiply', inputs, fold(ops.mul));
}

/** The mean of symbolic tensors, broadcast to each other. @throws GraphError for shapes that do not fit */
export function average(inputs: readonly SymbolicTensor[]): SymbolicTensor {
  return merge('average', inputs, (...values) => ops.div(fold(ops.add)(...values), values.length));
}

/** The largest of symbolic tensors, element by element, broadcast to each other. @throws GraphError for shapes that do not fit */
export function maximum(inputs: readonly SymbolicTensor[]): SymbolicTensor {
  return merge('maximum', inputs, fold(ops.maximum));
}
