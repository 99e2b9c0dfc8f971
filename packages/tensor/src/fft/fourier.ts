/**
 * Fourier transforms along axes of complex and real tensors.
 *
 * Complex numbers are pairs along a last axis of size 2, real part first, as PyTorch's `view_as_real` shows them; axes are counted
 * without it: axis -1 is the last one before the pairs. Gradients are those of the pairs: of real and imaginary parts on their own.
 */

import { ArgumentError, AxisError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { normalizeAxes, normalizeAxis, requireOptions } from '../ops/arguments.ts';
import type { Axes } from '../ops/arguments.ts';
import { mul } from '../ops/arithmetic.ts';
import { concatenate, flip, pad, permute, slice } from '../ops/movement.ts';
import { inWideFloat } from '../ops/reduce.ts';
import { reshape, unsqueeze } from '../ops/reshape.ts';
import { tensor } from '../creation.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { transform } from './transform.ts';
import type { Sign } from './transform.ts';

/** Where the factor 1/N of a transform and its inverse stands: at the inverse, half at each (√N), or at the transform. */
export type Normalization = 'backward' | 'ortho' | 'forward';

/** Options of transforms along one axis. */
export interface FourierOptions {
  /** Length of the signal: x is cut or padded with zeros at the end. Default its size; of `irfft` 2·(size - 1). */
  readonly n?: number;
  /** Default -1. */
  readonly axis?: number;
  /** Default `'backward'`. */
  readonly norm?: Normalization;
}

/** Options of transforms along two axes. */
export interface Fourier2Options {
  /** Lengths along both axes, as {@link FourierOptions.n}. */
  readonly sizes?: readonly [number, number];
  /** Default [-2, -1]. */
  readonly axes?: readonly [number, number];
  /** Default `'backward'`. */
  readonly norm?: Normalization;
}

/** Axes of x, a tensor of pairs. @throws ShapeError */
function rankOfPairs(op: string, x: Tensor): number {
  const { dims } = nodeOf(x, op).shape;
  if (dims.at(-1) === 2 && dims.length > 1) return dims.length - 1;
  throw new ShapeError({
    op,
    expected: 'complex numbers as pairs, [..., 2]',
    got: showDims(dims),
    fix: 'make them of real ones with complex(x), or use rfft.',
  });
}

function lengthOf(op: string, n: number): number {
  if (Number.isSafeInteger(n) && n >= 1) return n;
  throw new ArgumentError({ op, expected: 'a length of at least 1', got: showValue(n) });
}

/** The factor that a transform of length `n` is multiplied by. */
function factorOf(op: string, norm: Normalization, n: number, sign: Sign): number {
  if (norm === 'ortho') return 1 / Math.sqrt(n);
  if (norm !== 'backward' && norm !== 'forward')
    throw new ArgumentError({ op, expected: "norm: 'backward', 'ortho' or 'forward'", got: showValue(norm) });
  return (norm === 'forward') === (sign === -1) ? 1 / n : 1;
}

/** x cut or padded to `n` places along `axis`. */
function resized(x: Tensor, axis: number, n: number): Tensor {
  const { dims } = nodeOf(x, 'fft').shape;
  const size = dims[axis] ?? 0;
  if (size === n) return x;
  if (size > n) return slice(x, [...dims.slice(0, axis).map(() => null), { end: n }]);
  return pad(
    x,
    dims.map((_, i) => [0, i === axis ? n - size : 0]),
  );
}

/** Transforms pairs along `axis`, whose size is the length. */
function along(x: Tensor, axis: number, sign: Sign, factor: number): Tensor {
  const { dims, size } = nodeOf(x, 'fft').shape;
  const n = dims[axis] ?? 1;
  const last = dims.length - 2;
  const order = [...dims.map((_, i) => i).filter((i) => i !== axis && i !== last + 1), axis, last + 1];
  const moved = permute(x, order);
  const rows = reshape(moved, [size / (2 * n), n, 2]);
  const result = reshape(
    transform(rows, sign),
    order.map((i) => dims[i] ?? 1),
  );
  const back = permute(
    result,
    order.map((_, i) => order.indexOf(i)),
  );
  return factor === 1 ? back : mul(back, factor);
}

function complexTransform(op: string, x: Tensor, options: FourierOptions, sign: Sign): Tensor {
  requireOptions(op, options, '{ axis: 0 }');
  const axis = normalizeAxis(op, options.axis ?? -1, rankOfPairs(op, x));
  const n = lengthOf(op, options.n ?? nodeOf(x, op).shape.dims[axis] ?? 0);
  const factor = factorOf(op, options.norm ?? 'backward', n, sign);
  return inWideFloat(op, x, (wide) => along(resized(wide, axis, n), axis, sign, factor));
}

/**
 * X[k] = Σ x[n]·exp(-2πi·n·k / N) along an axis.
 *
 * @param x pairs `[..., 2]`
 * @returns pairs, with `n` places along the axis
 * @throws ShapeError unless x has pairs; AxisError, ArgumentError
 */
export function fft(x: Tensor, options: FourierOptions = {}): Tensor {
  return complexTransform('fft', x, options, -1);
}

/** x[n] = 1/N · Σ X[k]·exp(2πi·n·k / N) along an axis: the inverse of {@link fft}. @throws as fft */
export function ifft(x: Tensor, options: FourierOptions = {}): Tensor {
  return complexTransform('ifft', x, options, 1);
}

/**
 * {@link fft} of real numbers, without its redundant half: the first ⌊N/2⌋ + 1 places.
 *
 * @param x real, any shape but that of a single number
 * @returns pairs: an axis of size 2 more than x
 * @throws AxisError, ArgumentError
 */
export function rfft(x: Tensor, options: FourierOptions = {}): Tensor {
  requireOptions('rfft', options, '{ axis: 0 }');
  const { dims, rank } = nodeOf(x, 'rfft').shape;
  const axis = normalizeAxis('rfft', options.axis ?? -1, rank);
  const n = lengthOf('rfft', options.n ?? dims[axis] ?? 0);
  const factor = factorOf('rfft', options.norm ?? 'backward', n, -1);
  return inWideFloat('rfft', x, (wide) => {
    const pairs = withoutImaginary(resized(wide, axis, n));
    return slice(along(pairs, axis, -1, factor), [...dims.slice(0, axis).map(() => null), { end: Math.floor(n / 2) + 1 }]);
  });
}

/**
 * The real signal whose {@link rfft} is x: the inverse, for the given length, which x does not tell (2·(size - 1) by default). Imaginary
 * parts that no real signal has, at place 0 and at N/2, are left out.
 *
 * @param x pairs `[..., 2]`
 * @returns real: without the axis of the pairs
 * @throws as fft
 */
export function irfft(x: Tensor, options: FourierOptions = {}): Tensor {
  requireOptions('irfft', options, '{ n: 8 }');
  const axis = normalizeAxis('irfft', options.axis ?? -1, rankOfPairs('irfft', x));
  const n = lengthOf('irfft', options.n ?? 2 * ((nodeOf(x, 'irfft').shape.dims[axis] ?? 0) - 1));
  const factor = factorOf('irfft', options.norm ?? 'backward', n, 1);
  return inWideFloat('irfft', x, (wide) => {
    const { runtime, dtype } = nodeOf(wide, 'irfft');
    const before = Array.from({ length: axis }, () => null);
    const half = resized(wide, axis, Math.floor(n / 2) + 1);
    // Place n - k is the conjugate of place k.
    const rest = n - Math.floor(n / 2) - 1;
    const mirrored = flip(slice(half, [...before, { start: 1, end: 1 + rest }]), { axis });
    const conjugate = mul(mirrored, tensor([1, -1], { dtype, device: runtime.backend }));
    return real(along(concatenate([half, conjugate], { axis }), axis, 1, factor));
  });
}

function twoAxes(op: string, x: Tensor, options: Fourier2Options, one: (x: Tensor, options: FourierOptions) => Tensor): Tensor {
  requireOptions(op, options, '{ axes: [0, 1] }');
  const { axes = [-2, -1], sizes, norm = 'backward' } = options;
  const list = normalizeAxes(op, axes, rankOfPairs(op, x));
  if (list.length !== 2 || (sizes !== undefined && sizes.length !== 2))
    throw new AxisError({ op, expected: 'two axes, and two sizes if any', got: `${showValue(axes)} and ${showValue(sizes)}` });
  return axes.reduce((y, axis, i) => one(y, { axis, norm, ...(sizes !== undefined && { n: sizes[i] ?? 0 }) }), x);
}

/** {@link fft} along two axes. @throws as fft */
export function fft2(x: Tensor, options: Fourier2Options = {}): Tensor {
  return twoAxes('fft2', x, options, fft);
}

/** {@link ifft} along two axes: the inverse of {@link fft2}. @throws as fft */
export function ifft2(x: Tensor, options: Fourier2Options = {}): Tensor {
  return twoAxes('ifft2', x, options, ifft);
}

/** Pairs `[..., 2]` of real and imaginary parts of one shape; without the latter they are 0. */
export function complex(realPart: Tensor, imaginaryPart?: Tensor): Tensor {
  if (imaginaryPart === undefined) return withoutImaginary(realPart);
  const { rank } = nodeOf(realPart, 'complex').shape;
  return concatenate([unsqueeze(realPart, rank), unsqueeze(imaginaryPart, nodeOf(imaginaryPart, 'complex').shape.rank)], { axis: rank });
}

function withoutImaginary(x: Tensor): Tensor {
  const { dims, rank } = nodeOf(x, 'complex').shape;
  return pad(unsqueeze(x, rank), [...dims.map((): [number, number] => [0, 0]), [0, 1]]);
}

/** The real parts of pairs `[..., 2]`: `[...]`; a view. @throws ShapeError */
export function real(x: Tensor): Tensor {
  return part('real', x, 0);
}

/** The imaginary parts of pairs `[..., 2]`: `[...]`; a view. @throws ShapeError */
export function imaginary(x: Tensor): Tensor {
  return part('imaginary', x, 1);
}

function part(op: string, x: Tensor, which: number): Tensor {
  const { dims, rank } = nodeOf(x, op).shape;
  if (dims.at(-1) !== 2) throw new ShapeError({ op, expected: 'complex numbers as pairs, [..., 2]', got: showDims(dims) });
  return slice(x, [...Array.from({ length: rank - 1 }, () => null), which]);
}

/** Options of {@link fftshift}. */
export interface ShiftOptions {
  /** Default all. */
  readonly axes?: Axes;
  /** Is the last axis one of pairs, which is not shifted nor counted? Default true. */
  readonly pairs?: boolean;
}

function shifted(op: string, x: Tensor, options: ShiftOptions, startOf: (size: number) => number): Tensor {
  requireOptions(op, options, '{ axes: 0 }');
  const { dims, rank } = nodeOf(x, op).shape;
  const axes = normalizeAxes(op, options.axes, (options.pairs ?? true) ? rankOfPairs(op, x) : rank);
  return axes.reduce((y, axis) => {
    const start = startOf(dims[axis] ?? 0);
    const before = Array.from({ length: axis }, () => null);
    return concatenate([slice(y, [...before, { start }]), slice(y, [...before, { end: start }])], { axis });
  }, x);
}

/** Moves place 0, the frequency 0, to the middle of each axis. @throws ShapeError, AxisError */
export function fftshift(x: Tensor, options: ShiftOptions = {}): Tensor {
  return shifted('fftshift', x, options, (size) => Math.ceil(size / 2));
}

/** Undoes {@link fftshift}. @throws ShapeError, AxisError */
export function ifftshift(x: Tensor, options: ShiftOptions = {}): Tensor {
  return shifted('ifftshift', x, options, (size) => Math.floor(size / 2));
}
