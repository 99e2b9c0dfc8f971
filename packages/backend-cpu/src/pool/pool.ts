/**
 * `pool`: maximum and average over windows, forward and backward, one image at a time.
 *
 * Sums and gradients are accumulated in float64 and rounded once: a window's cells in row-major order, and a cell's gradients in the
 * row-major order of their windows. An average is the sum times `1 / divisor`, both in float64. A window without any cell inside the
 * input has the maximum of an empty fold (of the values' dtype), and no gradient.
 */

import { DTYPES, operandPositions } from '@gradus/backend';
import type { DType, PoolKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { gridSize } from '../contract/offsets.ts';
import { Epilogue, epilogueMap } from '../lowering/epilogue.ts';
import type { PrepareMap } from '../lowering/epilogue.ts';
import type { Workspace } from '../workspace.ts';
import { windowCells } from './windows.ts';
import type { WindowCells } from './windows.ts';

/** One plane (an image's channel): where its input and output cells start in the two operands and in the buffer. */
type Plane = (first: TypedArray, firstAt: number, second: TypedArray, secondAt: number, buffer: Float64Array, bufferAt: number) => void;

/** The cell of the first NaN in a window, else of the first maximum; -1 where the window is empty. */
function winner(x: TypedArray, at: number, { starts, cells }: WindowCells, window: number): number {
  const to = starts[window + 1] as number;
  let best = -1;
  let largest = 0;
  for (let i = starts[window] as number; i < to; i++) {
    const cell = cells[i] as number;
    const value = x[at + cell] as number;
    if (best < 0 || value > largest || Number.isNaN(value)) {
      best = cell;
      largest = value;
      if (Number.isNaN(value)) break;
    }
  }
  return best;
}

function maxForward(windows: WindowCells, empty: number): Plane {
  return (x, xAt, values, valuesAt, buffer, at) => {
    for (let window = 0; window < windows.count; window++) {
      const cell = winner(x, xAt, windows, window);
      buffer[at + window] = cell < 0 ? empty : (values[valuesAt + cell] as number);
    }
  };
}

function maxBackward(windows: WindowCells): Plane {
  return (x, xAt, gradient, gradientAt, buffer, at) => {
    for (let window = 0; window < windows.count; window++) {
      const cell = winner(x, xAt, windows, window);
      if (cell >= 0) buffer[at + cell] = (buffer[at + cell] as number) + (gradient[gradientAt + window] as number);
    }
  };
}

/** `1 / divisor` of every window. */
function weights({ starts, count: windows }: WindowCells, divisor: number | null): Float64Array {
  return Float64Array.from({ length: windows }, (_, window) => 1 / (divisor ?? (starts[window + 1] ?? 0) - (starts[window] ?? 0)));
}

function averageForward(windows: WindowCells, divisor: number | null): Plane {
  const { starts, cells } = windows;
  const weight = weights(windows, divisor);
  return (x, xAt, _second, _secondAt, buffer, at) => {
    for (let window = 0; window < windows.count; window++) {
      const to = starts[window + 1] as number;
      let sum = 0;
      for (let i = starts[window] as number; i < to; i++) sum += x[xAt + (cells[i] as number)] as number;
      buffer[at + window] = sum * (weight[window] as number);
    }
  };
}

function averageBackward(windows: WindowCells, divisor: number | null): Plane {
  const { starts, cells } = windows;
  const weight = weights(windows, divisor);
  return (gradient, gradientAt, _second, _secondAt, buffer, at) => {
    for (let window = 0; window < windows.count; window++) {
      const to = starts[window + 1] as number;
      const share = (gradient[gradientAt + window] as number) * (weight[window] as number);
      for (let i = starts[window] as number; i < to; i++) {
        const cell = at + (cells[i] as number);
        buffer[cell] = (buffer[cell] as number) + share;
      }
    }
  };
}

/** The dtype of what a maximum selects, or of what is averaged. */
function pooledDType({ mode, operands }: PoolKernel): DType {
  return operands[mode === 'max' ? 1 : 0]?.dtype ?? 'float32';
}

function planeOf(kernel: PoolKernel, windows: WindowCells): Plane {
  const divisor = kernel.countPadding ? gridSize(kernel.window.size) : null;
  const forward = kernel.pass === 'forward';
  if (kernel.mode === 'average') return (forward ? averageForward : averageBackward)(windows, divisor);
  if (!forward) return maxBackward(windows);
  const { kind, min } = DTYPES[pooledDType(kernel)];
  return maxForward(windows, kind === 'float' ? -Infinity : min);
}

/** Code for a pooling. Tables are kept for the sizes of the latest run. */
export function preparePool(kernel: PoolKernel, prepareMap: PrepareMap, { finished }: Workspace): KernelCode {
  const { mode, pass, window } = kernel;
  const spatial = window.size.length;
  const map = epilogueMap(kernel, { rank: 2 + spatial, dtype: pooledDType(kernel), stored: 'float64', whole: true });
  const code = prepareMap(map);
  const [firstAt = 0, secondAt = 0] = operandPositions(kernel);
  const none = new Float64Array(0);
  let latest: { readonly sizes: Int32Array; readonly plane: Plane } | null = null;

  return (views, scalars, dims) => {
    const [images = 0, channels = 0] = dims;
    const sizes = dims.slice(2, 2 + 2 * spatial);
    const input = [...sizes.subarray(0, spatial)];
    const output = [...sizes.subarray(spatial)];
    if (latest === null || !latest.sizes.every((size, i) => size === sizes[i]))
      latest = { sizes, plane: planeOf(kernel, windowCells(window, input, output)) };

    const forward = pass === 'forward';
    const result = forward ? output : input;
    const [inputs, outputs, results] = [gridSize(input), gridSize(output), gridSize(result)];
    // The second operand of a maximum lies like x on the way forward, like y on the way back; an average has none.
    const firstPlane = mode === 'average' && !forward ? outputs : inputs;
    const secondPlane = mode === 'average' ? 0 : forward ? inputs : outputs;
    const [first = none, second = none] = mode === 'average' ? [views[0]] : views;
    const epilogue = new Epilogue(kernel, map, code, views, scalars, dims);
    const buffer = finished.get(channels * results);
    for (let n = 0; n < images; n++) {
      if (!forward) buffer.fill(0, 0, channels * results);
      for (let c = 0; c < channels; c++) {
        const number = n * channels + c;
        latest.plane(first, (dims[firstAt] ?? 0) + number * firstPlane, second, (dims[secondAt] ?? 0) + number * secondPlane, buffer, c * results);
      }
      epilogue.applyDense(buffer, [n], [1, channels, ...result]);
    }
  };
}
