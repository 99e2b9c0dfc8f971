/**
 * Images at another size: nearest cells, linear and cubic interpolation, averages of areas; over one to three axes.
 *
 * Every mode is separable: axes are resampled one after the other. Cells are squares whose middles are at ½, 1½, …, unless `alignCorners`
 * puts the middles of the outermost cells on each other. Conventions and constants are PyTorch's.
 */

import { ArgumentError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './adaptive-pooling.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { apartFrom } from './own-handles.ts';
import { inWideFloat } from './reduce.ts';
import { resample } from './resampling.ts';
import type { ResamplingTable, Tap } from './resampling.ts';
import { perAxis } from './windows.ts';
import type { PerAxis } from './windows.ts';

/** How values between cells are found. `'linear'` is for one axis, `'bilinear'` and `'bicubic'` for two, `'trilinear'` for three. */
export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area';

/** Options of {@link interpolate}: one of `size` and `scaleFactor`. */
export interface InterpolateOptions {
  /** Places along each spatial axis; one number stands for all. */
  readonly size?: PerAxis;
  /** How many times as many places, rounded down; also what coordinates are scaled by. One number stands for all axes. */
  readonly scaleFactor?: PerAxis;
  /**
   * Default `'nearest'`: the cell at floor(i·scale), as in older PyTorch and OpenCV; `'nearest-exact'` takes the cell that the middle of
   * the new one lies in, as Pillow does. `'area'` is adaptive average pooling. Cubic weights have a = -0.75, with `antialias` -0.5.
   */
  readonly mode?: InterpolationMode;
  /** Linear and cubic modes: the middles of the corner cells stay where they are. Default false. */
  readonly alignCorners?: boolean;
  /** Bilinear and bicubic: where the image becomes smaller, weigh all cells that a new one covers, as Pillow does. Default false. */
  readonly antialias?: boolean;
}

/** Cubic convolution kernel (Keys 1981) at distance t, with slope `a` at 1. */
function cubic(t: number, a: number): number {
  const x = Math.abs(t);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

const CUBIC_SLOPE = -0.75;
/** Pillow's. */
const ANTIALIAS_SLOPE = -0.5;

/** One axis: cells there are, places there will be, and cells from one place to the next. */
interface Axis {
  readonly cells: number;
  readonly places: number;
  readonly step: number;
  readonly aligned: boolean;
}

const clampTo = (place: number, cells: number): number => Math.min(Math.max(place, 0), cells - 1);

/** Where place `i` lies, in cells from the middle of the first. */
const positionOf = ({ step, aligned }: Axis, i: number): number => (aligned ? i * step : (i + 0.5) * step - 0.5);

function linearTaps(axis: Axis, i: number): Tap[] {
  const at = Math.max(positionOf(axis, i), 0);
  const first = Math.min(Math.floor(at), axis.cells - 1);
  const second = Math.min(first + 1, axis.cells - 1);
  const share = Math.min(at - first, 1);
  return [
    [first, 1 - share],
    [second, share],
  ];
}

function cubicTaps(axis: Axis, i: number): Tap[] {
  const at = positionOf(axis, i);
  const first = Math.floor(at);
  return [-1, 0, 1, 2].map((k) => [clampTo(first + k, axis.cells), cubic(at - first - k, CUBIC_SLOPE)]);
}

/** All cells within reach of the filter, which is as wide as a place of the result where that is wider than a cell; weights add up to 1. */
function antialiasedTaps({ cells, step }: Axis, i: number, radius: number, filter: (t: number) => number): Tap[] {
  const stretch = Math.max(step, 1);
  const middle = step * (i + 0.5);
  const start = Math.max(Math.trunc(middle - radius * stretch + 0.5), 0);
  const end = Math.min(Math.trunc(middle + radius * stretch + 0.5), cells);
  const taps = Array.from({ length: end - start }, (_, k): Tap => [start + k, filter((start + k - middle + 0.5) / stretch)]);
  const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
  return taps.map(([place, weight]) => [place, weight / total]);
}

const triangle = (t: number): number => Math.max(0, 1 - Math.abs(t));

/** Rounding down forgives this much: n / places times a multiple of places is a whole number, that rounding may leave just below. */
const SLACK = 1e-9;

function tapsOf(mode: InterpolationMode, antialias: boolean, axis: Axis, i: number): Tap[] {
  if (mode === 'nearest') return [[clampTo(Math.floor(i * axis.step + SLACK), axis.cells), 1]];
  if (mode === 'nearest-exact') return [[clampTo(Math.floor((i + 0.5) * axis.step + SLACK), axis.cells), 1]];
  if (antialias) return mode === 'bicubic' ? antialiasedTaps(axis, i, 2, (t) => cubic(t, ANTIALIAS_SLOPE)) : antialiasedTaps(axis, i, 1, triangle);
  return mode === 'bicubic' ? cubicTaps(axis, i) : linearTaps(axis, i);
}

function tableOf(mode: InterpolationMode, antialias: boolean, axis: Axis): ResamplingTable {
  return { places: Array.from({ length: axis.places }, (_, i) => tapsOf(mode, antialias, axis, i)), cells: axis.cells };
}

/** Spatial axes that each mode is for. */
const RANKS: Readonly<Record<InterpolationMode, readonly number[]>> = {
  nearest: [1, 2, 3],
  'nearest-exact': [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  trilinear: [3],
  bicubic: [2],
};
const SMOOTH: readonly InterpolationMode[] = ['linear', 'bilinear', 'trilinear', 'bicubic'];

/** @throws ShapeError, ArgumentError */
function requireMode(mode: InterpolationMode, dims: Dims, options: InterpolateOptions): void {
  const op = 'interpolate';
  if (!Object.hasOwn(RANKS, mode))
    throw new ArgumentError({
      op,
      expected: `a mode of ${Object.keys(RANKS)
        .map((m) => `'${m}'`)
        .join(', ')}`,
      got: showValue(mode),
    });
  const ranks = RANKS[mode].map((rank) => rank + 2);
  if (!ranks.includes(dims.length))
    throw new ShapeError({ op, expected: `x of rank ${ranks.join(', ')} [N, C, …] with mode '${mode}'`, got: showDims(dims) });
  if (dims.slice(2).includes(0)) throw new ShapeError({ op, expected: 'at least one cell along each spatial axis', got: showDims(dims) });
  if (options.alignCorners === true && !SMOOTH.includes(mode))
    throw new ArgumentError({ op, expected: 'alignCorners with linear and cubic modes', got: `mode '${mode}'` });
  if (options.antialias === true && mode !== 'bilinear' && mode !== 'bicubic')
    throw new ArgumentError({ op, expected: "antialias with mode 'bilinear' or 'bicubic'", got: `mode '${mode}'` });
  if ((options.size === undefined) === (options.scaleFactor === undefined))
    throw new ArgumentError({ op, expected: 'one of size and scaleFactor', got: options.size === undefined ? 'none' : 'both' });
}

/** Scale factors, one for each axis. @throws ArgumentError */
function factorsOf(given: PerAxis, rank: number): readonly number[] {
  const list = typeof given === 'number' ? Array.from({ length: rank }, () => given) : given;
  if (Array.isArray(list) && list.length === rank && list.every((f) => Number.isFinite(f) && f > 0)) return list;
  throw new ArgumentError({ op: 'interpolate', expected: `scaleFactor: a number above 0, or ${rank} of them`, got: showValue(given) });
}

function axesOf(cells: Dims, options: InterpolateOptions): Axis[] {
  const rank = cells.length;
  const aligned = options.alignCorners ?? false;
  const factors = options.scaleFactor === undefined ? null : factorsOf(options.scaleFactor, rank);
  const sizes =
    factors === null ? perAxis('interpolate', 'size', options.size ?? 1, rank, 1) : cells.map((n, i) => Math.floor(n * (factors[i] ?? 1)));
  return cells.map((n, i) => {
    const places = sizes[i] ?? 1;
    if (places < 1)
      throw new ArgumentError({ op: 'interpolate', expected: 'a result with at least one place along each axis', got: showDims(sizes) });
    const between = places > 1 ? (n - 1) / (places - 1) : 0;
    const factor = factors?.[i];
    return { cells: n, places, aligned, step: aligned ? between : factor === undefined ? n / places : 1 / factor };
  });
}

/**
 * x `[N, C, ...spatial]`, with one to three spatial axes, at another size: `[N, C, ...places]`.
 *
 * With `scaleFactor` coordinates are scaled by the factor itself, as in PyTorch, even where the number of places is rounded.
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { shape, dtype } = nodeOf(x, 'interpolate');
  requireOptions('interpolate', options, "{ size: 32, mode: 'bilinear' }");
  requireFloat('interpolate', dtype);
  const { mode = 'nearest', antialias = false } = options;
  requireMode(mode, shape.dims, options);
  const axes = axesOf(shape.dims.slice(2), options);
  if (mode === 'area') {
    const pool = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d][axes.length - 1] ?? adaptiveAvgPool1d;
    return apartFrom(x, pool(x, { size: axes.map(({ places }) => places) }));
  }
  const result = inWideFloat('interpolate', x, (wide) =>
    axes.reduce((y, axis, i) => (axis.step === 1 && axis.cells === axis.places ? y : resample(y, 2 + i, tableOf(mode, antialias, axis))), wide),
  );
  return apartFrom(x, result);
}
