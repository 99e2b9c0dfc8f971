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
  for (let at = 0; at < data.length; at += channels) {
    const part = (c: number): number => fround((data[at + c] as number) / 255);
    const [h, s, v] = toHsv([part(0), part(1), part(2)]);
    const turned = fround(h + fround(shift)) % 1;
    const colors = toRgb([turned < 0 ? fround(turned + 1) : turned, s, v]);
    for (const [c, value] of colors.entries()) out.data[at + c] = Math.trunc(fround(value * LEVELS));
  }
  return out;
}

type Triple = readonly [number, number, number];

function toHsv([r, g, b]: Triple): Triple {
  const high = Math.max(r, g, b);
  const range = fround(high - Math.min(r, g, b));
  if (range === 0) return [0, 0, high];
  const below = (value: number): number => fround(fround(high - value) / range);
  const [red, green, blue] = [below(r), below(g), below(b)];
  let sixths: number;
  if (high === r) sixths = fround(blue - green);
  else if (high === g) sixths = fround(fround(2 + red) - blue);
  else sixths = fround(fround(4 + green) - red);
  return [fround(fround(sixths / 6) + 1) % 1, fround(range / high), high];
}

function toRgb([h, s, v]: Triple): Triple {
  const sixths = fround(h * 6);
  const sector = Math.floor(sixths);
  const part = fround(sixths - sector);
  const less = (amount: number): number => fround(v * fround(1 - amount));
  const low = less(s);
  const falling = less(fround(s * part));
  const rising = less(fround(s * fround(1 - part)));
  const colors: readonly Triple[] = [
    [v, rising, low],
    [falling, v, low],
    [low, v, rising],
    [low, falling, v],
    [rising, low, v],
    [v, low, falling],
  ];
  return colors[sector % 6] ?? [v, v, v];
}
