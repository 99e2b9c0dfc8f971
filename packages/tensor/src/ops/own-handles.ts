/**
 * Ops that may have nothing to do, as users call them: the result is a handle of its own even then, so that disposing it (`using y =
 * x.reshape(…)`) leaves `x` alone. Inside the core the functions of the same names return what they were given, and make no node.
 */

import type { DType } from '@gradus/backend';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { gradientsAreOn } from '../graph/record.ts';
import { notePending } from '../lowering/flush.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import * as arithmetic from './arithmetic.ts';
import type { Axes } from './arguments.ts';
import * as convert from './convert.ts';
import * as reshaping from './reshape.ts';

/** A value under another handle; gradients pass. */
const SAME: OpRow = /* @__PURE__ */ row({ name: 'same', lowering: { kind: 'alias' }, gradient: (g) => [g] });

/** `result`, or another handle on it where it is `x` itself. */
export function apartFrom(x: Tensor, result: Tensor): Tensor {
  if (result !== x) return result;
  const node = nodeOf(x, 'same');
  const handle = convert.aliasOf(node, gradientsAreOn() ? node.traces : 0, SAME);
  // A loss under another handle is computed when losses are.
  if (node.state === 'pending') notePending(nodeOf(handle, 'same'));
  return handle;
}

/** `x` with other sizes and as many elements; one size may be -1 and is computed. A view where strides allow it. @throws ShapeError */
export function reshape(x: Tensor, shape: Dims): Tensor {
  return apartFrom(x, reshaping.reshape(x, shape));
}

/** All axes from `start` to `end` (both included, default all) as one. @throws AxisError */
export function flatten(x: Tensor, options: { readonly start?: number; readonly end?: number } = {}): Tensor {
  return apartFrom(x, reshaping.flatten(x, options));
}

/** Drops axes of size 1: those given, or all of them. @throws ShapeError when a given axis has another size */
export function squeeze(x: Tensor, options: { readonly axis?: Axes } = {}): Tensor {
  return apartFrom(x, reshaping.squeeze(x, options));
}

/**
 * `x` converted to `dtype`: floats round to nearest, float to integer truncates and saturates (NaN gives 0), integers wrap, bool is
 * `x != 0`. Gradients pass from float to float only. @throws DTypeError for a dtype that there is not
 */
export function toDType(x: Tensor, dtype: DType): Tensor {
  return apartFrom(x, convert.toDType(x, dtype));
}

/** `|x|`, with gradient 0 at 0. @throws DTypeError on bool */
export function abs(x: Tensor): Tensor {
  return apartFrom(x, arithmetic.abs(x));
}

/** `min(max(x, low), high)`; the gradient passes where x lies within, both ends included. */
export function clamp(x: Tensor, range: { readonly min?: number; readonly max?: number }): Tensor {
  return apartFrom(x, arithmetic.clamp(x, range));
}
