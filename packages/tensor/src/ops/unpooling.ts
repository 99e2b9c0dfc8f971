/** Back from pools: maxima put where they came from. And pools of powers. */

import { ArgumentError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { fullLike, record } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { equal, mul, pow, where } from './arithmetic.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { toDType } from './convert.ts';
import { positionAt, requireIndices, takeAlongAxis } from './indexing.ts';
import { avgPool1d, avgPool2d, avgPool3d } from './pooling.ts';
import type { PoolOptions } from './pooling.ts';
import { inWideFloat } from './reduce.ts';
import { reshape } from './reshape.ts';
import { perAxis } from './windows.ts';
import type { PerAxis } from './windows.ts';

/** Inputs: zeros `[N, C, cells]`, int32 places `[N, C, windows]`, values like them. Of values at one place the last one stays. */
const MAX_UNPOOL: OpRow = /* @__PURE__ */ row({
  name: 'maxUnpool',
  lowering: { kind: 'scatter', mode: 'set', position: (index, context) => positionAt(context.inputs[0]?.dims ?? [], 2, index, context) },
  gradient: (g, { inputs: [, index], needs }) => [null, null, needs(2) && index !== undefined ? takeAlongAxis(g, index, { axis: 2 }) : null],
});

/** Options of {@link maxUnpool}: those of the pool, with 1 to 3 spatial axes. */
export interface MaxUnpoolOptions {
  /** Cells of the window along each axis. */
  readonly size: PerAxis;
  /** Default: the size. */
  readonly stride?: PerAxis;
  /** Default 0. */
  readonly padding?: PerAxis;
  /** Spatial sizes of the result, where the pool rounded them: less than a stride from (n - 1)·stride - 2·padding + size, the default. */
  readonly outputSize?: readonly number[];
}

/**
 * The values of x at the places that `maxPoolIndices` gave, zeros elsewhere.
 *
 * @param x maxima `[N, C, ...places]`
 * @param indices shaped like x: row-major places in the spatial axes of the result
 * @returns `[N, C, ...cells]`
 * @throws ShapeError, DTypeError, ArgumentError; IndexError where indices can be checked at the call, elsewhere values without a place are left out
 */
export function maxUnpool(x: Tensor, indices: Tensor, options: MaxUnpoolOptions): Tensor {
  const op = 'maxUnpool';
  const { shape, dtype } = nodeOf(x, op);
  requireOptions(op, options, '{ size: 2 }');
  requireFloat(op, dtype);
  const [n = 0, c = 0, ...places] = shape.dims;
  const rank = places.length;
  if (rank < 1 || rank > 3) throw new ShapeError({ op, expected: 'x of rank 3 to 5 [N, C, …]', got: showDims(shape.dims) });
  if (nodeOf(indices, op).shape !== shape)
    throw new ShapeError({ op, expected: `indices ${showDims(shape.dims)}, as x has`, got: showDims(nodeOf(indices, op).shape.dims) });
  const size = perAxis(op, 'size', options.size, rank, 1);
  const stride = perAxis(op, 'stride', options.stride ?? size, rank, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, rank, 0);
  const usual = places.map((count, i) => (count - 1) * (stride[i] ?? 1) - 2 * (padding[i] ?? 0) + (size[i] ?? 1));
  const cells = options.outputSize ?? usual;
  if (!Array.isArray(cells) || cells.length !== rank || cells.some((count, i) => count < 1 || Math.abs(count - (usual[i] ?? 0)) >= (stride[i] ?? 1)))
    throw new ArgumentError({ op, expected: `outputSize less than a stride from ${showDims(usual)}, and at least 1`, got: showValue(cells) });
  const total = cells.reduce((product, count) => product * count, 1);
  requireIndices(op, indices, { min: 0, max: total - 1 });
  return compose(() => {
    const target = shapeOf([n, c, total], op);
    const at = nodeOf(toDType(reshape(indices, [n, c, -1]), 'int32'), op);
    const values = nodeOf(reshape(x, [n, c, -1]), op);
    const filled = record(MAX_UNPOOL, [nodeOf(fullLike(nodeOf(x, op), 0, target), op), at, values], target, dtype, intern('axis:2', 2));
    return reshape(filled, [n, c, ...cells]);
  });
}

/** Options of pools of powers. */
export interface PowerPoolOptions extends Omit<PoolOptions, 'padding' | 'dilation'> {
  /** p. */
  readonly order: number;
}

function powerPool(op: string, rank: number, x: Tensor, options: PowerPoolOptions): Tensor {
  requireOptions(op, options, '{ order: 2, size: 2 }');
  requireFloat(op, nodeOf(x, op).dtype);
  const { order, ...window } = options;
  if (!Number.isFinite(order) || order === 0) throw new ArgumentError({ op, expected: 'order: a number other than 0', got: showValue(order) });
  const cells = perAxis(op, 'size', window.size, rank, 1).reduce((product, size) => product * size, 1);
  const pool = [avgPool1d, avgPool2d, avgPool3d][rank - 1] ?? avgPool1d;
  return inWideFloat(op, x, (wide) => {
    const mean = pool(pow(wide, order), window);
    const total = mul(mean, cells);
    const isZero = equal(total, 0);
    return where(isZero, 0, pow(where(isZero, 1, total), 1 / order));
  });
}

/** (Σ xᵖ)^(1/p) of each window of x `[N, C, L]`, p being `order`; its gradient at 0 is 0. @throws ShapeError, DTypeError, ArgumentError */
export function lpPool1d(x: Tensor, options: PowerPoolOptions): Tensor {
  return powerPool('lpPool1d', 1, x, options);
}

/** (Σ xᵖ)^(1/p) of each window of x `[N, C, H, W]`, p being `order`; its gradient at 0 is 0. @throws ShapeError, DTypeError, ArgumentError */
export function lpPool2d(x: Tensor, options: PowerPoolOptions): Tensor {
  return powerPool('lpPool2d', 2, x, options);
}

/** (Σ xᵖ)^(1/p) of each window of x `[N, C, D, H, W]`, p being `order`; its gradient at 0 is 0. @throws ShapeError, DTypeError, ArgumentError */
export function lpPool3d(x: Tensor, options: PowerPoolOptions): Tensor {
  return powerPool('lpPool3d', 3, x, options);
}
