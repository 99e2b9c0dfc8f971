/**
 * Pooling over 1 to 3 spatial axes: maxima and averages of windows.
 *
 * Max pooling is *selection*: the place of x's maximum in each window decides which value is taken. With x itself as the values that is
 * plain max pooling; with a gradient as the values it is the gradient of the backward pass. So both passes differentiate without end.
 */

import type { PoolKernel, Window } from '@gradus/backend';
import { tensor } from '../creation.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { AnchorPlan, OpRow, OpSite } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { mul } from './arithmetic.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { detach } from './convert.ts';
import { expand } from './expand.ts';
import { decomposePool } from './pool-decomposition.ts';
import type { PoolGeometry as PoolAttribute } from './pool-decomposition.ts';
import { ramp } from './positions.ts';
import { reshape } from './reshape.ts';
import { outputSizes, perAxis } from './windows.ts';
import type { PerAxis } from './windows.ts';

const anchor = (mode: PoolKernel['mode'], pass: PoolKernel['pass']): OpRow['lowering'] => ({
  kind: 'anchor',
  plan: (site) => planOf(mode, pass, site),
});

/** Inputs x, values. */
const MAX_FORWARD: OpRow = /* @__PURE__ */ row({
  name: 'maxPool',
  lowering: /* @__PURE__ */ anchor('max', 'forward'),
  residuals: 'inputs',
  gradient: (g, { inputs: [x], attribute, needs }) => [null, needs(1) && x !== undefined ? recordPool(MAX_BACKWARD, [x, g], attribute, 'x') : null],
});

/** Inputs x, gradient of y. */
const MAX_BACKWARD: OpRow = /* @__PURE__ */ row({
  name: 'maxPool backward',
  lowering: /* @__PURE__ */ anchor('max', 'backward'),
  residuals: 'inputs',
  gradient: (g, { inputs: [x], attribute, needs }) => [null, needs(1) && x !== undefined ? recordPool(MAX_FORWARD, [x, g], attribute, 'y') : null],
});

/** Input x. */
const AVERAGE_FORWARD: OpRow = /* @__PURE__ */ row({
  name: 'avgPool',
  lowering: /* @__PURE__ */ anchor('average', 'forward'),
  gradient: (g, { attribute }) => [recordPool(AVERAGE_BACKWARD, [g], attribute, 'x')],
});

/** Input gradient of y. */
const AVERAGE_BACKWARD: OpRow = /* @__PURE__ */ row({
  name: 'avgPool backward',
  lowering: /* @__PURE__ */ anchor('average', 'backward'),
  gradient: (g, { attribute }) => [recordPool(AVERAGE_FORWARD, [g], attribute, 'y')],
});

/** The result has the dtype of what is taken or added up: the last input. */
function recordPool(op: OpRow, inputs: readonly Tensor[], attribute: unknown, result: 'x' | 'y'): Tensor {
  const geometry = attribute as PoolAttribute;
  const nodes = inputs.map((t) => nodeOf(t, op.name));
  return record(op, nodes, shapeOf(geometry[result]), nodes.at(-1)?.dtype ?? 'float32', intern(`pool:${JSON.stringify(geometry)}`, geometry));
}

function planOf(mode: PoolKernel['mode'], pass: PoolKernel['pass'], site: OpSite): AnchorPlan {
  const geometry = attributeValue<PoolAttribute>(site);
  const { window, countPadding, x, y } = geometry;
  return {
    sizes: [x[0] ?? 0, x[1] ?? 0, ...x.slice(2), ...y.slice(2)],
    accumulate: site.dtype,
    kernel: (operands, scalars, outputs) => ({ kind: 'pool', mode, pass, window, countPadding, operands, scalars, outputs }),
    decompose: (kernel, dims) => decomposePool(kernel as PoolKernel, dims, geometry),
  };
}

/** Options of pools; each number stands for all spatial axes, or give one each. */
export interface PoolOptions {
  /** Cells of the window along each axis. */
  readonly size: PerAxis;
  /** Default: the size, so that windows do not overlap. */
  readonly stride?: PerAxis;
  /** Cells on both sides that never win (max) or count as 0 (average); at most half the size. Default 0. */
  readonly padding?: PerAxis;
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Count a last window that only starts inside. Default false. */
  readonly ceil?: boolean;
}

/** Options of average pools. */
export interface AveragePoolOptions extends Omit<PoolOptions, 'dilation'> {
  /** Divide by the size of the window, padding included (default), or by its cells inside x. */
  readonly countPadding?: boolean;
  /** Divide by this number instead. */
  readonly divisorOverride?: number;
}

function geometryOf(op: string, rank: number, x: Tensor, options: PoolOptions & AveragePoolOptions): PoolAttribute {
  const node = nodeOf(x, op);
  requireOptions(op, options, '{ size: 2 }');
  requireFloat(op, node.dtype);
  const { dims } = node.shape;
  if (dims.length !== rank + 2)
    throw new ShapeError({ op, expected: `x of rank ${rank + 2} [N, C, …]`, got: showDims(dims), fix: 'unsqueeze a single image at axis 0.' });
  const size = perAxis(op, 'size', options.size, rank, 1);
  const stride = perAxis(op, 'stride', options.stride ?? size, rank, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, rank, 0);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, rank, 1);
  if (padding.some((p, i) => 2 * p > (size[i] ?? 1)))
    throw new ArgumentError({ op, expected: 'padding of at most half the size', got: `padding ${showDims(padding)}, size ${showDims(size)}` });
  const window: Window = { size, stride, dilation, padding };
  const y = [dims[0] ?? 0, dims[1] ?? 0, ...outputSizes(op, dims.slice(2), window, options.ceil ?? false)];
  return { window, countPadding: options.countPadding ?? true, x: dims, y };
}

function maxPool(op: string, rank: number, x: Tensor, options: PoolOptions): Tensor {
  // x twice: as what is compared, without gradient, and as the values taken.
  return recordPool(MAX_FORWARD, [x, x], geometryOf(op, rank, x, options), 'y');
}

function avgPool(op: string, rank: number, x: Tensor, options: AveragePoolOptions): Tensor {
  const geometry = geometryOf(op, rank, x, options);
  const { divisorOverride: divisor } = options;
  if (divisor === undefined) return compose(() => withoutOverhang(recordPool(AVERAGE_FORWARD, [x], geometry, 'y'), geometry));
  if (!Number.isFinite(divisor) || divisor === 0)
    throw new ArgumentError({ op, expected: 'divisorOverride: a number other than 0', got: showValue(divisor) });
  const cells = geometry.window.size.reduce((n, size) => n * size, 1);
  return compose(() => mul(recordPool(AVERAGE_FORWARD, [x], { ...geometry, countPadding: true }, 'y'), cells / divisor));
}

/** Averages that count the padding, with `ceil`: what a last window has beyond the padding is not counted, as in PyTorch. */
function withoutOverhang(y: Tensor, { window, countPadding, x, y: out }: PoolAttribute): Tensor {
  if (!countPadding) return y;
  const { dtype, runtime } = nodeOf(y, 'avgPool');
  return window.size.reduce((result, size, i) => {
    const places = out[2 + i] ?? 1;
    const end = (x[2 + i] ?? 0) + 2 * (window.padding[i] ?? 0);
    const counted = Array.from({ length: places }, (_, o) => Math.min(size, end - o * (window.stride[i] ?? 1)));
    if (counted.every((n) => n === size)) return result;
    const shape = [places, ...window.size.slice(i + 1).map(() => 1)];
    return mul(
      result,
      tensor(
        Float64Array.from(counted, (n) => size / n),
        { shape, dtype, device: runtime.backend },
      ),
    );
  }, y);
}

/** The largest value of each window of x `[N, C, L]`; the first one takes the gradient. @throws ShapeError, DTypeError, ArgumentError */
export function maxPool1d(x: Tensor, options: PoolOptions): Tensor {
  return maxPool('maxPool1d', 1, x, options);
}

/** The largest value of each window of x `[N, C, H, W]`; the first one takes the gradient. @throws ShapeError, DTypeError, ArgumentError */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  return maxPool('maxPool2d', 2, x, options);
}

/** The largest value of each window of x `[N, C, D, H, W]`; the first one takes the gradient. @throws ShapeError, DTypeError, ArgumentError */
export function maxPool3d(x: Tensor, options: PoolOptions): Tensor {
  return maxPool('maxPool3d', 3, x, options);
}

/**
 * Where each window of x `[N, C, …]`, with 1 to 3 spatial axes, has its largest value: the row-major place in the spatial axes, as int32.
 * These are the indices of PyTorch's `return_indices`. @throws ShapeError, DTypeError, ArgumentError
 */
export function maxPoolIndices(x: Tensor, options: PoolOptions): Tensor {
  const { shape, runtime } = nodeOf(x, 'maxPoolIndices');
  const spatial = shape.dims.slice(2);
  const rank = spatial.length;
  if (rank < 1 || rank > 3) throw new ShapeError({ op: 'maxPoolIndices', expected: 'x of rank 3 to 5 [N, C, …]', got: showDims(shape.dims) });
  return compose(() => {
    const cells = spatial.reduce((n, size) => n * size, 1);
    // The places are the values that the maxima of x select.
    const places = expand(reshape(ramp(0, 1, cells, 'int32', runtime), spatial), shape.dims);
    return recordPool(MAX_FORWARD, [detach(x), places], geometryOf('maxPoolIndices', rank, x, options), 'y');
  });
}

/** The mean of each window of x `[N, C, L]`. @throws ShapeError, DTypeError, ArgumentError */
export function avgPool1d(x: Tensor, options: AveragePoolOptions): Tensor {
  return avgPool('avgPool1d', 1, x, options);
}

/** The mean of each window of x `[N, C, H, W]`. @throws ShapeError, DTypeError, ArgumentError */
export function avgPool2d(x: Tensor, options: AveragePoolOptions): Tensor {
  return avgPool('avgPool2d', 2, x, options);
}

/** The mean of each window of x `[N, C, D, H, W]`. @throws ShapeError, DTypeError, ArgumentError */
export function avgPool3d(x: Tensor, options: AveragePoolOptions): Tensor {
  return avgPool('avgPool3d', 3, x, options);
}
