/**
 * `convolution`: its three passes as matrix products over one image and one group at a time.
 *
 * Accumulated in float64, in this order whatever the sizes, and rounded once:
 * - forward: channels, then taps, row-major;
 * - inputGradient: filters, then the taps that meet the position, row-major;
 * - filterGradient: images, then output positions, row-major.
 *
 * Cells outside the input are multiplied as zeros, so an infinite weight over them gives NaN, as PyTorch's unfold does.
 */

import { operandPositions } from '@gradus/backend';
import type { ConvolutionKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { decoded } from '../contract/decode.ts';
import type { Placed } from '../contract/decode.ts';
import { steps } from '../contract/offsets.ts';
import { padded } from '../contract/product.ts';
import { Epilogue, epilogueMap } from '../lowering/epilogue.ts';
import type { PrepareMap } from '../lowering/epilogue.ts';
import type { Workspace } from '../workspace.ts';
import { Framer } from './frame.ts';
import { phaseTables, shapeOf, windowTables } from './geometry.ts';
import type { Shape } from './geometry.ts';

/** One run: what the passes read, and where they hand over finished boxes. */
interface Run {
  readonly first: Placed;
  readonly second: Placed;
  /** Applies the epilogue to the dense box of `sizes` at `start`. */
  readonly finish: (buffer: Float64Array, start: readonly number[], sizes: readonly number[]) => void;
}

/** A pass for one geometry. */
type Pass = (run: Run) => void;

/** Offsets 0, step, 2·step, …: the rows or columns of a dense matrix. */
function dense(length: number, step = 1): Int32Array {
  return Int32Array.from(steps(length, step));
}

function forward(kernel: ConvolutionKernel, shape: Shape, { float, floatSums, finished, frame }: Workspace): Pass {
  const { images, groups, channels, filters, inputs, outputs, taps, output } = shape;
  const tables = windowTables(kernel, shape);
  const framer = new Framer(tables.frame, shape.input);
  const weights = { outer: dense(filters, channels * taps), inner: dense(channels * taps) };
  const stride = padded(outputs);
  return ({ first: x, second: filter, finish }) => {
    const length = channels * tables.frame.plane;
    const image = frame.get(length).fill(0, 0, length);
    const target = floatSums.get(padded(filters) * stride);
    const buffer = finished.get(filters * outputs);
    for (let n = 0; n < images; n++)
      for (let g = 0; g < groups; g++) {
        framer.copy(image, x.elements, x.offset + (n * groups + g) * channels * inputs, channels);
        target.fill(0, 0, padded(filters) * stride);
        float.add(
          target,
          stride,
          { elements: filter.elements, base: filter.offset + g * filters * channels * taps, ...weights },
          { elements: image, base: 0, outer: tables.positions, inner: tables.taps },
        );
        compact(target, stride, buffer, filters, outputs);
        finish(buffer, [n, g * filters], [1, filters, ...output]);
      }
  };
}

function inputGradient(kernel: ConvolutionKernel, shape: Shape, { float, floatSums, finished, frame }: Workspace): Pass {
  const { images, groups, channels, filters, inputs, outputs, taps, input } = shape;
  const tables = phaseTables(kernel, shape);
  const framer = new Framer(tables.frame, shape.output);
  const weightsOfChannel = dense(channels, taps);
  return ({ first: gradient, second: filter, finish }) => {
    const length = filters * tables.frame.plane;
    const image = frame.get(length).fill(0, 0, length);
    const target = floatSums.get(padded(channels) * padded(inputs));
    const buffer = finished.get(channels * inputs);
    for (let n = 0; n < images; n++)
      for (let g = 0; g < groups; g++) {
        framer.copy(image, gradient.elements, gradient.offset + (n * groups + g) * filters * outputs, filters);
        for (const phase of tables.phases) {
          const stride = padded(phase.positions.length);
          target.fill(0, 0, padded(channels) * stride);
          float.add(
            target,
            stride,
            { elements: filter.elements, base: filter.offset + g * filters * channels * taps, outer: weightsOfChannel, inner: phase.weights },
            { elements: image, base: 0, outer: phase.positions, inner: phase.taps },
          );
          spread(target, stride, buffer, channels, inputs, phase.inputs);
        }
        finish(buffer, [n, g * channels], [1, channels, ...input]);
      }
  };
}

function filterGradient(kernel: ConvolutionKernel, shape: Shape, { float, floatSums, finished, frame }: Workspace): Pass {
  const { images, groups, channels, filters, inputs, outputs, taps } = shape;
  const tables = windowTables(kernel, shape);
  const framer = new Framer(tables.frame, shape.input);
  const gradients = { outer: dense(filters, outputs), inner: dense(outputs) };
  const stride = padded(channels * taps);
  return ({ first: x, second: gradient, finish }) => {
    const length = channels * tables.frame.plane;
    const image = frame.get(length).fill(0, 0, length);
    const target = floatSums.get(padded(filters) * stride);
    const buffer = finished.get(filters * channels * taps);
    for (let g = 0; g < groups; g++) {
      target.fill(0, 0, padded(filters) * stride);
      for (let n = 0; n < images; n++) {
        framer.copy(image, x.elements, x.offset + (n * groups + g) * channels * inputs, channels);
        float.add(
          target,
          stride,
          { elements: gradient.elements, base: gradient.offset + (n * groups + g) * filters * outputs, ...gradients },
          { elements: image, base: 0, outer: tables.taps, inner: tables.positions },
        );
      }
      compact(target, stride, buffer, filters, channels * taps);
      finish(buffer, [g * filters], [filters, channels, ...kernel.window.size]);
    }
  };
}

/** Copies rows that are `stride` apart so that they follow each other. */
function compact(target: Float64Array, stride: number, buffer: Float64Array, rows: number, columns: number): void {
  for (let row = 0; row < rows; row++) buffer.set(target.subarray(row * stride, row * stride + columns), row * columns);
}

/** Copies rows to rows of `length`, each column to its place. */
function spread(target: Float64Array, stride: number, buffer: Float64Array, rows: number, length: number, places: Int32Array): void {
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < places.length; j++) buffer[row * length + (places[j] as number)] = target[row * stride + j] as number;
}

const PASSES = { forward, inputGradient, filterGradient } as const;

/** Code for a convolution. Tables are kept for the sizes of the latest run. */
export function prepareConvolution(kernel: ConvolutionKernel, prepareMap: PrepareMap, workspace: Workspace): KernelCode {
  const rank = 2 + kernel.window.size.length;
  const map = epilogueMap(kernel, { rank, dtype: kernel.accumulate, stored: 'float64', whole: true });
  const code = prepareMap(map);
  const [firstAt = 0, secondAt = 0] = operandPositions(kernel);
  let latest: { readonly sizes: Int32Array; readonly pass: Pass } | null = null;

  const place = (operand: 0 | 1, at: number, views: readonly TypedArray[], dims: Int32Array): Placed =>
    decoded(
      views[operand] ?? new Float64Array(0),
      kernel.operands[operand]?.dtype ?? kernel.accumulate,
      dims[at] ?? 0,
      dims.subarray(at + 1, at + 2),
      Int32Array.of(1),
    );

  return (views, scalars, dims) => {
    const sizes = dims.subarray(0, firstAt);
    if (latest === null || !latest.sizes.every((size, i) => size === sizes[i]))
      latest = { sizes: sizes.slice(), pass: PASSES[kernel.pass](kernel, shapeOf(kernel, dims), workspace) };
    const epilogue = new Epilogue(kernel, map, code, views, scalars, dims);
    latest.pass({
      first: place(0, firstAt, views, dims),
      second: place(1, secondAt, views, dims),
      finish: (buffer, start, box) => epilogue.applyDense(buffer, start, box),
    });
  };
}
