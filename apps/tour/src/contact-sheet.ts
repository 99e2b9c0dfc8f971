/** Many small pictures as one. */

import { compose, createImage, resize } from '@gradus/vision-augment';
import type { Image } from '@gradus/vision-augment';

/** Side of a picture, and the space around it, in pixels. */
const CELL = 96;
const GAP = 4;
/** Grey of the space. */
const GROUND = 235;

/** Rows of square pictures, grey or RGB, as an RGB image. Small ones are enlarged pixel by pixel, so that their pixels are seen. */
export function contactSheet(rows: readonly (readonly Image[])[]): Image {
  const columns = Math.max(...rows.map((row) => row.length));
  const sheet = createImage({ width: GAP + columns * (CELL + GAP), height: GAP + rows.length * (CELL + GAP) }, GROUND);
  for (const [row, images] of rows.entries())
    for (const [column, image] of images.entries()) paste(sheet, fitted(image), GAP + column * (CELL + GAP), GAP + row * (CELL + GAP));
  return sheet;
}

function fitted(image: Image): Image {
  return compose([resize([CELL, CELL], { resampler: image.width < CELL ? 'nearest' : 'bilinear' })])({ image }).image;
}

/** Puts the picture on the sheet with its corner at (x, y). */
function paste(sheet: Image, { width, height, channels, data }: Image, x: number, y: number): void {
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      for (let channel = 0; channel < 3; channel++)
        sheet.data[((y + row) * sheet.width + x + column) * 3 + channel] =
          data[(row * width + column) * channels + Math.min(channel, channels - 1)] ?? 0;
}
