/**
 * The nearest pixel, as Pillow takes it: output i shows input floor((i + 0.5) · from / to). Where that is a whole number, its sum of steps in
 * float64 decides, as in `ImagingScaleAffine` of Pillow 9.4, `src/libImaging/Geometry.c`.
 */

import type { Image, Size } from '../image.ts';

function sourcesOf(from: number, to: number): Int32Array {
  const step = from / to;
  const sources = new Int32Array(to);
  let position = step * 0.5;
  for (let i = 0; i < to; i++) {
    sources[i] = Math.min(from - 1, Math.floor(position));
    position += step;
  }
  return sources;
}

/** The image at another size, without new values: the resampler of masks. */
export function resizeNearest({ width, height, channels, data }: Image, size: Size): Image {
  const columns = sourcesOf(width, size.width);
  const out = new Uint8Array(size.width * size.height * channels);
  let at = 0;
  for (const row of sourcesOf(height, size.height)) {
    for (const column of columns) {
      const first = (row * width + column) * channels;
      for (let c = 0; c < channels; c++) out[at++] = data[first + c] as number;
    }
  }
  return { width: size.width, height: size.height, channels, data: out };
}
