/**
 * The geometry of convolutions as tables of byte offsets, so that every pass, in any number of dimensions, is a matrix product whose
 * factor from the picture is read through tables.
 *
 * Words used here:
 * - **tap**: one cell of the filter window.
 * - **plane**: one channel of one picture.
 * - **frame**: a copy of planes with zeros around them, so that every tap of every window lies inside. Where no window leaves the picture,
 *   the picture itself serves.
 * - **lattice**: the input positions of one residue modulo the stride. In the gradient of the input they all meet the same taps, at the same
 *   distances; with stride 1 there is one lattice.
 */

import type { ConvolutionKernel } from '@gradus/backend';

const WORD_BYTES = 4;

/** Sizes of one run. */
export interface Shape {
  readonly images: number;
  readonly groups: number;
  /** Of one group. */
  readonly channels: number;
  readonly filters: number;
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/** Reads the sizes `N, C, O, ...input, ...output`. */
export function shapeOf({ window, groups }: ConvolutionKernel, dims: Int32Array): Shape {
  const spatial = window.size.length;
  const [images = 0, channels = 0, filters = 0] = dims;
  return {
    images,
    groups,
    channels: channels / groups,
    filters: filters / groups,
    input: [...dims.subarray(3, 3 + spatial)],
    output: [...dims.subarray(3 + spatial, 3 + 2 * spatial)],
  };
}

/** Cells of a grid. */
export function volume(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** Elements from one cell to the next along each axis of a row-major grid. */
export function rowMajor(sizes: readonly number[]): number[] {
  return sizes.map((_, axis) => volume(sizes.slice(axis + 1)));
}

/** Byte offsets of all cells of a grid, in row-major order. `strides` in elements. */
function offsetsOf(sizes: readonly number[], strides: readonly number[], start = 0): number[] {
  return sizes.reduce<number[]>(
    (offsets, size, axis) => offsets.flatMap((offset) => Array.from({ length: size }, (_, i) => offset + i * WORD_BYTES * (strides[axis] ?? 0))),
    [WORD_BYTES * start],
  );
}

/** Every sum of one entry of each list, in row-major order. */
function sumsOf(lists: readonly (readonly number[])[]): number[] {
  return lists.reduce<number[]>((sums, list) => sums.flatMap((sum) => list.map((entry) => sum + entry)), [0]);
}

/** Planes with zeros around them. `lead` zeros come before the first cell along each axis. */
export interface FrameShape {
  readonly lead: readonly number[];
  readonly extent: readonly number[];
  /** Of what is framed. */
  readonly size: readonly number[];
}

/** Does the frame hold nothing but what is framed, in the same places? */
export function isBare({ lead, extent, size }: FrameShape): boolean {
  return lead.every((zeros) => zeros === 0) && extent.every((cells, axis) => cells === size[axis]);
}

/** A product whose columns are positions: `c[row, position] = Σ_t weight[row, t] · frame[positions[position] + taps[t]]`. */
export interface Lattice {
  /** Offsets in the planes of one group. */
  readonly positions: readonly number[];
  readonly taps: readonly number[];
  /** Offset of the weight that belongs to each tap, for row 0 of a group. */
  readonly weights: readonly number[];
  /** Positions along each axis; where the first lies in the result, and how many cells are between two. */
  readonly sizes: readonly number[];
  readonly first: readonly number[];
  readonly steps: readonly number[];
}

/** A frame, and the products that are taken from it. */
export interface Windows {
  readonly frame: FrameShape;
  readonly lattices: readonly Lattice[];
  /** Bytes from one row's weights to the next. */
  readonly rowStride: number;
}

/** A frame that begins `lead` cells before what is framed and holds `needed` cells; a bare one where that is inside. */
function frameOf(lead: readonly number[], needed: readonly number[], size: readonly number[]): FrameShape {
  const inside = lead.every((zeros) => zeros === 0) && needed.every((cells, axis) => cells <= (size[axis] ?? 0));
  return inside ? { lead, extent: size, size } : { lead, extent: needed, size };
}

/** The windows of the forward pass, and of the gradient of the filter. Rows are filters. */
export function forwardWindows({ window }: ConvolutionKernel, { channels, input, output }: Shape): Windows {
  const { size, stride, dilation, padding } = window;
  const needed = size.map((cells, d) => Math.max(0, (output[d] ?? 0) - 1) * (stride[d] ?? 1) + (cells - 1) * (dilation[d] ?? 1) + 1);
  const frame = frameOf(padding, needed, input);
  const strides = rowMajor(frame.extent);
  const each = size.map((_, d) => strides[d] ?? 0);
  const lattice: Lattice = {
    positions: offsetsOf(
      output,
      each.map((own, d) => own * (stride[d] ?? 1)),
    ),
    taps: offsetsOf([channels, ...size], [volume(frame.extent), ...each.map((own, d) => own * (dilation[d] ?? 1))]),
    weights: offsetsOf([channels * volume(size)], [1]),
    sizes: output,
    first: output.map(() => 0),
    steps: output.map(() => 1),
  };
  return { frame, lattices: [lattice], rowStride: WORD_BYTES * channels * volume(size) };
}

/** Along one axis: the positions of one residue, and the taps that meet them, with the output cell that the first position meets. */
interface AxisLattice {
  readonly residue: number;
  readonly count: number;
  readonly taps: readonly number[];
  readonly shifts: readonly number[];
}

/** Tap t meets input cell i at output cell (i + padding - t · dilation) / stride, where that is whole. */
function axisLattices(input: number, taps: number, stride: number, dilation: number, padding: number): AxisLattice[] {
  return Array.from({ length: Math.min(stride, input) }, (_, residue) => {
    const met = Array.from({ length: taps }, (_tap, t) => t).filter((t) => (residue + padding - t * dilation) % stride === 0);
    return {
      residue,
      count: Math.ceil((input - residue) / stride),
      taps: met,
      shifts: met.map((t) => (residue + padding - t * dilation) / stride),
    };
  });
}

/** Every choice of one entry from each list. */
function choices<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((head) => list.map((last) => [...head, last])), [[]]);
}

/** The windows of the gradient of the input, over frames of the output's gradient. Rows are channels. */
export function gradientWindows({ window }: ConvolutionKernel, { channels, filters, input, output }: Shape): Windows {
  const { size, stride, dilation, padding } = window;
  const axes = size.map((taps, d) => axisLattices(input[d] ?? 0, taps, stride[d] ?? 1, dilation[d] ?? 1, padding[d] ?? 0));
  const lead = axes.map((own) => Math.max(0, ...own.flatMap(({ shifts }) => shifts.map((shift) => -shift))));
  const needed = axes.map((own, d) => Math.max(1, ...own.flatMap(({ shifts, count }) => shifts.map((shift) => (lead[d] ?? 0) + shift + count))));
  const frame = frameOf(lead, needed, output);
  const strides = rowMajor(frame.extent);
  const plane = volume(frame.extent);
  const windowStrides = rowMajor(size);
  const perFilter = (stepBytes: number): number[] => Array.from({ length: filters }, (_, o) => o * stepBytes);
  const lattices = choices(axes).map((axisParts): Lattice => ({
    positions: offsetsOf(
      axisParts.map(({ count }) => count),
      strides,
    ),
    taps: sumsOf([
      perFilter(WORD_BYTES * plane),
      ...axisParts.map(({ shifts }, d) => shifts.map((shift) => WORD_BYTES * (shift + (lead[d] ?? 0)) * (strides[d] ?? 0))),
    ]),
    weights: sumsOf([
      perFilter(WORD_BYTES * channels * volume(size)),
      ...axisParts.map(({ taps }, d) => taps.map((t) => WORD_BYTES * t * (windowStrides[d] ?? 0))),
    ]),
    sizes: axisParts.map(({ count }) => count),
    first: axisParts.map(({ residue }) => residue),
    steps: axisParts.map((_, d) => stride[d] ?? 1),
  }));
  return { frame, lattices, rowStride: WORD_BYTES * volume(size) };
}
