/**
 * `convolution` as tiled products, one for each group. `O`, `C` are the filters and channels of a group, `T` the taps of the window, `P` and `I` the
 * positions of an output and of an input plane:
 *
 * | pass | a, a matrix | b, patches | result |
 * |---|---|---|---|
 * | forward | filter `[O, C·T]` | x `[C·T, N·P]` | y |
 * | inputGradient | filter `[C, O·T]` | gradient of y `[O·T, N·I]` | x |
 * | filterGradient | gradient of y `[O, N·P]` | x `[N·P, C·T]` | filter |
 *
 * In all of them a is operand 1 and b is operand 0.
 */

import { operandPositions } from '@gradus/backend';
import type { ConvolutionKernel } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import type { Planner } from '../launch/launch.ts';
import { alignmentOf, matrixPlan } from '../product/factor.ts';
import type { MatrixLayout } from '../product/factor.ts';
import { prepareProduct } from '../product/product.ts';
import type { ProductShape } from '../product/tiles.ts';
import type { Frame } from '../program/frame.ts';
import { patchesPlan } from './patches.ts';
import type { Grid, Patches } from './patches.ts';

type Rule = (dims: Int32Array) => number;

function volume(sizes: Iterable<number>): number {
  let product = 1;
  for (const size of sizes) product *= size;
  return product;
}

/** The sizes of a convolution, calculated from the `dims` of a run. */
class Geometry {
  readonly kernel: ConvolutionKernel;
  readonly spatial: number;
  readonly taps: number;
  readonly input: readonly Rule[];
  readonly output: readonly Rule[];

  constructor(kernel: ConvolutionKernel) {
    this.kernel = kernel;
    const { size } = kernel.window;
    this.spatial = size.length;
    this.taps = volume(size);
    this.input = size.map((_, axis) => (dims) => dims[3 + axis] ?? 0);
    this.output = size.map((_, axis) => (dims) => dims[3 + this.spatial + axis] ?? 0);
  }

  readonly images: Rule = (dims) => dims[0] ?? 0;
  readonly channels: Rule = (dims) => (dims[1] ?? 0) / this.kernel.groups;
  readonly filters: Rule = (dims) => (dims[2] ?? 0) / this.kernel.groups;
  readonly inputPlane: Rule = (dims) => volume(dims.subarray(3, 3 + this.spatial));
  readonly outputPlane: Rule = (dims) => volume(dims.subarray(3 + this.spatial, 3 + 2 * this.spatial));
  readonly inputPicture: Rule = (dims) => (dims[1] ?? 0) * this.inputPlane(dims);
  readonly outputPicture: Rule = (dims) => (dims[2] ?? 0) * this.outputPlane(dims);

  shape(dims: Int32Array): ProductShape {
    const [n, c, o, t] = [this.images(dims), this.channels(dims), this.filters(dims), this.taps];
    const batch = this.kernel.groups;
    switch (this.kernel.pass) {
      case 'forward':
        return { batch, m: o, n: n * this.outputPlane(dims), k: c * t };
      case 'inputGradient':
        return { batch, m: c, n: n * this.inputPlane(dims), k: o * t };
      case 'filterGradient':
        return { batch, m: o, n: c * t, k: n * this.outputPlane(dims) };
      default:
        return this.kernel.pass satisfies never;
    }
  }

  /** Factor a, but for its base. */
  matrix(): Omit<MatrixLayout, 'base'> & { readonly batchStride: Rule } {
    const { taps, channels, filters } = this;
    const weights: Rule = (dims) => filters(dims) * channels(dims) * taps;
    const row: Rule = (dims) => channels(dims) * taps;
    switch (this.kernel.pass) {
      case 'forward':
        return { outerStride: row, innerStride: () => 1, batchStride: weights };
      case 'inputGradient':
        return { outerStride: () => taps, innerStride: () => 1, split: { length: () => taps, stride: row }, batchStride: weights };
      case 'filterGradient':
        return {
          outerStride: this.outputPlane,
          innerStride: () => 1,
          split: { length: this.outputPlane, stride: this.outputPicture },
          batchStride: (dims) => filters(dims) * this.outputPlane(dims),
        };
      default:
        return this.kernel.pass satisfies never;
    }
  }

  /** The taps of a window, in planes that are `planeStride` apart. */
  #tapGrid(planeStride: Rule, sign: 1 | -1, shift: readonly number[]): Grid {
    const { size, dilation } = this.kernel.window;
    return { sizes: size, planeStride, scale: dilation.map((d) => sign * d), shift };
  }

  /** Factor b, but for where it lies. */
  patches(): Pick<Patches, 'column' | 'inner' | 'extent' | 'divisor' | 'batchStride'> {
    const { stride, padding, size } = this.kernel.window;
    const [ones, zeros] = [size.map(() => 1), size.map(() => 0)];
    const before = padding.map((p) => -p);
    const inputGroup: Rule = (dims) => this.channels(dims) * this.inputPlane(dims);
    switch (this.kernel.pass) {
      case 'forward':
        return {
          column: { sizes: this.output, planeStride: this.inputPicture, scale: stride, shift: before },
          inner: this.#tapGrid(this.inputPlane, 1, zeros),
          extent: this.input,
          divisor: ones,
          batchStride: inputGroup,
        };
      case 'inputGradient':
        return {
          column: { sizes: this.input, planeStride: this.outputPicture, scale: ones, shift: padding },
          inner: this.#tapGrid(this.outputPlane, -1, zeros),
          extent: this.output,
          divisor: stride,
          batchStride: (dims) => this.filters(dims) * this.outputPlane(dims),
        };
      case 'filterGradient':
        return {
          column: this.#tapGrid(this.inputPlane, 1, before),
          inner: { sizes: this.output, planeStride: this.inputPicture, scale: stride, shift: zeros },
          extent: this.input,
          divisor: ones,
          batchStride: inputGroup,
        };
      default:
        return this.kernel.pass satisfies never;
    }
  }

  /** The number of a point of the result: `[N, channels or filters, ...positions]`, or `[O, C, ...taps]`. */
  point(frame: Frame, m: string, n: string): string {
    const { pass } = this.kernel;
    if (pass === 'filterGradient') return `(batch * ${m} + row) * ${n} + column`;
    const plane = `u32(${frame.word(pass === 'forward' ? this.outputPlane : this.inputPlane)})`;
    const planes = `u32(${frame.dim(pass === 'forward' ? 2 : 1)})`;
    return `((column / ${plane}) * ${planes} + batch * ${m} + row) * ${plane} + column % ${plane}`;
  }
}

/** Plans convolutions. */
export function prepareConvolution(kernel: ConvolutionKernel, toolchain: Toolchain): Planner {
  const geometry = new Geometry(kernel);
  const { accumulate, operands } = kernel;
  const [patchesAt = 0, matrixAt = 0] = operandPositions(kernel);
  const { batchStride, ...strides } = geometry.matrix();
  const layout: MatrixLayout = {
    ...strides,
    base: (frame, name) => `let ${name} = ${frame.dim(matrixAt)} + i32(batch) * ${frame.word(batchStride)};`,
  };
  const patches = patchesPlan({
    ...geometry.patches(),
    operand: 0,
    dtype: operands[0]?.dtype ?? accumulate,
    accumulate,
    offset: (dims) => dims[patchesAt] ?? 0,
  });
  return prepareProduct(
    {
      kernel,
      rank: 2 + geometry.spatial,
      accumulate,
      shape: (dims) => geometry.shape(dims),
      factors: (dims) => {
        const { m, k } = geometry.shape(dims);
        const alignment = alignmentOf(layout, dims, [dims[matrixAt] ?? 0, batchStride(dims)], m, k);
        return [matrixPlan(1, operands[1]?.dtype ?? accumulate, accumulate, layout, alignment), patches];
      },
      point: (frame, m, n) => geometry.point(frame, m, n),
    },
    toolchain,
  );
}
