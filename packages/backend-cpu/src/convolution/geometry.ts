/**
 * The geometry of a convolution as tables of offsets, so that each pass is a matrix product whose factors are read through tables.
 *
 * Words used here:
 * - **tap**: one cell of the filter window.
 * - **frame**: the channels of one image (or of one output gradient) of one group, copied with zeros around them, so that every tap of
 *   every window lies inside and no position has to be checked.
 * - **phase**: the input positions of one residue modulo the stride. They all meet the same taps, at the same shifts; with stride 1
 *   there is one phase.
 */

import type { ConvolutionKernel } from '@gradus/backend';

import { denseStrides, grid, gridSize, steps, sums } from '../contract/offsets.ts';

/** Sizes of one run. */
export interface Shape {
  readonly images: number;
  readonly groups: number;
  /** Channels and filters of one group. */
  readonly channels: number;
  readonly filters: number;
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Numbers of input positions, output positions and taps. */
  readonly inputs: number;
  readonly outputs: number;
  readonly taps: number;
}

/** Reads the sizes `N, C, O, ...input, ...output`. */
export function shapeOf(kernel: ConvolutionKernel, dims: Int32Array): Shape {
  const spatial = kernel.window.size.length;
  const [images = 0, c = 0, o = 0] = dims;
  const input = [...dims.subarray(3, 3 + spatial)];
  const output = [...dims.subarray(3 + spatial, 3 + 2 * spatial)];
  return {
    images,
    groups: kernel.groups,
    channels: c / kernel.groups,
    filters: o / kernel.groups,
    input,
    output,
    inputs: gridSize(input),
    outputs: gridSize(output),
    taps: gridSize(kernel.window.size),
  };
}

/** Where a channel's cells go in a frame. */
export interface Frame {
  /** Zeros before the first cell, and all cells, along each axis. */
  readonly lead: readonly number[];
  readonly extent: readonly number[];
  readonly strides: readonly number[];
  /** Elements of one channel. */
  readonly plane: number;
}

function frame(lead: readonly number[], extent: readonly number[]): Frame {
  return { lead, extent, strides: denseStrides(extent), plane: gridSize(extent) };
}

/** Offsets, in frames of the input, of every window's first tap and of every channel's taps relative to it. */
export interface WindowTables {
  readonly frame: Frame;
  /** [outputs] */
  readonly positions: Int32Array;
  /** [channels · taps] */
  readonly taps: Int32Array;
}

/** The tables of the forward pass and of the filter's gradient. */
export function windowTables({ window }: ConvolutionKernel, shape: Shape): WindowTables {
  const { size, stride, dilation, padding } = window;
  const extent = size.map((s, d) => Math.max(0, (shape.output[d] ?? 0) - 1) * (stride[d] ?? 1) + (s - 1) * (dilation[d] ?? 1) + 1);
  const layout = frame(padding, extent);
  return {
    frame: layout,
    positions: grid(
      shape.output,
      layout.strides.map((s, d) => s * (stride[d] ?? 1)),
    ),
    taps: grid([shape.channels, ...size], [layout.plane, ...layout.strides.map((s, d) => s * (dilation[d] ?? 1))]),
  };
}

/** One phase of the input's gradient. */
export interface Phase {
  /** Offsets of its positions in a channel of the input. */
  readonly inputs: Int32Array;
  /** Offsets of the same positions in frames of the output's gradient, before a tap's shift. */
  readonly positions: Int32Array;
  /** For each filter and tap that meets the phase: the shift in the frame, and the offset of its weight for channel 0. */
  readonly taps: Int32Array;
  readonly weights: Int32Array;
}

/** Along one axis: a phase's positions, and its taps with the output position they meet at the phase's first input. */
interface AxisPhase {
  readonly residue: number;
  readonly size: number;
  readonly taps: readonly number[];
  readonly shifts: readonly number[];
}

/** Tap k meets input i at output (i + padding - k · dilation) / stride, where that is whole. */
function axisPhases(input: number, size: number, stride: number, dilation: number, padding: number): AxisPhase[] {
  return steps(Math.min(stride, input), 1).map((residue) => {
    const taps = steps(size, 1).filter((k) => (residue + padding - k * dilation) % stride === 0);
    return {
      residue,
      size: Math.ceil((input - residue) / stride),
      taps,
      shifts: taps.map((k) => (residue + padding - k * dilation) / stride),
    };
  });
}

/** Every choice of one entry from each list. */
function choices<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((head) => list.map((last) => [...head, last])), [[]]);
}

/** The tables of the input's gradient: frames of the output's gradient, and the phases. */
export function phaseTables({ window }: ConvolutionKernel, shape: Shape): { readonly frame: Frame; readonly phases: readonly Phase[] } {
  const { size, stride, dilation, padding } = window;
  const axes = size.map((s, d) => axisPhases(shape.input[d] ?? 0, s, stride[d] ?? 1, dilation[d] ?? 1, padding[d] ?? 0));
  const lead = axes.map((phases) => Math.max(0, ...phases.flatMap(({ shifts }) => shifts.map((shift) => -shift))));
  const extent = axes.map((phases, d) => Math.max(1, ...phases.flatMap((p) => p.shifts.map((shift) => (lead[d] ?? 0) + shift + p.size))));
  const layout = frame(lead, extent);
  const inputStrides = denseStrides(shape.input);
  const tapStrides = denseStrides(size);
  const filters = steps(shape.filters, 1);
  const phases = choices(axes).map((phase): Phase => ({
    inputs: sums(phase.map((p, d) => steps(p.size, (stride[d] ?? 1) * (inputStrides[d] ?? 0), p.residue * (inputStrides[d] ?? 0)))),
    positions: sums(phase.map((p, d) => steps(p.size, layout.strides[d] ?? 0))),
    taps: sums([
      filters.map((o) => o * layout.plane),
      ...phase.map((p, d) => p.shifts.map((shift) => (shift + (lead[d] ?? 0)) * (layout.strides[d] ?? 0))),
    ]),
    weights: sums([filters.map((o) => o * shape.channels * shape.taps), ...phase.map((p, d) => p.taps.map((k) => k * (tapStrides[d] ?? 0)))]),
  }));
  return { frame: layout, phases };
}
