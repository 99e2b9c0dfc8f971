/**
 * Operations: what augmentation does to a sample, as plain JSON. A transform draws operations; applying them draws nothing. So a record of
 * operations gives the same bytes for the same sample, and moves another sample in the same way.
 *
 * Operations that move pixels are {@link GeometricOperation}s; the others change colours where they are.
 */

import type { Words } from './random.ts';

/** The value of every channel, or one for each; from 0 to 255. */
export type Fill = number | readonly number[];

/** The names of resamplers. */
export const RESAMPLERS = ['bilinear', 'bicubic', 'opencv-bilinear', 'nearest'] as const;

/** How `resize` computes pixels. See `resize` for what each is. */
export type Resampler = (typeof RESAMPLERS)[number];

/** A turn about the centre of the image, then shear, scale and a shift. */
export interface AffineParameters {
  /** Counter-clockwise. */
  readonly degrees: number;
  /** A shift in pixels: right, down. */
  readonly translate: readonly [number, number];
  readonly scale: number;
  /** Shear along x, after shear along y; in degrees. */
  readonly shear: readonly [number, number];
}

/** An operation that moves pixels, and with them masks, boxes and keypoints. */
export type GeometricOperation =
  | { readonly op: 'horizontalFlip' }
  | { readonly op: 'verticalFlip' }
  /** Quarter turns, counter-clockwise. */
  | { readonly op: 'rotate90'; readonly turns: number }
  | { readonly op: 'crop'; readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  | { readonly op: 'rotate'; readonly degrees: number; readonly expand: boolean; readonly fill: Fill }
  | ({ readonly op: 'affine'; readonly fill: Fill } & AffineParameters)
  | { readonly op: 'resize'; readonly width: number; readonly height: number; readonly resampler: Resampler };

/** An operation that changes the colours of the image. */
export type ColorOperation =
  | { readonly op: 'brightness' | 'contrast' | 'saturation'; readonly factor: number }
  | { readonly op: 'hue'; readonly shift: number }
  /** The noise is a function of `key`. */
  | { readonly op: 'gaussianNoise'; readonly sigma: number; readonly key: Words }
  | { readonly op: 'gaussianBlur'; readonly sigma: number; readonly radius: number }
  | {
      readonly op: 'erase';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly fill: Fill;
    };

/** Anything that augmentation does. */
export type Operation = GeometricOperation | ColorOperation;

/** What was drawn for a sample: plain JSON, to be kept and replayed. */
export interface AugmentRecord {
  /** The version of the meaning of operations. */
  readonly version: 1;
  readonly operations: readonly Operation[];
}
