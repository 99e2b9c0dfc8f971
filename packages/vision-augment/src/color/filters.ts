/** Noise, blur and erased parts. */

import { AugmentError } from '../errors.ts';
import { fillBytes } from '../geometry/warp.ts';
import { createImage, requireSize } from '../image.ts';
import type { Image, Size } from '../image.ts';
import type { Fill } from '../operations.ts';
import { normalPair } from '../random.ts';
import type { Words } from '../random.ts';

/** Adds normal noise of standard deviation `sigma`, in levels, to every colour; the noise is a function of the key. Alpha stays. */
export function gaussianNoise(image: Image, sigma: number, key: Words): Image {
  const { data, channels } = image;
  const out = createImage(image, data.slice());
  const add = (at: number, noise: number): void => {
    if (at === data.length || (channels === 4 && at % 4 === 3)) return;
    const level = Math.round((data[at] as number) + sigma * noise);
    out.data[at] = level < 0 ? 0 : level > 255 ? 255 : level;
  };
  for (let at = 0; at < data.length; at += 2) {
    const [first, second] = normalPair(key, at / 2);
    add(at, first);
    add(at + 1, second);
  }
  return out;
}

/**
 * Blurs by a Gaussian of standard deviation `sigma` cut at `radius` pixels: rows, then columns, in float32, rounded once at the end. Beyond
 * a border the image is mirrored about the pixel at the border, as in torchvision and OpenCV (`BORDER_REFLECT_101`).
 */
export function gaussianBlur({ width, height, channels, data }: Image, sigma: number, radius: number): Image {
  const bell = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = bell.reduce((total, value) => total + value, 0);
  const weights = Float64Array.from(bell, (value) => value / sum);
  const rows = blurAxis(new Float32Array(data), height, width, channels, weights);
  const both = blurAxis(rows, 1, height, width * channels, weights);
  return createImage({ width, height, channels }, roundedBytes(both));
}

function roundedBytes(levels: Float32Array): Uint8Array {
  const bytes = new Uint8Array(levels.length);
  for (let at = 0; at < levels.length; at++) bytes[at] = Math.round(levels[at] as number);
  return bytes;
}

/** Blurs the middle axis of `data`, [outer, length, inner]. */
function blurAxis(data: Float32Array, outer: number, length: number, inner: number, weights: Float64Array): Float32Array {
  const out = new Float32Array(data.length);
  const taps = weights.length;
  const radius = (taps - 1) / 2;
  const sources = Int32Array.from({ length: length * taps }, (_, at) => mirrored(Math.floor(at / taps) + (at % taps) - radius, length) * inner);
  for (let o = 0; o < outer; o++) {
    const base = o * length * inner;
    for (let i = 0; i < length; i++) {
      for (let n = 0; n < inner; n++) {
        let sum = 0;
        for (let tap = 0; tap < taps; tap++) sum += (weights[tap] as number) * (data[base + (sources[i * taps + tap] as number) + n] as number);
        out[base + i * inner + n] = sum;
      }
    }
  }
  return out;
}

/** The index inside that a mirrored one shows: … 2 1 | 0 1 2 … */
function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = ((index % period) + period) % period;
  return at < length ? at : period - at;
}

/** Paints a rectangle. @throws AugmentError when it is not inside the image */
export function erase(image: Image, part: Size & { readonly x: number; readonly y: number }, fill: Fill): Image {
  const { x, y, width, height } = part;
  requireSize('erase', part);
  if (!Number.isInteger(x) || !Number.isInteger(y) || x < 0 || y < 0 || x + width > image.width || y + height > image.height)
    throw new AugmentError({ op: 'erase', expected: `a part of ${image.width} × ${image.height}`, got: `${width} × ${height} at (${x}, ${y})` });
  const color = fillBytes('erase', fill, image.channels);
  const out = createImage(image, image.data.slice());
  for (let row = y; row < y + height; row++)
    for (let column = x; column < x + width; column++) out.data.set(color, (row * image.width + column) * image.channels);
  return out;
}
