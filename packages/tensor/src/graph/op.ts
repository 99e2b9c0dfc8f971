/**
 * Op rows: one op is one row of facts. What its gradient is, and how a kernel is made of it.
 *
 * Shapes and dtypes are checked by the function beside the row, at the call; by the time a node exists it is valid.
 */

import type { DType, Expression, Fold, Kernel, Operand, Output } from '@gradus/backend';
import type { View } from '../lowering/view.ts';
import type { Dims, Tensor } from '../tensor.ts';
import type { Attribute } from './node.ts';

/** What the lowering of a node may look at: everything about it but its values. */
export interface OpSite {
  readonly dims: readonly number[];
  readonly dtype: DType;
  readonly attribute: unknown;
  readonly inputs: readonly { readonly dims: readonly number[]; readonly dtype: DType }[];
}

/** What an elementwise op's expression may use besides its arguments. */
export interface ExpressionContext extends OpSite {
  /** Σ coordinate · stride over the axes of the node, an int32. */
  position(strides: readonly number[]): Expression;
  /** A number that is fixed for these shapes, passed as a scalar so that it is not part of the kernel's structure. */
  size(value: number): Expression;
  /** Element `position` of input number `input`, which the row lists as `indexed`. */
  gather(input: number, position: Expression, fill: number): Expression;
}

/** One kernel that an optional kernel is decomposed into. `from` names where each operand's block comes from. */
export interface DecomposedRun {
  readonly kernel: Kernel;
  readonly dims: Int32Array;
  /** For each operand: an operand of the original kernel, or a temporary. */
  readonly blocks: readonly ({ readonly operand: number } | { readonly temporary: number })[];
  /** Values of scalars that come after the original kernel's. */
  readonly sizes: readonly number[];
}

/** What to run in place of a kernel that a backend does not claim. */
export interface Decomposition {
  /** Bytes of each temporary block. */
  readonly temporaries: readonly number[];
  readonly runs: readonly DecomposedRun[];
}

/** A heavy kernel with an epilogue, before its epilogue is known. Its inputs are dense operands 0, 1, …. */
export interface AnchorPlan {
  /** Sizes that open `dims`. */
  readonly sizes: readonly number[];
  /** The dtype of `accumulator(0)`. */
  readonly accumulate: DType;
  kernel(operands: readonly Operand[], scalars: readonly DType[], outputs: readonly Output[]): Kernel;
  decompose(kernel: Kernel, dims: Int32Array): Decomposition;
}

/** One operand of a {@link KernelPlan}: the input that it reads or the output that it writes, dense, with `size` elements. */
export type KernelOperand = { readonly input: number; readonly size: number } | { readonly output: number; readonly size: number };

/** A kernel with dense operands and no epilogue, as a device claims it. */
export interface KernelPlan {
  readonly kernel: Kernel;
  /** Sizes that open `dims`. */
  readonly sizes: readonly number[];
  readonly operands: readonly KernelOperand[];
  /** For each scalar: the input, a number on the host. */
  readonly scalars: readonly number[];
}

/** How a node becomes part of a kernel. */
export type Lowering =
  /** A value that exists: data, a host scalar. */
  | { readonly kind: 'leaf' }
  /** The attribute's value everywhere; never stored unless it must be. */
  | { readonly kind: 'constant' }
  /** Its input, under another name in the graph. */
  | { readonly kind: 'alias' }
  /** One expression a point. `indexed` inputs are gathered from; a `heavy` op is never computed twice. */
  | {
      readonly kind: 'elementwise';
      readonly express: (args: readonly Expression[], context: ExpressionContext) => Expression;
      readonly indexed?: readonly number[];
      readonly heavy?: boolean;
    }
  /**
   * The same elements seen otherwise; null where strides cannot say it. `invert`, where every element of the input is seen once, is the
   * way back: it lets a heavy op write its result where the view wants it.
   */
  | {
      readonly kind: 'view';
      readonly apply: (input: View, site: OpSite) => View | null;
      readonly invert?: (output: View, site: OpSite) => View | null;
    }
  /** A fold along `axes` of the input. */
  | { readonly kind: 'reduce'; readonly fold: Fold['fold']; readonly axes: (site: OpSite) => readonly number[] }
  /** a `[...batch, M, K]` times b `[...batch, K, N]`, batches broadcast. */
  | { readonly kind: 'contract' }
  /** A kernel of its own with dense inputs and an epilogue: convolution, pooling. */
  | { readonly kind: 'anchor'; readonly plan: (site: OpSite) => AnchorPlan }
  /**
   * Output number `output` of a kernel of its own. Nodes that are outputs of one kernel over the same inputs are computed by one launch;
   * outputs that are no node are written and forgotten.
   */
  | { readonly kind: 'kernel'; readonly output: number; readonly plan: (site: OpSite) => KernelPlan }
  /** Input 0, with input 2 combined in at positions computed from input 1 (see `ops/indexing.ts`). */
  | {
      readonly kind: 'scatter';
      readonly mode: 'set' | 'add' | 'max';
      readonly position: (index: Expression, context: Omit<ExpressionContext, 'gather'>) => Expression;
    }
  /** The inputs one behind the other along the axis in the attribute. */
  | { readonly kind: 'concatenate'; readonly axis: (site: OpSite) => number };

/** What a gradient rule may look at. Tensors it makes are released when it returns, except those it returns. */
export interface GradientContext {
  /** The inputs, as handles; made when first asked for. */
  readonly inputs: readonly Tensor[];
  /** The output, likewise. */
  readonly output: Tensor;
  /** Sizes of each input. */
  readonly dims: readonly Dims[];
  /** The attribute's value. */
  readonly attribute: unknown;
  /** Is the gradient of input `i` wanted? */
  readonly needs: (i: number) => boolean;
}

/** Gradients of the inputs, given that of the output; null where there is none. Written in ops, so that it differentiates again. */
export type GradientRule = (gradient: Tensor, context: GradientContext) => readonly (Tensor | null)[];

/** Which values a gradient rule reads: kept when a flush ends before the backward pass. */
export type Residuals = 'none' | 'inputs' | 'output' | 'both';

/** Everything about one op. */
export interface OpRow {
  readonly id: number;
  readonly name: string;
  readonly lowering: Lowering;
  /** Null for ops whose result does not change continuously: comparisons, indices, random bits. */
  readonly gradient: GradientRule | null;
  readonly residuals: Residuals;
}

/** What a row is written as. */
export interface OpDefinition {
  readonly name: string;
  readonly lowering: Lowering;
  readonly gradient?: GradientRule;
  readonly residuals?: Residuals;
}

let rows = 0;

/** Numbers a row. */
export function row(definition: OpDefinition): OpRow {
  const { name, lowering, gradient = null, residuals = 'none' } = definition;
  return { id: rows++, name, lowering, gradient, residuals };
}

/** The typed value of an attribute; rows know what they put in. */
// The type is the caller's word: it wrote the attribute.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function attributeValue<T>(attribute: Attribute | { readonly attribute: unknown }): T {
  return ('attribute' in attribute ? attribute.attribute : attribute.value) as T;
}
