/**
 * OpenCV's `resize` with `INTER_LINEAR` on 8-bit images, to the byte: pixel centres at halves, no antialiasing, weights of 11 bits.
 *
 * Reference: OpenCV 4.6, `modules/imgproc/src/resize.cpp` (`HResizeLinear`, `VResizeLinear<uchar, int, short, …>`).
 */

import type { Image, Size } from '../image.ts';

const WEIGHT_BITS = 11;
const ONE = 1 << WEIGHT_BITS;

/** For each output: the first of its two inputs, and their weights in units of 2^-11. */
interface Pairs {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Int32Array;
}

function pairsOf(from: number, to: number, clampWeight: boolean): Pairs {
  const scale = 1 / (to / from);
  const pairs = { first: new Int32Array(to), second: new Int32Array(to), weight: new Int32Array(to * 2) };
  for (let i = 0; i < to; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    let at = Math.floor(position);
    let part = Math.fround(position - at);
    // Columns outside count as the edge itself; rows outside are two equal rows, which rounds otherwise.
    if (clampWeight && (at < 0 || at >= from - 1)) {
      at = at < 0 ? 0 : from - 1;
      part = 0;
    }
    pairs.first[i] = Math.min(Math.max(at, 0), from - 1);
    pairs.second[i] = Math.min(Math.max(at + 1, 0), from - 1);
    pairs.weight[2 * i] = roundHalfEven(Math.fround(Math.fround(1 - part) * ONE));
    pairs.weight[2 * i + 1] = roundHalfEven(Math.fround(part * ONE));
  }
  return pairs;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** The image at another size, as `cv2.resize` with its default interpolation computes it. */
export function resizeLikeOpenCv({ width, height, channels, data }: Image, size: Size): Image {
  const columns = pairsOf(width, size.width, true);
  const rows = pairsOf(height, size.height, false);
  const stride = size.width * channels;
  const wide = new Int32Array(height * stride);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < size.width; x++) {
      const left = (y * width + (columns.first[x] as number)) * channels;
      const right = (y * width + (columns.second[x] as number)) * channels;
      const a = columns.weight[2 * x] as number;
      const b = columns.weight[2 * x + 1] as number;
      for (let c = 0; c < channels; c++) wide[y * stride + x * channels + c] = (data[left + c] as number) * a + (data[right + c] as number) * b;
    }
  }
  const out = new Uint8Array(size.height * stride);
  for (let y = 0; y < size.height; y++) {
    const above = (rows.first[y] as number) * stride;
    const below = (rows.second[y] as number) * stride;
    const a = rows.weight[2 * y] as number;
    const b = rows.weight[2 * y + 1] as number;
    for (let n = 0; n < stride; n++) {
      const top = (a * ((wide[above + n] as number) >> 4)) >> 16;
      const base = (b * ((wide[below + n] as number) >> 4)) >> 16;
      out[y * stride + n] = (top + base + 2) >> 2;
    }
  }
  return { width: size.width, height: size.height, channels, data: out };
}
