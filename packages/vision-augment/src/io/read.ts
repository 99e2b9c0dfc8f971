/** Reads image files, in Node.js. The file system and sharp are looked for when a file is read, so that the package loads without them. */

import { requireWithin } from '../ranges.ts';
import { AugmentError, ImageError } from '../errors.ts';
import { createImage } from '../image.ts';
import type { Image } from '../image.ts';
import { nodeFiles } from './node.ts';
import { loadSharp, messageOf } from './sharp.ts';

/** Options of {@link readImage}. */
export interface ReadImageOptions {
  /**
   * What the image shall have: 3 for RGB (default; alpha is left away), 4 for RGB and alpha, 1 for grey by BT.601 as Pillow computes it. It
   * does not depend on the file, so that all images of a data set are of one kind.
   */
  readonly channels?: 1 | 3 | 4;
  /** The most pixels that a file may have, checked before they are decoded; default 64 Mi (8192 × 8192). */
  readonly pixelLimit?: number;
}

const PIXEL_LIMIT = 2 ** 26;

/** What is read; sharp could read more, such as SVG, which may ask for other files. AVIF is a kind of HEIF. */
const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'heif', 'avif', 'tiff', 'gif'];

/**
 * The image of a file, or of the bytes of one: JPEG, PNG, WebP, AVIF, TIFF or GIF (its first picture). Orientation from EXIF is applied;
 * 16-bit and CMYK images become 8-bit sRGB.
 *
 * @throws ImageError for a file that is missing, no such image, truncated, damaged or larger than the limit; and where sharp is not installed
 */
export async function readImage(source: string | URL | Uint8Array, options: ReadImageOptions = {}): Promise<Image> {
  const { channels = 3, pixelLimit = PIXEL_LIMIT } = options;
  requireWithin('readImage', 'pixelLimit', pixelLimit, 1, Number.MAX_SAFE_INTEGER);
  if (channels !== 1 && channels !== 3 && channels !== 4)
    throw new AugmentError({ op: 'readImage', expected: '1, 3 or 4 channels', got: String(channels) });
  const name = source instanceof Uint8Array ? `${source.length} bytes` : String(source);
  const bytes = source instanceof Uint8Array ? source : await readBytes(source, name);
  const sharp = await loadSharp('readImage');
  try {
    const decoder = sharp(bytes, { limitInputPixels: pixelLimit, autoOrient: true });
    const { format } = await decoder.metadata();
    if (!FORMATS.includes(format)) throw new Error(`the format is ${format}`);
    const colors = decoder.toColourspace('srgb');
    const pixels = channels === 4 ? colors.ensureAlpha() : colors.removeAlpha();
    const { data, info } = await pixels.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return withChannels(new Uint8Array(data.buffer, data.byteOffset, data.length), info, channels);
  } catch (cause) {
    throw new ImageError(
      {
        op: 'readImage',
        expected: `a whole JPEG, PNG, WebP, AVIF, TIFF or GIF of at most ${pixelLimit} pixels`,
        got: `${name}: ${messageOf(cause)}`,
        fix: 'look whether the file is complete and what its ending says; pixelLimit allows for more pixels',
      },
      { cause },
    );
  }
}

async function readBytes(source: string | URL, name: string): Promise<Uint8Array> {
  const { readFile } = nodeFiles('readImage');
  try {
    return await readFile(source);
  } catch (cause) {
    throw new ImageError({ op: 'readImage', expected: 'a file that can be read', got: `${name}: ${messageOf(cause)}` }, { cause });
  }
}

/** The decoded bytes as an image of the wanted channels; sharp gives grey files as one channel, or two with alpha. */
function withChannels(
  data: Uint8Array,
  { width, height, channels: found }: { readonly width: number; readonly height: number; readonly channels: number },
  channels: 1 | 3 | 4,
): Image {
  if (found === channels) return createImage({ width, height, channels }, data);
  const image = createImage({ width, height, channels });
  const grey = found < 3;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * found;
    const [r, g, b] = [data[at] as number, data[grey ? at : at + 1] as number, data[grey ? at : at + 2] as number];
    // The weights of BT.601 in 16 bits: Pillow, `src/libImaging/Convert.c`.
    if (channels === 1) image.data[pixel] = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
    else image.data.set(channels === 3 ? [r, g, b] : [r, g, b, found % 2 === 0 ? (data[at + found - 1] as number) : 255], pixel * channels);
  }
  return image;
}
