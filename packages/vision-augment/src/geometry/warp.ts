/**
 * Warps: each pixel of the new image looks up where it comes from, at its centre. Positions outside the old image, or outside what an
 * operation in between had cut off, get the fill colour; inside, the neighbours of a position at the edge are the pixels of the edge, as in
 * Pillow. Bilinear values are rounded to the nearest level; warps that move whole pixels copy bytes.
 */

import { AugmentError } from '../errors.ts';
import type { Image } from '../image.ts';
import type { Fill } from '../operations.ts';
import { IDENTITY, chain, inverse, movesWholePixels } from './matrix.ts';
import type { Matrix } from './matrix.ts';
import type { GeometryStep } from './plan.ts';

/** How a value between pixels is found. */
export type Sampling = 'bilinear' | 'nearest';

/** A canvas that a pixel must have been on: the matrix from the new image to it, and its size. */
interface Canvas {
  readonly matrix: Matrix;
  readonly width: number;
  readonly height: number;
}

/** Positions this near to an edge, in pixels, count as on it: rounding of the matrix must not move a border. */
const EDGE_TOLERANCE = 1e-9;

/** The bytes of a pixel of this colour. @throws AugmentError for another number of channels or values outside 0 to 255 */
export function fillBytes(op: string, fill: Fill, channels: number): Uint8Array {
  const values = typeof fill === 'number' ? Array.from({ length: channels }, () => fill) : fill;
  if (values.length === channels && values.every((value) => value >= 0 && value <= 255)) return Uint8Array.from(values, Math.round);
  throw new AugmentError({ op, expected: `a fill of one value, or of ${channels}, from 0 to 255`, got: JSON.stringify(fill) });
}

/** The image after a warp. @throws AugmentError for a fill that does not fit the image */
export function warp(image: Image, step: GeometryStep, sampling: Sampling): Image {
  const { width, height } = step;
  const back = inverse(step.matrix);
  if (back === undefined)
    throw new AugmentError({ op: 'augment', expected: 'geometry that keeps an area', got: `the matrix [${step.matrix.join(', ')}]` });
  const data = new Uint8Array(width * height * image.channels);
  const background = fillBytes('augment', step.fill ?? 0, image.channels);
  if (background.some((value) => value !== 0)) for (let at = 0; at < data.length; at += image.channels) data.set(background, at);
  const canvases = canvasesOf(image, step, back);
  const copyRow = sampling === 'nearest' || movesWholePixels(step.matrix) ? nearestRow : bilinearRow;
  for (let y = 0; y < height; y++) {
    const [from, to] = visible(canvases, y + 0.5, width);
    if (from < to) copyRow(image, back, data, y, width, from, to);
  }
  return { width, height, channels: image.channels, data };
}

function canvasesOf(image: Image, step: GeometryStep, back: Matrix): Canvas[] {
  const canvases: Canvas[] = [{ matrix: back, width: image.width, height: image.height }];
  let matrix = IDENTITY;
  for (const motion of step.motions.slice(0, -1)) {
    matrix = chain(matrix, motion.matrix);
    if (motion.cuts) canvases.push({ matrix: chain(back, matrix), width: motion.width, height: motion.height });
  }
  return canvases;
}

/** The columns, from and to, whose pixels in the row at `y` were on every canvas. */
function visible(canvases: readonly Canvas[], y: number, width: number): [number, number] {
  let from = 0;
  let to = width;
  const limit = (slope: number, start: number, length: number): void => {
    // The columns x with -tolerance <= slope · (x + 0.5) + start < length - tolerance.
    const low = -EDGE_TOLERANCE - start;
    const high = length - EDGE_TOLERANCE - start;
    if (slope === 0) {
      if (low > 0 || high <= 0) to = from;
    } else if (slope > 0) {
      from = Math.max(from, Math.ceil(low / slope - 0.5));
      to = Math.min(to, Math.ceil(high / slope - 0.5));
    } else {
      from = Math.max(from, Math.floor(high / slope - 0.5) + 1);
      to = Math.min(to, Math.floor(low / slope - 0.5) + 1);
    }
  };
  for (const { matrix, ...canvas } of canvases) {
    const [a, b, c, d, e, f] = matrix;
    limit(a, b * y + c, canvas.width);
    limit(d, e * y + f, canvas.height);
  }
  return [from, to];
}

const clamp = (value: number, high: number): number => (value < 0 ? 0 : value > high ? high : value);

function nearestRow(image: Image, matrix: Matrix, out: Uint8Array, y: number, width: number, from: number, to: number): void {
  const { data, channels } = image;
  const [a, b, c, d, e, f] = matrix;
  for (let x = from; x < to; x++) {
    const column = clamp(Math.floor(a * (x + 0.5) + b * (y + 0.5) + c + EDGE_TOLERANCE), image.width - 1);
    const row = clamp(Math.floor(d * (x + 0.5) + e * (y + 0.5) + f + EDGE_TOLERANCE), image.height - 1);
    const source = (row * image.width + column) * channels;
    const target = (y * width + x) * channels;
    for (let channel = 0; channel < channels; channel++) out[target + channel] = data[source + channel] as number;
  }
}

function bilinearRow(image: Image, matrix: Matrix, out: Uint8Array, y: number, width: number, from: number, to: number): void {
  const { data, channels } = image;
  const [a, b, c, d, e, f] = matrix;
  const right = image.width - 1;
  const bottom = image.height - 1;
  const stride = image.width * channels;
  for (let x = from; x < to; x++) {
    const column = a * (x + 0.5) + b * (y + 0.5) + c - 0.5;
    const row = d * (x + 0.5) + e * (y + 0.5) + f - 0.5;
    const x0 = Math.floor(column);
    const y0 = Math.floor(row);
    const u = column - x0;
    const v = row - y0;
    const left = clamp(x0, right) * channels;
    const next = clamp(x0 + 1, right) * channels;
    const above = clamp(y0, bottom) * stride;
    const below = clamp(y0 + 1, bottom) * stride;
    let target = (y * width + x) * channels;
    let [topLeft, topRight, bottomLeft, bottomRight] = [above + left, above + next, below + left, below + next];
    for (const end = target + channels; target < end; target++) {
      const top = (data[topLeft] as number) + ((data[topRight++] as number) - (data[topLeft++] as number)) * u;
      const base = (data[bottomLeft] as number) + ((data[bottomRight++] as number) - (data[bottomLeft++] as number)) * u;
      out[target] = (top + (base - top) * v + 0.5) | 0;
    }
  }
}
