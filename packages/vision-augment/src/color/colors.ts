/**
 * Brightness, contrast, saturation and hue of 8-bit images, defined as torchvision defines them for uint8 tensors: blends are computed in
 * float32 and truncated. The bytes are torchvision's, those of hue within a level. Grey images have no saturation or hue to change; alpha
 * stays as it is.
 *
 * Reference: torchvision 0.14, `torchvision/transforms/functional_tensor.py`.
 */

import { createImage } from '../image.ts';
import type { Image } from '../image.ts';

const { fround } = Math;

/** The weights of red, green and blue in a grey level. */
const LUMA = [fround(0.2989), fround(0.587), fround(0.114)] as const;

/** What stands between a fraction and its level: 1 becomes 255, and every level its own. */
const LEVELS = fround(255 + 1 - 1e-3);

/** factor · image; 0 is black, 1 the image. */
export function brightness(image: Image, factor: number): Image {
  return blend(image, () => 0, factor);
}

/** Away from the mean of the grey image, or towards it for factors below 1. */
export function contrast(image: Image, factor: number): Image {
  const pixels = image.width * image.height;
  let sum = 0;
  for (let at = 0; at < image.data.length; at += image.channels) sum += greyAt(image, at);
  const mean = fround(sum / pixels);
  return blend(image, () => mean, factor);
}

/** Away from the grey image, or towards it for factors below 1. */
export function saturation(image: Image, factor: number): Image {
  return image.channels === 1 ? image : blend(image, (at) => greyAt(image, at), factor);
}

/** The grey level of the pixel whose bytes begin at `at`. */
function greyAt({ data, channels }: Image, at: number): number {
  const first = data[at] as number;
  if (channels === 1) return first;
  const sum = fround(fround(LUMA[0] * first) + fround(LUMA[1] * (data[at + 1] as number)));
  return Math.trunc(fround(sum + fround(LUMA[2] * (data[at + 2] as number))));
}

/** factor · image + (1 - factor) · other, clamped and truncated. */
function blend(image: Image, otherAt: (at: number) => number, factor: number): Image {
  const { data, channels } = image;
  const out = createImage(image, data.slice());
  const [own, rest] = [fround(factor), fround(1 - factor)];
  const colors = channels === 4 ? 3 : channels;
  for (let at = 0; at < data.length; at += channels) {
    const other = fround(rest * otherAt(at));
    for (let c = at; c < at + colors; c++) {
      const level = fround(fround(own * (data[c] as number)) + other);
      out.data[c] = level < 0 ? 0 : level > 255 ? 255 : level;
    }
  }
  return out;
}

/** The hue turned by `shift` of the full circle, from -0.5 to 0.5. */
export function hue(image: Image, shift: number): Image {
  const { data, channels } = image;
  if (channels === 1) return image;
  const out = createImage(image, data.slice());
  const turn = fround(shift);
  const color = new Float32Array(3);
  for (let at = 0; at < data.length; at += channels) {
    for (let c = 0; c < 3; c++) color[c] = (data[at + c] as number) / 255;
    turnHue(color, turn);
    for (let c = 0; c < 3; c++) out.data[at + c] = Math.trunc(fround((color[c] as number) * LEVELS));
  }
  return out;
}

/** From red, green and blue to hue, saturation and value, the hue turned, and back: in place, as torchvision's `_rgb2hsv` and `_hsv2rgb`. */
function turnHue(color: Float32Array, turn: number): void {
  const [r, g, b] = [color[0] as number, color[1] as number, color[2] as number];
  const value = Math.max(r, g, b);
  const range = fround(value - Math.min(r, g, b));
  if (range === 0) return;
  const red = fround(fround(value - r) / range);
  const green = fround(fround(value - g) / range);
  const blue = fround(fround(value - b) / range);
  let sixths: number;
  if (value === r) sixths = fround(blue - green);
  else if (value === g) sixths = fround(fround(2 + red) - blue);
  else sixths = fround(fround(4 + green) - red);
  const turned = fround((fround(fround(sixths / 6) + 1) % 1) + turn) % 1;
  const saturated = fround(range / value);
  const position = fround((turned < 0 ? fround(turned + 1) : turned) * 6);
  const sector = Math.floor(position);
  const part = fround(position - sector);
  // Of the three colours, one is at the value, one at the lowest, and one between: falling in odd sectors, rising in even ones.
  const lowest = fround(value * fround(1 - saturated));
  const between = fround(value * fround(1 - fround(saturated * (sector % 2 === 0 ? fround(1 - part) : part))));
  const highest = HIGHEST[sector % 6] as number;
  const middle = BETWEEN[sector % 6] as number;
  color.fill(lowest);
  color[highest] = value;
  color[middle] = between;
}

/** By sector of the circle: the colour at its highest, and the one between. 0 is red, 1 green, 2 blue. */
const HIGHEST = [0, 1, 1, 2, 2, 0] as const;
const BETWEEN = [1, 0, 2, 1, 0, 2] as const;
