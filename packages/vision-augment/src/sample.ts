/**
 * Samples: an image and what is known about its pixels, which moves with it.
 *
 * Positions are measured in pixels from the top left corner of the image, x to the right and y down; the pixel in column i covers i to i + 1,
 * so its centre is at i + 0.5. A box gives edges: the whole image is `[0, 0, width, height]`. A keypoint names a pixel by its column and
 * row, as data sets do, so it stands for the centre of that pixel: matrix M moves it to M(x + 0.5, y + 0.5) - 0.5.
 */

import { showValue } from '@gradus/tensor';
import { AugmentError } from './errors.ts';
import { requireImage } from './image.ts';
import type { Image } from './image.ts';

/** The edges of a box in pixels: left, top, right, bottom. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** A column and a row; fractions are allowed. Keypoints may leave the image, and are kept when they do. */
export type Keypoint = readonly [x: number, y: number];

/** What is augmented. */
export interface Sample {
  readonly image: Image;
  /** Classes of pixels, of the size of the image. Never interpolated. */
  readonly mask?: Image;
  /** Boxes inside the image, each with an area. */
  readonly boxes?: readonly Box[];
  readonly keypoints?: readonly Keypoint[];
}

/** @throws AugmentError for an image or mask that is not whole, a mask of another size, a box that is empty or outside, a position that is no number */
export function requireSample(op: string, sample: Sample): void {
  const given: unknown = sample;
  if (typeof given !== 'object' || given === null)
    throw new AugmentError({ op, expected: 'a sample { image }', got: showValue(given), fix: 'pass { image: await readImage(path) }' });
  const { image, mask, boxes = [], keypoints = [] } = sample;
  requireImage(op, image);
  const size = `${image.width} × ${image.height}`;
  if (mask !== undefined) {
    requireImage(op, mask, 'a mask');
    if (mask.width !== image.width || mask.height !== image.height)
      throw new AugmentError({
        op,
        expected: `a mask of the image's size, ${size}`,
        got: `${mask.width} × ${mask.height}`,
        fix: 'resize it by nearest, or look whether it belongs to another image',
      });
  }
  for (const [i, box] of listOf(op, 'boxes', boxes).entries()) {
    const [x0 = NaN, y0 = NaN, x1 = NaN, y1 = NaN] = numbersIn(box);
    if (numbersIn(box).length === 4 && x0 >= 0 && y0 >= 0 && x0 < x1 && y0 < y1 && x1 <= image.width && y1 <= image.height) continue;
    throw new AugmentError({
      op,
      expected: `boxes [x0, y0, x1, y1] in pixels with x0 < x1 and y0 < y1, inside ${size}`,
      got: `${showValue(box)} at ${i}`,
      fix: 'clip it to the image; or convert it, when it is [x, y, width, height] or relative to the size',
    });
  }
  for (const [i, point] of listOf(op, 'keypoints', keypoints).entries()) {
    if (numbersIn(point).length === 2 && numbersIn(point).every(Number.isFinite)) continue;
    throw new AugmentError({
      op,
      expected: 'keypoints [x, y] of finite numbers',
      got: `${showValue(point)} at ${i}`,
      fix: 'leave out points that are not known',
    });
  }
}

function listOf(op: string, what: string, list: unknown): readonly unknown[] {
  if (Array.isArray(list)) return list;
  throw new AugmentError({ op, expected: `${what} in an array`, got: showValue(list), fix: `pass { image, ${what}: [] } without any` });
}

/** The items of an array of numbers; none for anything else. */
function numbersIn(value: unknown): readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number') ? value : [];
}
