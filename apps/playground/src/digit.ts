/**
 * From a drawing to an image like those of MNIST, as its authors made them (http://yann.lecun.com/exdb/mnist): scaled to fit a box of 20 × 20 with its
 * proportions kept, and placed on 28 × 28 so that the centre of mass is in the middle.
 */

import { SIDE } from './choices.ts';

/** The longer side of a digit, in pixels. */
const DIGIT_BOX = 20;

/** Ink of less than this is none: edges of strokes fade out. */
const FAINT = 0.02;

/** A drawing: ink from 0 to 1, row by row. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly ink: Float32Array;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The drawing as the network was taught to see, 28 × 28 numbers from 0 to 1; null for an empty one. */
export function asDigit(drawing: Drawing): Float32Array | null {
  const box = inkBox(drawing);
  if (box === null) return null;
  const scale = DIGIT_BOX / Math.max(box.width, box.height);
  const [massX, massY] = centreOfMass(drawing, box);
  const pixels = new Float32Array(SIDE * SIDE);
  // Where the corner of pixel (0, 0) lies in the drawing, so that the centre of mass is in the middle of the image.
  const [startX, startY] = [massX - SIDE / 2 / scale, massY - SIDE / 2 / scale];
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) pixels[y * SIDE + x] = meanInk(drawing, startX + x / scale, startY + y / scale, 1 / scale);
  return pixels;
}

/** What holds all ink; null if there is none. */
function inkBox({ width, height, ink }: Drawing): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if ((ink[y * width + x] ?? 0) < FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function centreOfMass({ width, ink }: Drawing, box: Box): readonly [x: number, y: number] {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let y = box.top; y < box.top + box.height; y++)
    for (let x = box.left; x < box.left + box.width; x++) {
      const here = ink[y * width + x] ?? 0;
      mass += here;
      sumX += here * (x + 0.5);
      sumY += here * (y + 0.5);
    }
  return [sumX / mass, sumY / mass];
}

/** The mean ink of a square with its corner at (left, top), parts of pixels by their area; 0 outside the drawing. */
function meanInk({ width, height, ink }: Drawing, left: number, top: number, side: number): number {
  let sum = 0;
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, top + side); y++) {
    const tall = Math.min(y + 1, top + side) - Math.max(y, top);
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, left + side); x++) {
      const wide = Math.min(x + 1, left + side) - Math.max(x, left);
      sum += (ink[y * width + x] ?? 0) * wide * tall;
    }
  }
  return Math.min(1, sum / (side * side));
}
