/** Specifications of image ops: interpolation by kernels over all cells, sampling place by place, shuffles by their index arithmetic. */

import { affineGrid, gridSample } from './grid-sample.ts';
import type { GridSampleOptions } from './grid-sample.ts';
import { interpolate } from './interpolate.ts';
import type { InterpolateOptions } from './interpolate.ts';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from './pixel-shuffle.ts';
import { array, at } from './specification.spec.ts';
import type { InputSpecification, OpSpecification } from './specification.spec.ts';
import { cells, input } from './windows.spec.ts';

const plain = (...dims: number[]): InputSpecification => ({ dims, low: -2, high: 2 });
const clamp = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1);

/** Cubic convolution of slope `a`, as the two polynomials are usually written out. */
const keys =
  (a: number) =>
  (t: number): number => {
    const x = Math.abs(t);
    if (x < 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
    return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
  };
const triangle = (t: number): number => Math.max(0, 1 - Math.abs(t));

/** Weights of all cells at place `i`: kernels are moved to the place, and what lies beyond an end counts for the last cell. */
function weightsAt(n: number, places: number, i: number, options: InterpolateOptions, factor?: number): number[] {
  const { mode = 'nearest', alignCorners = false, antialias = false } = options;
  const step = factor === undefined ? n / places : 1 / factor;
  const weights = Array.from({ length: n }, () => 0);
  const addTo = (cell: number, weight: number): void => {
    weights[cell] = (weights[cell] ?? 0) + weight;
  };
  if (mode === 'nearest') addTo(clamp(Math.floor(i * step + 1e-12), n), 1);
  else if (mode === 'nearest-exact') addTo(clamp(Math.floor((i + 0.5) * step + 1e-12), n), 1);
  else if (mode === 'area') {
    const start = Math.floor((i * n) / places);
    const end = Math.ceil(((i + 1) * n) / places);
    for (let cell = start; cell < end; cell++) addTo(cell, 1 / (end - start));
  } else if (antialias) {
    const kernel = mode === 'bicubic' ? keys(-0.5) : triangle;
    const stretch = Math.max(step, 1);
    const raw = weights.map((_, cell) => kernel((cell - ((i + 0.5) * step - 0.5)) / stretch));
    const total = raw.reduce((a, b) => a + b, 0);
    raw.forEach((weight, cell) => addTo(cell, weight / total));
  } else {
    const kernel = mode === 'bicubic' ? keys(-0.75) : triangle;
    const place = alignCorners ? (places > 1 ? (i * (n - 1)) / (places - 1) : 0) : (i + 0.5) * step - 0.5;
    for (let cell = -3; cell < n + 3; cell++) addTo(clamp(cell, n), kernel(place - cell));
  }
  return weights;
}

const interpolated = (dims: readonly number[], sizes: readonly number[], options: InterpolateOptions): OpSpecification => ({
  name: `interpolate ${JSON.stringify(options)} of [${dims.join()}]`,
  run: (...[x]) => interpolate(x as NonNullable<typeof x>, options),
  reference: (...inputs) => {
    const x = input(inputs);
    return array([...dims.slice(0, 2), ...sizes], ([n = 0, c = 0, ...out]) => {
      const spatial = dims.slice(2);
      const factors = typeof options.scaleFactor === 'number' ? spatial.map(() => options.scaleFactor as number) : options.scaleFactor;
      const weights = out.map((i, axis) => weightsAt(spatial[axis] ?? 1, sizes[axis] ?? 1, i, options, factors?.[axis]));
      return cells(spatial).reduce((sum, cell) => sum + cell.reduce((w, i, axis) => w * (weights[axis]?.[i] ?? 0), 1) * at(x, [n, c, ...cell]), 0);
    });
  },
  cases: [[plain(...dims)]],
  tolerance: 6e-6,
});

/** A coordinate brought inside the image. */
function brought(place: number, size: number, { padding = 'zeros', alignCorners = false }: GridSampleOptions): number {
  if (padding === 'zeros') return place;
  if (padding === 'border') return clamp(place, size);
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return 0;
  const wrapped = (((place - low) % (2 * span)) + 2 * span) % (2 * span);
  return clamp((wrapped > span ? 2 * span - wrapped : wrapped) + low, size);
}

/** Cells along one axis and their weights. */
function tapsAt(unit: number, size: number, options: GridSampleOptions): [number, number][] {
  const { mode = 'bilinear', alignCorners = false } = options;
  const place = alignCorners ? ((unit + 1) / 2) * (size - 1) : ((unit + 1) * size - 1) / 2;
  if (mode === 'nearest') return [[Math.round(brought(place, size, options)), 1]];
  if (mode === 'bicubic')
    return [-1, 0, 1, 2].map((k) => [brought(Math.floor(place) + k, size, options), keys(-0.75)(place - Math.floor(place) - k)]);
  const inside = brought(place, size, options);
  return [0, 1].map((k) => [Math.floor(inside) + k, triangle(inside - Math.floor(inside) - k)]);
}

const sampled = (options: GridSampleOptions, dims: readonly number[], out: readonly number[]): OpSpecification => ({
  name: `gridSample ${JSON.stringify(options)} of [${dims.join()}]`,
  run: (...[x, grid]) => gridSample(x as NonNullable<typeof x>, grid as NonNullable<typeof grid>, options),
  reference: (...inputs) => {
    const x = input(inputs);
    const grid = input(inputs, 1);
    const spatial = dims.slice(2);
    return array([...dims.slice(0, 2), ...out], ([n = 0, c = 0, ...place]) => {
      const taps = spatial.map((size, axis) => tapsAt(at(grid, [n, ...place, spatial.length - 1 - axis]), size, options));
      return cells(taps.map((axis) => axis.length)).reduce((sum, choice) => {
        const chosen = choice.map((k, axis) => taps[axis]?.[k] ?? [NaN, NaN]);
        const value = at(x, [n, c, ...chosen.map(([cell]) => cell ?? NaN)]);
        return sum + (Number.isNaN(value) ? 0 : value * chosen.reduce((w, [, weight]) => w * (weight ?? NaN), 1));
      }, 0);
    });
  },
  cases: [[plain(...dims), { dims: [dims[0] ?? 1, ...out, dims.length - 2], low: -1.4, high: 1.4 }]],
  tolerance: 1e-5,
});

const MODES = ['bilinear', 'nearest', 'bicubic'] as const;
const PADDINGS = ['zeros', 'border', 'reflection'] as const;

export const specifications: readonly OpSpecification[] = [
  ...([3, 4, 7] as const).flatMap((size) => [
    interpolated([2, 1, 4], [size], { size }),
    interpolated([1, 2, 4], [size], { size, mode: 'nearest-exact' }),
    interpolated([1, 2, 4], [size], { size, mode: 'linear' }),
    interpolated([1, 2, 4], [size], { size, mode: 'linear', alignCorners: true }),
  ]),
  interpolated([1, 1, 2, 2, 3], [3, 1, 2], { size: [3, 1, 2] }),
  interpolated([1, 1, 4, 3], [2, 5], { size: [2, 5], mode: 'area' }),
  interpolated([1, 1, 3, 4], [5, 2], { size: [5, 2], mode: 'bilinear' }),
  interpolated([1, 1, 3, 4], [5, 2], { scaleFactor: [1.7, 0.6], mode: 'bilinear' }),
  interpolated([1, 1, 3, 4], [5, 2], { size: [5, 2], mode: 'bicubic' }),
  interpolated([1, 1, 3, 4], [5, 1], { size: [5, 1], mode: 'bicubic', alignCorners: true }),
  interpolated([1, 1, 5, 6], [2, 8], { size: [2, 8], mode: 'bilinear', antialias: true }),
  interpolated([1, 1, 5, 6], [2, 8], { size: [2, 8], mode: 'bicubic', antialias: true }),
  interpolated([1, 1, 2, 3, 2], [3, 2, 2], { size: [3, 2, 2], mode: 'trilinear' }),
  // Cells of bicubic samples are clamped at borders as those of reflections are: PyTorch's numbers have them all.
  ...MODES.flatMap((mode) =>
    PADDINGS.filter((padding) => mode !== 'bicubic' || padding !== 'border').map((padding) =>
      sampled({ mode, padding, alignCorners: padding === 'border' }, [mode === 'bicubic' ? 1 : 2, 1, 3, 4], [1, 2]),
    ),
  ),
  sampled({ padding: 'reflection', alignCorners: true }, [1, 2, 3, 4], [1, 3]),
  sampled({}, [1, 1, 2, 3, 2], [1, 2, 2]),
  sampled({ padding: 'reflection', mode: 'nearest' }, [1, 1, 2, 3, 2], [1, 2, 2]),
  ...[false, true].map((alignCorners): OpSpecification => ({
    name: `affineGrid ${JSON.stringify({ alignCorners })}`,
    run: (theta) => affineGrid(theta, [2, 1, 3, 2], { alignCorners }),
    reference: (theta) =>
      array([2, 3, 2, 2], ([n = 0, h = 0, w = 0, axis = 0]) => {
        const unit = (i: number, size: number): number => (alignCorners ? (2 * i) / (size - 1) - 1 : (2 * i + 1) / size - 1);
        const row = [0, 1, 2].map((k) => at(theta, [n, axis, k]));
        return (row[0] ?? 0) * unit(w, 2) + (row[1] ?? 0) * unit(h, 3) + (row[2] ?? 0);
      }),
    cases: [[plain(2, 2, 3)]],
  })),
  {
    name: 'affineGrid of three axes',
    run: (theta) => affineGrid(theta, [1, 1, 2, 1, 2]),
    reference: (theta) =>
      array([1, 2, 1, 2, 3], ([, d = 0, , w = 0, axis = 0]) => {
        const point = [w - 0.5, 0, d - 0.5, 1];
        return point.reduce((sum, value, k) => sum + value * at(theta, [0, axis, k]), 0);
      }),
    cases: [[plain(1, 3, 4)]],
  },
  {
    name: 'pixelShuffle',
    run: (x) => pixelShuffle(x, 2),
    reference: (x) =>
      array([2, 1, 4, 6], ([n = 0, c = 0, h = 0, w = 0]) => at(x, [n, 4 * c + 2 * (h % 2) + (w % 2), Math.floor(h / 2), Math.floor(w / 2)])),
    cases: [[plain(2, 4, 2, 3)]],
  },
  {
    name: 'pixelUnshuffle',
    run: (x) => pixelUnshuffle(x, 2),
    reference: (x) => array([8, 1, 3], ([c = 0, h = 0, w = 0]) => at(x, [Math.floor(c / 4), 2 * h + (Math.floor(c / 2) % 2), 2 * w + (c % 2)])),
    cases: [[plain(2, 2, 6)]],
  },
  {
    name: 'channelShuffle',
    run: (x) => channelShuffle(x, 3),
    reference: (x) => array([2, 6, 2], ([n = 0, c = 0, l = 0]) => at(x, [n, (c % 3) * 2 + Math.floor(c / 3), l])),
    cases: [[plain(2, 6, 2)]],
  },
];
