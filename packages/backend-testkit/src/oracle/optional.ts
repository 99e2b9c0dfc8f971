/**
 * Optional kernels, interpreted from their definitions: matrix products, convolutions and pools.
 *
 * Each computes one number for every point of its result, by visiting every pair of cells that the definition names, then runs the epilogue.
 */

import { keptSizes } from '@gradus/backend';
import type { ContractKernel, ConvolutionKernel, PoolKernel, Window } from '@gradus/backend';
import { Folder } from './fold.ts';
import { forEachPoint } from './launch.ts';
import type { Launch, Point, View } from './launch.ts';
import { convert, operate } from './operations.ts';

export function interpretContract(kernel: ContractKernel, launch: Launch): void {
  const roots = kernel.outputs.map((output) => output.value);
  const depth = launch.dims[kernel.rank - 1] ?? 0;
  const [a, b] = [reader(launch, 0, kernel.accumulate), reader(launch, 1, kernel.accumulate)];
  forEachPoint(keptSizes(kernel, launch.dims), (point) => {
    const sum = new ProductSum(kernel.accumulate);
    const inner = [...point, 0];
    for (let k = 0; k < depth; k++) {
      inner[kernel.rank - 1] = k;
      sum.add(a(inner), b(inner));
    }
    launch.finish(kernel.outputs, roots, point, [sum.result]);
  });
}

export function interpretConvolution(kernel: ConvolutionKernel, launch: Launch): void {
  const spatial = kernel.window.size.length;
  const [n = 0, c = 0, o = 0] = launch.dims;
  const input = [...launch.dims.subarray(3, 3 + spatial)];
  const output = [...launch.dims.subarray(3 + spatial, 3 + 2 * spatial)];
  const { groups, window, accumulate } = kernel;
  const shapes = { x: [n, c, ...input], filter: [o, c / groups, ...window.size], y: [n, o, ...output] };
  const [first, second, result] =
    kernel.pass === 'forward'
      ? (['x', 'filter', 'y'] as const)
      : kernel.pass === 'inputGradient'
        ? (['y', 'filter', 'x'] as const)
        : (['x', 'y', 'filter'] as const);

  const sums = Array.from({ length: product(shapes[result]) }, () => new ProductSum(accumulate));
  // y[n, o, out] = Σ x[n, channel, in] · filter[o, channel within the group, tap]: every term of every pass comes from this list.
  forEachPoint([n, o, c / groups, ...output, ...window.size], ([image = 0, filter = 0, channel = 0, ...rest]) => {
    const out = rest.slice(0, spatial);
    const tap = rest.slice(spatial);
    const place = inputCell(window, input, out, tap);
    if (place === null) return;
    const group = Math.floor(filter / (o / groups));
    const points = { x: [image, group * (c / groups) + channel, ...place], filter: [filter, channel, ...tap], y: [image, filter, ...out] };
    const read = (operand: number, name: 'x' | 'filter' | 'y'): number =>
      convert(launch.view(operand).get(position(shapes[name], points[name])), kernel.operands[operand]?.dtype ?? accumulate, accumulate);
    sums[position(shapes[result], points[result])]?.add(read(0, first), read(1, second));
  });
  finishAll(kernel, launch, (at) => sums[at]?.result ?? NaN);
}

export function interpretPool(kernel: PoolKernel, launch: Launch): void {
  const spatial = kernel.window.size.length;
  const [n = 0, c = 0] = launch.dims;
  const shapes = {
    x: [n, c, ...launch.dims.subarray(2, 2 + spatial)],
    y: [n, c, ...launch.dims.subarray(2 + spatial, 2 + 2 * spatial)],
  };
  const dtype = kernel.operands[kernel.mode === 'max' ? 1 : 0]?.dtype ?? 'float32';
  const sums = Array.from({ length: product(kernel.pass === 'forward' ? shapes.y : shapes.x) }, () => new Folder('sum', dtype));

  forEachPoint(shapes.y, ([image = 0, channel = 0, ...out]) => {
    const cells: number[] = [];
    forEachPoint(kernel.window.size, (tap) => {
      const place = inputCell(kernel.window, shapes.x.slice(2), out, tap);
      if (place !== null) cells.push(position(shapes.x, [image, channel, ...place]));
    });
    const y = position(shapes.y, [image, channel, ...out]);
    if (kernel.mode === 'max') {
      const winner = placeOfMaximum(launch.view(0), cells);
      if (kernel.pass === 'forward') sums[y]?.add(launch.view(1).get(winner));
      else sums[winner]?.add(launch.view(1).get(y));
      return;
    }
    const factor = operate('divide', dtype, 1, kernel.countPadding ? product(kernel.window.size) : cells.length);
    if (kernel.pass === 'forward') for (const cell of cells) sums[y]?.add(launch.view(0).get(cell) * factor);
    else for (const cell of cells) sums[cell]?.add(launch.view(0).get(y) * factor);
  });
  finishAll(kernel, launch, (at) => sums[at]?.result ?? NaN);
}

/** The first NaN among the cells, else the first largest. */
function placeOfMaximum(x: View, cells: readonly number[]): number {
  let best = cells[0] ?? -1;
  for (const cell of cells) {
    if (Number.isNaN(x.get(best))) return best;
    if (Number.isNaN(x.get(cell)) || x.get(cell) > x.get(best)) best = cell;
  }
  return best;
}

/** Where the cell `tap` of the window over `out` lies in the input; null in the padding. */
function inputCell(window: Window, input: readonly number[], out: Point, tap: Point): number[] | null {
  const cell = out.map((at, axis) => at * (window.stride[axis] ?? 1) + (tap[axis] ?? 0) * (window.dilation[axis] ?? 1) - (window.padding[axis] ?? 0));
  return cell.every((at, axis) => at >= 0 && at < (input[axis] ?? 0)) ? cell : null;
}

function finishAll(kernel: ConvolutionKernel | PoolKernel, launch: Launch, accumulated: (position: number) => number): void {
  const roots = kernel.outputs.map((output) => output.value);
  const sizes = keptSizes(kernel, launch.dims);
  forEachPoint(sizes, (point) => launch.finish(kernel.outputs, roots, point, [accumulated(position(sizes, point))]));
}

function reader(launch: Launch, operand: number, to: ContractKernel['accumulate']): (point: Point) => number {
  const view = launch.view(operand);
  const from = launch.kernel.operands[operand]?.dtype ?? to;
  return (point) => convert(view.load(point), from, to);
}

/** A sum of products: exact for integers, in compensated float64 for floats. */
class ProductSum {
  readonly #sum: Folder;
  readonly #multiply: (a: number, b: number) => number;

  constructor(dtype: ContractKernel['accumulate']) {
    this.#sum = new Folder('sum', dtype);
    const float = dtype === 'float64' || dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';
    this.#multiply = float ? (a, b) => a * b : (a, b) => operate('multiply', dtype, a, b);
  }

  add(a: number, b: number): void {
    this.#sum.add(this.#multiply(a, b));
  }

  get result(): number {
    return this.#sum.result;
  }
}

/** Position of a point in a dense, row-major array. */
function position(sizes: readonly number[], point: Point): number {
  return sizes.reduce((at, size, axis) => at * size + (point[axis] ?? 0), 0);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
