/** What Pillow, OpenCV and torchvision made of small crops of photos (fixtures/make.py), and images made on the spot. */

import { readFileSync } from 'node:fs';
import { createImage } from '../src/image.ts';
import type { Image } from '../src/image.ts';
import type { Resampler } from '../src/operations.ts';

interface Stored {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: string;
}

interface Expected {
  readonly photos: Readonly<Record<string, Stored>>;
  readonly resized: readonly (Stored & { readonly photo: string; readonly resampler: Resampler })[];
  readonly rotated: readonly (Stored & { readonly photo: string; readonly degrees: number; readonly expand: boolean })[];
  readonly changed: readonly (Stored & {
    readonly photo: string;
    readonly op: 'brightness' | 'contrast' | 'saturation' | 'hue' | 'gaussianBlur';
    readonly value: number;
  })[];
}

export const expected = JSON.parse(readFileSync(new URL('../fixtures/expected.json', import.meta.url), 'utf8')) as Expected;

export function imageOf(stored: Stored): Image {
  return createImage(stored, new Uint8Array(Buffer.from(stored.data, 'base64')));
}

export function photo(name: string): Image {
  const stored = expected.photos[name];
  if (stored === undefined) throw new Error(`no photo ${name}`);
  return imageOf(stored);
}

/** An image whose bytes are all different from their neighbours: byte i is (37 · i + 11) mod 251. */
export function pattern(width: number, height: number, channels: 1 | 3 | 4 = 3): Image {
  return createImage(
    { width, height, channels },
    Uint8Array.from({ length: width * height * channels }, (_, i) => (37 * i + 11) % 251),
  );
}

/** The largest difference of two bytes in the same place. */
export function largestDifference(a: Image, b: Image): number {
  return a.data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b.data[i] ?? Infinity))), 0);
}

/** The check of a chunk in a PNG file. */
export function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
