/**
 * Windows laid side by side, and put back: `unfold` (im2col), `fold` (col2im), and windows along one axis.
 *
 * Taking windows is a view: the axis between windows and the axis within one are two steps through the same memory. Putting them back adds up what
 * overlaps. Each is the other's gradient.
 */

import { apply } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import { customGradient } from '../define-op.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { record, recordView } from '../graph/record.ts';
import { rowMajorStrides, shapeOf, showDims } from '../graph/shape.ts';
import { internalError } from '../internal.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { sum } from './expand.ts';
import { pad, slice } from './movement.ts';
import { reshape } from './reshape.ts';
import { guarded, outputSizes, perAxis } from './windows.ts';
import type { PerAxis } from './windows.ts';

/**
 * Windows along one axis: one every `step` cells, of cells `dilation` apart. `axis` counts windows and `cell` runs through each; both are axes of the
 * result, which has one more than the tensor.
 */
interface Windows {
  readonly axis: number;
  readonly cell: number;
  readonly step: number;
  readonly dilation: number;
}

const attributeOf = (w: Windows): ReturnType<typeof intern> => intern(`windows:${w.axis}:${w.cell}:${w.step}:${w.dilation}`, w);

/** The axis of the tensor that windows are taken along. */
const sourceAxis = ({ axis, cell }: Windows): number => (cell < axis ? axis - 1 : axis);

const WINDOWS: OpRow = /* @__PURE__ */ row({
  name: 'windows',
  lowering: {
    kind: 'view',
    apply: (view, { dims, attribute }) => {
      const windows = attribute as Windows;
      const from = sourceAxis(windows);
      const stride = view.strides[from] ?? 0;
      const strides = view.strides.with(from, stride * windows.step).toSpliced(windows.cell, 0, stride * windows.dilation);
      return { dims, strides, offset: view.offset };
    },
  },
  gradient: (g, context) => {
    const windows = attributeValue<Windows>(context);
    return [overlapped(g, windows, context.dims[0]?.[sourceAxis(windows)] ?? 0)];
  },
});

/** `count` windows of `size` cells. */
function windowsAlong(x: Tensor, windows: Windows, count: number, size: number): Tensor {
  const node = nodeOf(x, 'windows');
  const shape = shapeOf(node.shape.dims.with(sourceAxis(windows), count).toSpliced(windows.cell, 0, size));
  return recordView(WINDOWS, node, shape, attributeOf(windows)) ?? internalError('strides always say this');
}

/** Cell k of window w at `w · step + k · dilation` along the axis, k still an axis of its own; 0 where no window has its cell k. */
const SPREAD_WINDOWS: OpRow = /* @__PURE__ */ row({
  name: 'spread windows',
  lowering: {
    kind: 'elementwise',
    indexed: [0],
    express: (_, context) => {
      const { axis, cell, step, dilation } = attributeValue<Windows>(context);
      const dims = context.inputs[0]?.dims ?? [];
      const strides = rowMajorStrides(dims);
      const coordinate = (of: number): Expression => context.position(dims.map((_size, i) => (i === of ? 1 : 0)));
      const moved = apply('subtract', coordinate(axis), apply('multiply', coordinate(cell), context.size(dilation)));
      // Divisions are dear where a step of 1 needs none.
      const window = step === 1 ? moved : apply('divide', moved, context.size(step));
      const whole = apply('equal', apply('multiply', window, context.size(step)), moved);
      const fits = apply('and', apply('lessEqual', context.size(0), moved), apply('less', window, context.size(dims[axis] ?? 0)));
      const inside = step === 1 ? fits : apply('and', fits, whole);
      const rest = context.position(strides.map((stride, i) => (i === axis ? 0 : stride)));
      return context.gather(0, guarded(apply('add', rest, apply('multiply', window, context.size(strides[axis] ?? 1))), inside), 0);
    },
  },
});

/** Windows put back where they come from, on an axis of `length`; where they overlap, they add up. */
function overlapped(taken: Tensor, windows: Windows, length: number): Tensor {
  const { dims } = nodeOf(taken, 'fold').shape;
  const count = dims[windows.axis] ?? 0;
  const size = dims[windows.cell] ?? 0;
  return customGradient((g: Tensor) => {
    const node = nodeOf(g, 'fold');
    const spread = record(SPREAD_WINDOWS, [node], shapeOf(dims.with(windows.axis, length)), node.dtype, attributeOf(windows));
    return { value: sum(spread, { axis: windows.cell }), gradient: (h) => [windowsAlong(h, windows, count, size)] };
  })(taken);
}

/**
 * Windows of `size` elements along `axis`, one every `step` (default 1), as a new last axis: PyTorch's `Tensor.unfold`. A view.
 *
 * @throws AxisError; ArgumentError; ShapeError for windows longer than the axis
 */
export function unfoldAxis(x: Tensor, options: { readonly axis: number; readonly size: number; readonly step?: number }): Tensor {
  const op = 'unfoldAxis';
  requireOptions(op, options, '{ axis: 0, size: 3 }');
  const { dims, rank } = nodeOf(x, op).shape;
  const axis = normalizeAxis(op, options.axis, rank);
  const { size, step = 1 } = options;
  if (!Number.isInteger(size) || size < 0) throw new ArgumentError({ op, expected: 'a whole size of at least 0', got: showValue(size) });
  if (!Number.isInteger(step) || step < 1) throw new ArgumentError({ op, expected: 'a whole step of at least 1', got: showValue(step) });
  const room = (dims[axis] ?? 0) - size;
  if (room < 0) throw new ShapeError({ op, expected: `windows of at most ${dims[axis] ?? 0}, the size of axis ${axis}`, got: String(size) });
  return windowsAlong(x, { axis, cell: rank, step, dilation: 1 }, Math.floor(room / step) + 1, size);
}

/** Options of {@link unfold}: each one number for both spatial axes, or one each. */
export interface UnfoldOptions {
  readonly kernelSize: PerAxis;
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Cells of 0 around both spatial axes, on each side. Default 0. */
  readonly padding?: PerAxis;
  /** Default 1. */
  readonly stride?: PerAxis;
}

interface Geometry {
  readonly size: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly stride: readonly number[];
}

function geometryOf(op: string, options: UnfoldOptions): Geometry {
  requireOptions(op, options, '{ kernelSize: 3 }');
  return {
    size: perAxis(op, 'kernelSize', options.kernelSize, 2, 1),
    dilation: perAxis(op, 'dilation', options.dilation ?? 1, 2, 1),
    padding: perAxis(op, 'padding', options.padding ?? 0, 2, 0),
    stride: perAxis(op, 'stride', options.stride ?? 1, 2, 1),
  };
}

/** How patches `[..., C, kH, kW, rows, columns]` come from an image with the channels in axis c: first along its height, then along its width. */
const windowsOf = ({ stride, dilation }: Geometry, c: number): readonly [Windows, Windows] => [
  { axis: c + 2, cell: c + 1, step: stride[0] ?? 1, dilation: dilation[0] ?? 1 },
  { axis: c + 4, cell: c + 2, step: stride[1] ?? 1, dilation: dilation[1] ?? 1 },
];

/**
 * The patches that a convolution sees, as columns (im2col): `[N, C, H, W]` to `[N, C · kH · kW, L]`, L the number of places in row-major order.
 * Without the batch axis, `[C, H, W]` to `[C · kH · kW, L]`.
 *
 * @throws ShapeError, ArgumentError
 */
export function unfold(x: Tensor, options: UnfoldOptions): Tensor {
  const geometry = geometryOf('unfold', options);
  const { dims, rank } = nodeOf(x, 'unfold').shape;
  if (rank !== 3 && rank !== 4) throw new ShapeError({ op: 'unfold', expected: '[N, C, H, W] or [C, H, W]', got: showDims(dims) });
  const batch = dims.slice(0, -3);
  const [channels = 0, height = 0, width = 0] = dims.slice(-3);
  const [rows = 0, columns = 0] = outputSizes('unfold', [height, width], geometry);
  return compose(() => {
    const [down = 1, across = 1] = geometry.size;
    const [top = 0, left = 0] = geometry.padding;
    const widths = dims.map((_, axis): [number, number] => (axis === rank - 2 ? [top, top] : axis === rank - 1 ? [left, left] : [0, 0]));
    const padded = top === 0 && left === 0 ? x : pad(x, widths);
    const [vertical, horizontal] = windowsOf(geometry, batch.length);
    const patches = windowsAlong(windowsAlong(padded, vertical, rows, down), horizontal, columns, across);
    return reshape(patches, [...batch, channels * down * across, rows * columns]);
  });
}

/** Options of {@link fold}. */
export interface FoldOptions extends UnfoldOptions {
  /** Height and width of the result. */
  readonly outputSize: PerAxis;
}

/**
 * Columns put back into images (col2im), where they overlap added up: `[N, C · kH · kW, L]` to `[N, C, H, W]`; without the batch axis as well. The
 * transpose of {@link unfold}, not its inverse.
 *
 * @throws ShapeError when rows are no multiple of the window, or columns are not as many as places; ArgumentError
 */
export function fold(x: Tensor, options: FoldOptions): Tensor {
  const geometry = geometryOf('fold', options);
  const [height = 0, width = 0] = perAxis('fold', 'outputSize', options.outputSize, 2, 1);
  const { dims, rank } = nodeOf(x, 'fold').shape;
  if (rank !== 2 && rank !== 3) throw new ShapeError({ op: 'fold', expected: '[N, C · kH · kW, L] or [C · kH · kW, L]', got: showDims(dims) });
  const [rows = 0, columns = 0] = outputSizes('fold', [height, width], geometry);
  const [down = 1, across = 1] = geometry.size;
  const channels = (dims.at(-2) ?? 0) / (down * across);
  if (!Number.isInteger(channels) || dims.at(-1) !== rows * columns)
    throw new ShapeError({ op: 'fold', expected: `a multiple of ${down * across} rows and ${rows * columns} columns`, got: showDims(dims) });
  const batch: Dims = dims.slice(0, -2);
  return compose(() => {
    const [top = 0, left = 0] = geometry.padding;
    const [vertical, horizontal] = windowsOf(geometry, batch.length);
    const patches = reshape(x, [...batch, channels, down, across, rows, columns]);
    const whole = overlapped(overlapped(patches, horizontal, width + 2 * left), vertical, height + 2 * top);
    if (top === 0 && left === 0) return whole;
    return slice(whole, [...batch.map(() => null), null, { start: top, end: top + height }, { start: left, end: left + width }]);
  });
}
