/** Images: 8-bit pixels in memory, and nothing else. */

import { showValue } from '@gradus/tensor';
import { AugmentError } from './errors.ts';

/** Larger images have more bytes than an array may. */
const MOST_PIXELS = 2 ** 30;

/** Width and height, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * An 8-bit image. `data` holds the rows from the top, each from the left, with the channels of a pixel side by side: the byte of channel `c`
 * at column `x` of row `y` is `data[(y * width + x) * channels + c]`. One channel is grey, three are RGB, four are RGB and alpha.
 */
export interface Image extends Size {
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}

/**
 * An image of one colour, or around given bytes (which are not copied).
 *
 * @param size width, height, and channels (default 3)
 * @param content the bytes, or the value of every byte, default 0
 * @throws AugmentError for a size that is no whole number above 0 or above 2^30 pixels, or for bytes of another length
 */
export function createImage(size: Size & { readonly channels?: 1 | 3 | 4 }, content: number | Uint8Array = 0): Image {
  const { width, height, channels = 3 } = size;
  requireSize('createImage', size);
  requireChannels('createImage', channels, 'an image');
  const data = typeof content === 'number' ? new Uint8Array(width * height * channels).fill(content) : content;
  const image = { width, height, channels, data };
  requireImage('createImage', image);
  return image;
}

/** @throws AugmentError unless width and height are whole numbers above 0, of no more than 2^30 pixels together */
export function requireSize(op: string, { width, height }: Size): void {
  const [expected, got] = ['a width and a height that are whole numbers above 0', `${String(width)} × ${String(height)}`];
  if (!Number.isSafeInteger(width) || !Number.isSafeInteger(height) || width <= 0 || height <= 0) throw new AugmentError({ op, expected, got });
  if (width * height > MOST_PIXELS) throw new AugmentError({ op, expected: 'at most 2^30 pixels', got });
}

/** @throws AugmentError unless the image is whole: its size, channels and bytes agree */
export function requireImage(op: string, image: Image, what = 'an image'): void {
  const given: unknown = image;
  if (typeof given !== 'object' || given === null)
    throw new AugmentError({
      op,
      expected: `${what} { width, height, channels, data }`,
      got: showValue(given),
      fix: 'see createImage and readImage',
    });
  requireSize(op, image);
  const { width, height, channels, data } = image;
  requireChannels(op, channels, what);
  if (data instanceof Uint8Array && data.length === width * height * channels) return;
  throw new AugmentError({
    op,
    expected: `${what} of ${width} × ${height} × ${channels} = ${width * height * channels} bytes`,
    got: data instanceof Uint8Array ? `${data.length} bytes` : 'data that is no Uint8Array',
    fix: 'pass rows from the top, pixels from the left, channels side by side',
  });
}

function requireChannels(op: string, channels: number, what: string): void {
  if (channels === 1 || channels === 3 || channels === 4) return;
  throw new AugmentError({ op, expected: `${what} of 1, 3 or 4 channels`, got: `${String(channels)} channels` });
}
