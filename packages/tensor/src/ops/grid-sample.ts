/**
 * Sampling images at computed places (Jaderberg et al., "Spatial Transformer Networks", 2015), and the grids of affine maps.
 *
 * Coordinates go from -1 to 1 over the image, x (the last axis) first: from edge to edge of the outermost cells, or from middle to middle
 * with `alignCorners`. Made of gathers and weights, so gradients of image and grid come by themselves.
 */

import { tensor } from '../creation.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { add, div, equal, floorDiv, greaterEqual, less, lessEqual, logicalAnd, mul, neg, remainder, sub, where } from './arithmetic.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { detach, toDType } from './convert.ts';
import { expand } from './expand.ts';
import { floor, round } from './functions.ts';
import { takeAlongAxis } from './indexing.ts';
import { matmul } from './matmul.ts';
import { slice, transpose } from './movement.ts';
import { inWideFloat } from './reduce.ts';
import { reshape, unsqueeze } from './reshape.ts';

/** Options of {@link gridSample}. */
export interface GridSampleOptions {
  /** Default `'bilinear'` (of eight cells where there are three axes). `'bicubic'`, with a = -0.75, is for two axes. */
  readonly mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What lies outside: 0 (default), the nearest cell of the border, or the image reflected. */
  readonly padding?: 'zeros' | 'border' | 'reflection';
  /** Coordinates -1 and 1 are the middles of the outermost cells, or (default) their outer edges. */
  readonly alignCorners?: boolean;
}

type Padding = NonNullable<GridSampleOptions['padding']>;

/** How one axis is sampled: its cells, and how coordinates outside are brought inside. */
interface Axis {
  readonly size: number;
  readonly inside: (at: Tensor) => Tensor;
}

/** Cells that are looked at along one axis, with their weights. */
interface Tap {
  readonly cell: Tensor;
  readonly weight: Tensor | null;
}

/** Into [0, size - 1]; without gradient at and beyond the ends, as in PyTorch. */
function clip(at: Tensor, size: number): Tensor {
  return where(lessEqual(at, 0), 0, where(greaterEqual(at, size - 1), size - 1, at));
}

/** Reflected at both ends of the image until it lies inside. */
function reflect(at: Tensor, size: number, alignCorners: boolean): Tensor {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return mul(at, 0);
  const signed = sub(at, low);
  const distance = where(less(signed, 0), neg(signed), signed);
  const turns = detach(floorDiv(distance, span));
  const rest = sub(distance, mul(turns, span));
  return add(where(equal(remainder(turns, 2), 0), rest, sub(span, rest)), low);
}

function axisOf(size: number, padding: Padding, alignCorners: boolean): Axis {
  if (padding === 'zeros') return { size, inside: (at) => at };
  if (padding === 'border') return { size, inside: (at) => clip(at, size) };
  return { size, inside: (at) => clip(reflect(at, size, alignCorners), size) };
}

/** Cubic convolution weights (Keys 1981) of the cells at -1, 0, 1 and 2 from the one before; t in [0, 1). */
function cubicWeights(t: Tensor): Tensor[] {
  const a = -0.75;
  const near = (x: Tensor): Tensor => add(mul(mul(sub(mul(x, a + 2), a + 3), x), x), 1);
  const far = (x: Tensor): Tensor => mul(sub(mul(add(mul(sub(x, 5), x), 8), x), 4), a);
  return [far(add(t, 1)), near(t), near(sub(1, t)), far(sub(2, t))];
}

function tapsOf(axis: Axis, at: Tensor, mode: GridSampleOptions['mode']): Tap[] {
  if (mode === 'nearest') return [{ cell: round(detach(axis.inside(at))), weight: null }];
  const place = mode === 'bicubic' ? at : axis.inside(at);
  const first = floor(detach(place));
  const t = sub(place, first);
  if (mode === 'bicubic') return cubicWeights(t).map((weight, i) => ({ cell: axis.inside(add(first, i - 1)), weight }));
  return [
    { cell: first, weight: sub(1, t) },
    { cell: add(first, 1), weight: t },
  ];
}

/** Every choice of one tap for each axis. */
function combinations(taps: readonly (readonly Tap[])[]): Tap[][] {
  return taps.reduce<Tap[][]>((found, axis) => found.flatMap((chosen) => axis.map((tap) => [...chosen, tap])), [[]]);
}

/** The cells of x `[N, C, cells]` that a combination names, weighed; 0 where one lies outside. */
function contribution(x: Tensor, chosen: readonly Tap[], sizes: Dims): Tensor {
  const [n = 0, c = 0] = nodeOf(x, 'gridSample').shape.dims;
  const isInside = chosen
    .map(({ cell }, i) => logicalAnd(greaterEqual(cell, 0), lessEqual(cell, (sizes[i] ?? 1) - 1)))
    .reduce((all, next) => logicalAnd(all, next));
  const flat = chosen
    .map(({ cell }) => toDType(where(isInside, detach(cell), 0), 'int32'))
    .reduce((index, cell, i) => add(mul(index, sizes[i] ?? 1), cell));
  const points = nodeOf(flat, 'gridSample').shape.dims[1] ?? 0;
  const values = takeAlongAxis(x, expand(unsqueeze(flat, 1), [n, c, points]), { axis: 2 });
  const weight = chosen.reduce<Tensor | null>((w, tap) => (w === null ? tap.weight : tap.weight === null ? w : mul(w, tap.weight)), null);
  return where(unsqueeze(isInside, 1), weight === null ? values : mul(values, unsqueeze(weight, 1)), 0);
}

const MODES: readonly unknown[] = ['bilinear', 'nearest', 'bicubic'];
const PADDINGS: readonly unknown[] = ['zeros', 'border', 'reflection'];

/** @throws ShapeError, DTypeError, ArgumentError */
function requireSamples(x: Tensor, grid: Tensor, options: GridSampleOptions): void {
  const op = 'gridSample';
  requireOptions(op, options, "{ mode: 'nearest' }");
  const image = nodeOf(x, op);
  const places = nodeOf(grid, op);
  requireFloat(op, image.dtype);
  requireFloat(op, places.dtype);
  const from = image.shape.dims;
  const to = places.shape.dims;
  if (!((from.length === 4 || from.length === 5) && to.length === from.length && to[0] === from[0] && to.at(-1) === from.length - 2))
    throw new ShapeError({
      op,
      expected: 'x [N, C, H, W] and grid [N, …, …, 2], or x [N, C, D, H, W] and grid [N, …, …, …, 3]',
      got: `${showDims(from)} and ${showDims(to)}`,
    });
  if (from.slice(2).includes(0)) throw new ShapeError({ op, expected: 'at least one cell along each spatial axis', got: showDims(from) });
  const { mode = 'bilinear', padding = 'zeros' } = options;
  if (!MODES.includes(mode)) throw new ArgumentError({ op, expected: "mode: 'bilinear', 'nearest' or 'bicubic'", got: showValue(mode) });
  if (!PADDINGS.includes(padding)) throw new ArgumentError({ op, expected: "padding: 'zeros', 'border' or 'reflection'", got: showValue(padding) });
  if (mode === 'bicubic' && from.length === 5) throw new ShapeError({ op, expected: "two spatial axes with mode 'bicubic'", got: showDims(from) });
}

/**
 * The values of x at the places of `grid`.
 *
 * @param x `[N, C, H, W]`, or `[N, C, D, H, W]`
 * @param grid `[N, …, 2]` or `[N, …, 3]`: coordinates (x, y) or (x, y, z), in [-1, 1] inside the image; as many axes as x
 * @returns `[N, C, …]`, with the sizes of the grid
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  requireSamples(x, grid, options);
  const { mode = 'bilinear', padding = 'zeros', alignCorners = false } = options;
  const [n = 0, c = 0, ...sizes] = nodeOf(x, 'gridSample').shape.dims;
  const out = nodeOf(grid, 'gridSample').shape.dims.slice(1, -1);
  const points = out.reduce((product, size) => product * size, 1);
  return inWideFloat('gridSample', x, (wide) => {
    const rows = reshape(toDType(grid, nodeOf(wide, 'gridSample').dtype), [n, points, sizes.length]);
    const taps = sizes.map((size, i) => {
      const unit = add(slice(rows, [null, null, sizes.length - 1 - i]), 1);
      const at = alignCorners ? mul(unit, (size - 1) / 2) : div(sub(mul(unit, size), 1), 2);
      return tapsOf(axisOf(size, padding, alignCorners), at, mode);
    });
    const cells = reshape(wide, [n, c, sizes.reduce((product, size) => product * size, 1)]);
    const sampled = combinations(taps)
      .map((chosen) => contribution(cells, chosen, sizes))
      .reduce((total, next) => add(total, next));
    return reshape(sampled, [n, c, ...out]);
  });
}

/** Options of {@link affineGrid}. */
export interface AffineGridOptions {
  /** As that of {@link gridSample}. Default false. */
  readonly alignCorners?: boolean;
}

/**
 * The grid for {@link gridSample} that takes place p of the result from θ·(p, 1) of the image.
 *
 * @param theta `[N, 2, 3]` or `[N, 3, 4]`
 * @param size sizes of the result, `[N, C, H, W]` or `[N, C, D, H, W]`
 * @returns `[N, H, W, 2]` or `[N, D, H, W, 3]`
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function affineGrid(theta: Tensor, size: Dims, options: AffineGridOptions = {}): Tensor {
  requireOptions('affineGrid', options, '{ alignCorners: true }');
  const { dims } = nodeOf(theta, 'affineGrid').shape;
  const { dtype, runtime } = nodeOf(theta, 'affineGrid');
  requireFloat('affineGrid', dtype);
  const spatial = Array.isArray(size) ? size.slice(2) : [];
  const rank = spatial.length;
  if (!(rank === 2 || rank === 3) || dims.length !== 3 || dims[0] !== size[0] || dims[1] !== rank || dims[2] !== rank + 1)
    throw new ShapeError({
      op: 'affineGrid',
      expected: 'theta [N, 2, 3] and size [N, C, H, W], or theta [N, 3, 4] and size [N, C, D, H, W]',
      got: `${showDims(dims)} and ${showValue(size)}`,
    });
  if (spatial.some((n) => !Number.isSafeInteger(n) || n < 1))
    throw new ArgumentError({ op: 'affineGrid', expected: 'at least one place along each axis', got: showDims(size) });
  const { alignCorners = false } = options;
  const coordinate = (i: number, n: number): number => (alignCorners ? (n > 1 ? (2 * i) / (n - 1) - 1 : 0) : (2 * i + 1) / n - 1);
  const points = spatial.reduce((product, n) => product * n, 1);
  const base = new Float64Array(points * (rank + 1));
  for (let point = 0; point < points; point++) {
    let rest = point;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const n = spatial[axis] ?? 1;
      base[point * (rank + 1) + rank - 1 - axis] = coordinate(rest % n, n);
      rest = Math.floor(rest / n);
    }
    base[point * (rank + 1) + rank] = 1;
  }
  return compose(() => {
    const places = tensor(base, { shape: [points, rank + 1], dtype, device: runtime.backend });
    return reshape(matmul(places, transpose(theta)), [dims[0] ?? 0, ...spatial, rank]);
  });
}
