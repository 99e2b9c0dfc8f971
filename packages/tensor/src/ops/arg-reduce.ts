/** Places of extremes: the contract's `argReduce` kernel where the device claims it, two reduces elsewhere. */

import { DTYPES, isFloat } from '@gradus/backend';
import type { DType, Kernel } from '@gradus/backend';
import { ShapeError } from '../errors.ts';
import { row } from '../graph/op.ts';
import type { KernelPlan, OpRow, OpSite } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { shapeOf } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { equal, isNaN, logicalOr, where } from './arithmetic.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { dense, isClaimed, kernelNamed } from './fast-path.ts';
import { positionsAlong } from './positions.ts';
import { max, min } from './reduce.ts';
import { unsqueeze } from './reshape.ts';

type Extreme = 'max' | 'min';

function argKernel(fold: Extreme, dtype: DType): Kernel {
  return kernelNamed(`argReduce ${fold} ${dtype}`, () => ({
    kind: 'argReduce',
    fold,
    operands: [dense(dtype), dense('int32', 'write')],
    scalars: [],
  }));
}

function planOf(fold: Extreme, { inputs: [x = { dims: [], dtype: 'float32' }], dims }: OpSite): KernelPlan {
  const columns = x.dims.at(-1) ?? 1;
  const rows = dims.reduce((n, d) => n * d, 1);
  return {
    kernel: argKernel(fold, x.dtype),
    sizes: [rows, columns],
    operands: [
      { input: 0, size: rows * columns },
      { output: 0, size: rows },
    ],
    scalars: [],
  };
}

/** Input x; the result has one axis less, the last. */
const argRow = (fold: Extreme): OpRow => row({ name: `arg${fold}`, lowering: { kind: 'kernel', output: 0, plan: (site) => planOf(fold, site) } });
const ARG_MAX: OpRow = /* @__PURE__ */ argRow('max');
const ARG_MIN: OpRow = /* @__PURE__ */ argRow('min');

/** Options of {@link argmax} and {@link argmin}. */
export interface ArgOptions {
  /** Default the last. */
  readonly axis?: number;
  /** Keep the axis with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** The first place of the extreme, or of the first NaN. */
function argExtreme(op: string, fold: Extreme, x: Tensor, options: ArgOptions): Tensor {
  requireOptions(op, options, '{ axis: 1 }');
  const node = nodeOf(x, op);
  const { dims, rank } = node.shape;
  const axis = normalizeAxis(op, options.axis ?? -1, rank);
  if (dims[axis] === 0) throw new ShapeError({ op, expected: 'at least one element to choose from', got: `size 0 along axis ${axis}` });
  const keepDims = options.keepDims ?? false;
  return compose(() => {
    if (axis === rank - 1 && isClaimed(x, argKernel(fold, node.dtype))) {
      const places = record(fold === 'max' ? ARG_MAX : ARG_MIN, [node], shapeOf(dims.slice(0, -1)), 'int32');
      return keepDims ? unsqueeze(places, -1) : places;
    }
    const best = (fold === 'max' ? max : min)(x, { axis, keepDims: true });
    const isBest = isFloat(node.dtype) ? logicalOr(equal(x, best), isNaN(x)) : equal(x, best);
    return min(where(isBest, positionsAlong(x, axis), DTYPES.int32.max), { axis, keepDims });
  });
}

/** The index of the first largest value along `axis` (default the last), as int32; of the first NaN if there is one. @throws AxisError, ShapeError */
export function argmax(x: Tensor, options: ArgOptions = {}): Tensor {
  return argExtreme('argmax', 'max', x, options);
}

/** The index of the first smallest value along `axis` (default the last), as int32; of the first NaN if there is one. @throws AxisError, ShapeError */
export function argmin(x: Tensor, options: ArgOptions = {}): Tensor {
  return argExtreme('argmin', 'min', x, options);
}
