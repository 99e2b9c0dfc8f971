/** Transforms that move pixels: flips, turns, crops, sizes. */

import { AugmentError } from '../errors.ts';
import { requireSize } from '../image.ts';
import type { Fill, Operation, Resampler } from '../operations.ts';
import type { Stream } from '../random.ts';
import { requireResampler } from '../resample/resize.ts';
import { requireRange, withProbability } from './transform.ts';
import type { Geometry, Range, Transform, TransformOptions } from './transform.ts';

/** Width and height in pixels, in this order. */
export type WidthHeight = readonly [width: number, height: number];

/** Left becomes right. Bytes are moved, not computed. */
export function horizontalFlip(options: TransformOptions = {}): Transform {
  return withProbability('horizontalFlip', options, () => [{ op: 'horizontalFlip' }]);
}

/** Top becomes bottom. Bytes are moved, not computed. */
export function verticalFlip(options: TransformOptions = {}): Transform {
  return withProbability('verticalFlip', options, () => [{ op: 'verticalFlip' }]);
}

/** Quarter turns counter-clockwise, default 1; the canvas turns too. Bytes are moved, not computed. */
export function rotate90({ turns = 1, ...options }: TransformOptions & { readonly turns?: number } = {}): Transform {
  if (!Number.isInteger(turns)) throw new AugmentError({ op: 'rotate90', expected: 'a whole number of turns', got: String(turns) });
  return withProbability('rotate90', options, () => [{ op: 'rotate90', turns }]);
}

/** Options of {@link rotate}. */
export interface RotateOptions extends TransformOptions {
  /** Counter-clockwise, as in Pillow and torchvision: a number for exactly that, `[-30, 30]` for anything between. */
  readonly degrees: Range;
  /** Makes the canvas large enough for the whole image, as Pillow's `expand`; otherwise corners are cut off. Default false. */
  readonly expand?: boolean;
  /** The colour of what comes from outside, default 0. Masks get 0. */
  readonly fill?: Fill;
}

/** A rotation about the centre, bilinear; by right angles it moves bytes where pixels meet pixels. */
export function rotate({ degrees, expand = false, fill = 0, ...options }: RotateOptions): Transform {
  requireRange('rotate', 'degrees', degrees);
  return withProbability('rotate', options, (stream) => [{ op: 'rotate', degrees: stream.within(degrees), expand, fill }]);
}

/** Options of {@link affine}. */
export interface AffineOptions extends TransformOptions {
  /** Counter-clockwise, default 0. */
  readonly degrees?: Range;
  /** A shift to the right as a part of the width, default 0. */
  readonly translateX?: Range;
  /** A shift down as a part of the height, default 0. */
  readonly translateY?: Range;
  /** Default 1. */
  readonly scale?: Range;
  /** Degrees by which verticals lean, default 0. */
  readonly shearX?: Range;
  /** Degrees by which horizontals lean, default 0. */
  readonly shearY?: Range;
  /** The colour of what comes from outside, default 0. Masks get 0. */
  readonly fill?: Fill;
}

/** A turn about the centre, shear, scale and shift in one, bilinear, on the canvas of the image. */
export function affine(options: AffineOptions): Transform {
  const { degrees = 0, translateX = 0, translateY = 0, scale = 1, shearX = 0, shearY = 0, fill = 0 } = options;
  for (const [name, range] of Object.entries({ degrees, translateX, translateY })) requireRange('affine', name, range);
  requireRange('affine', 'scale', scale, Number.MIN_VALUE);
  for (const [name, range] of Object.entries({ shearX, shearY })) requireRange('affine', name, range, -89, 89);
  return withProbability('affine', options, (stream, { width, height }) => [
    {
      op: 'affine',
      degrees: stream.within(degrees),
      translate: [stream.within(translateX) * width, stream.within(translateY) * height],
      scale: stream.within(scale),
      shear: [stream.within(shearX), stream.within(shearY)],
      fill,
    },
  ]);
}

/** Options of {@link resize} and {@link randomResizedCrop}. */
export interface ResizeOptions {
  /**
   * How pixels are computed, to the byte:
   * - `'bilinear'` (default) and `'bicubic'`: Pillow's, which antialias when the image shrinks
   * - `'opencv-bilinear'`: OpenCV's `INTER_LINEAR`, which does not
   * - `'nearest'`: Pillow's, the pixel at floor((i + 0.5) · from / to)
   *
   * Masks are always resampled by `'nearest'`.
   */
  readonly resampler?: Resampler;
}

/** Another size: `[width, height]`, the proportions of which need not be the image's. */
export function resize([width, height]: WidthHeight, { resampler = 'bilinear' }: ResizeOptions = {}): Transform {
  requireSize('resize', { width, height });
  requireResampler(resampler);
  return { draw: () => [{ op: 'resize', width, height, resampler }] };
}

/** A part of the image: its left, top, width and height in pixels. Bytes are moved, not computed. */
export function crop(part: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }): Transform {
  requireSize('crop', part);
  const { x, y, width, height } = part;
  return { draw: () => [{ op: 'crop', x, y, width, height }] };
}

/** The middle of the image, `[width, height]`; an odd rest is cut off at the right and below. */
export function centerCrop([width, height]: WidthHeight): Transform {
  requireSize('centerCrop', { width, height });
  return {
    draw: (_, size) => [{ op: 'crop', x: Math.floor((size.width - width) / 2), y: Math.floor((size.height - height) / 2), width, height }],
  };
}

/** A part of the image of size `[width, height]`, anywhere. */
export function randomCrop([width, height]: WidthHeight): Transform {
  requireSize('randomCrop', { width, height });
  return { draw: (stream, size) => [cropAnywhere(stream, size, width, height)] };
}

function cropAnywhere(stream: Stream, size: Geometry, width: number, height: number): Operation {
  return { op: 'crop', x: stream.below(size.width - width + 1), y: stream.below(size.height - height + 1), width, height };
}

/** Options of {@link randomResizedCrop}. */
export interface RandomResizedCropOptions extends ResizeOptions {
  /** The part of the area that is kept, default [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** Width by height of what is kept, drawn evenly in the logarithm; default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
}

/** How often an area and proportions are drawn before the middle of the image is taken instead. */
const TRIES = 10;

/**
 * A part of random area and proportions, resized to `[width, height]`: torchvision's `RandomResizedCrop`. Szegedy et al., "Going Deeper with
 * Convolutions", CVPR 2015.
 */
export function randomResizedCrop(to: WidthHeight, options: RandomResizedCropOptions = {}): Transform {
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] } = options;
  requireRange('randomResizedCrop', 'scale', scale, Number.MIN_VALUE);
  requireRange('randomResizedCrop', 'ratio', ratio, Number.MIN_VALUE);
  const resized = resize(to, options);
  return { draw: (stream, size) => [drawPart(stream, size, scale, ratio), ...resized.draw(stream, size)] };
}

function drawPart(stream: Stream, size: Geometry, scale: readonly [number, number], ratio: readonly [number, number]): Operation {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const [width, height] = drawSides(stream, size, scale, ratio);
    if (width > 0 && width <= size.width && height > 0 && height <= size.height) return cropAnywhere(stream, size, width, height);
  }
  const own = size.width / size.height;
  const width = own > ratio[1] ? Math.min(size.width, Math.max(1, Math.round(size.height * ratio[1]))) : size.width;
  const height = own < ratio[0] ? Math.min(size.height, Math.max(1, Math.round(size.width / ratio[0]))) : size.height;
  return { op: 'crop', x: Math.floor((size.width - width) / 2), y: Math.floor((size.height - height) / 2), width, height };
}

/** Width and height of a rectangle of random area, a part of the image's, and random proportions; they may be larger than the image. */
export function drawSides(
  stream: Stream,
  size: Geometry,
  scale: readonly [number, number],
  ratio: readonly [number, number],
): readonly [width: number, height: number] {
  const area = size.width * size.height * stream.within(scale);
  const proportions = Math.exp(stream.within([Math.log(ratio[0]), Math.log(ratio[1])]));
  return [Math.round(Math.sqrt(area * proportions)), Math.round(Math.sqrt(area / proportions))];
}
