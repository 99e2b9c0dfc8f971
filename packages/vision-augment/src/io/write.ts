/** Writes image files, in Node.js. The file system and sharp are looked for when a file is written, so that the package loads without them. */

import { requireWithin } from '../ranges.ts';
import { ImageError } from '../errors.ts';
import { requireImage } from '../image.ts';
import type { Image } from '../image.ts';
import { nodeFiles } from './node.ts';
import { loadSharp, messageOf } from './sharp.ts';

/** Options of {@link writeImage}. */
export interface WriteImageOptions {
  /** Of JPEG, WebP and AVIF: from 1 to 100, default 90. PNG and TIFF lose nothing; GIF has 256 colours. */
  readonly quality?: number;
}

const QUALITY = 90;

const formats = {
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.png': 'png',
  '.webp': 'webp',
  '.avif': 'avif',
  '.tif': 'tiff',
  '.tiff': 'tiff',
  '.gif': 'gif',
} as const;

/** The options of formats that would lose something by those of the others: sharp makes a palette of a PNG with a quality, and a JPEG of a TIFF. */
const lossless: Readonly<Partial<Record<(typeof formats)[keyof typeof formats], object>>> = { png: {}, gif: {}, tiff: { compression: 'lzw' } };

/**
 * Writes an image in the format of the file's ending: .jpg, .png, .webp, .avif, .tiff, .gif. The file appears whole or not at all: on
 * failure, what was there before is still there.
 *
 * @throws AugmentError for an image that is not whole; ImageError for an ending that is no format's, alpha in a JPEG, a place that cannot be
 * written to; and where sharp is not installed
 */
export async function writeImage(target: string | URL, image: Image, { quality = QUALITY }: WriteImageOptions = {}): Promise<void> {
  requireImage('writeImage', image);
  requireWithin('writeImage', 'quality', quality, 1, 100);
  const { pathOf, rename, rm, writeFile } = nodeFiles('writeImage');
  const path = pathOf(target);
  const ending = /\.\w+$/.exec(path)?.[0].toLowerCase() ?? '';
  if (!isEnding(ending)) throw new ImageError({ op: 'writeImage', expected: `a name that ends in ${Object.keys(formats).join(', ')}`, got: path });
  const format = formats[ending];
  const { width, height, channels, data } = image;
  if (format === 'jpeg' && channels === 4)
    throw new ImageError({ op: 'writeImage', expected: 'an image without alpha for a JPEG', got: '4 channels', fix: 'write a .png or .webp' });
  const sharp = await loadSharp('writeImage');
  const unfinished = `${path}.${crypto.randomUUID()}.part`;
  try {
    const encoder = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
    const bytes = await encoder.toFormat(format, lossless[format] ?? { quality }).toBuffer();
    await writeFile(unfinished, bytes);
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw new ImageError({ op: 'writeImage', expected: 'a file that can be written', got: `${path}: ${messageOf(cause)}` }, { cause });
  }
}

function isEnding(ending: string): ending is keyof typeof formats {
  return Object.hasOwn(formats, ending);
}
