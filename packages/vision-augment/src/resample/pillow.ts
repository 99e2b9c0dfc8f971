/**
 * Pillow's resampling of 8-bit images, to the byte: a filter whose support grows when the image shrinks, which antialiases; the rows first,
 * rounded to 8 bits, then the columns; weights in fixed point.
 *
 * Reference: Pillow 9.4, `src/libImaging/Resample.c`. Unlike Pillow's `Image.resize`, alpha is a channel like the others.
 */

import type { Image, Size } from '../image.ts';

/** 32 bits, less 8 of a pixel, less 2 for weights beyond 1 and their sign. */
const PRECISION_BITS = 32 - 8 - 2;

/** A filter: weight by distance in pixels, and the distance from which it is 0. */
interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const filters = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: cubic },
} satisfies Record<string, Filter>;

/** Keys' cubic convolution with a = -0.5, as Pillow writes it. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/** The weights along one axis: for output `i`, `count[i]` inputs from `start[i]`, with weights from `i * stride`. */
interface Weights {
  readonly start: Int32Array;
  readonly count: Int32Array;
  readonly stride: number;
  readonly weight: Int32Array;
}

function weightsOf(filter: Filter, from: number, to: number): Weights {
  const scale = from / to;
  const spread = Math.max(1, scale);
  const support = filter.support * spread;
  const stride = Math.ceil(support) * 2 + 1;
  const weights = { start: new Int32Array(to), count: new Int32Array(to), stride, weight: new Int32Array(to * stride) };
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    const exact = Array.from({ length: count }, (_, at) => filter.weight((at + start - centre + 0.5) * (1 / spread)));
    const sum = exact.reduce((total, weight) => total + weight, 0);
    weights.start[i] = start;
    weights.count[i] = count;
    for (const [at, weight] of exact.entries()) weights.weight[i * stride + at] = fixedPoint(sum === 0 ? weight : weight / sum);
  }
  return weights;
}

/** Rounds half away from zero. */
function fixedPoint(weight: number): number {
  return Math.trunc(weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5));
}

/**
 * Resamples the middle axis of `data`, [outer, from, inner], to `to`.
 */
function resampleAxis(data: Uint8Array, outer: number, from: number, inner: number, to: number, filter: Filter): Uint8Array {
  if (from === to) return data;
  const { start, count, stride, weight } = weightsOf(filter, from, to);
  const out = new Uint8Array(outer * to * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      const first = (o * from + (start[i] as number)) * inner;
      const taps = count[i] as number;
      const target = (o * to + i) * inner;
      for (let n = 0; n < inner; n++) {
        let sum = 1 << (PRECISION_BITS - 1);
        for (let tap = 0; tap < taps; tap++) sum += (data[first + tap * inner + n] as number) * (weight[i * stride + tap] as number);
        const level = sum >> PRECISION_BITS;
        out[target + n] = level < 0 ? 0 : level > 255 ? 255 : level;
      }
    }
  }
  return out;
}

/** The image at another size, as `Image.resize` of Pillow computes it. */
export function resizeLikePillow({ width, height, channels, data }: Image, size: Size, filter: keyof typeof filters): Image {
  const rows = resampleAxis(data, height, width, channels, size.width, filters[filter]);
  const columns = resampleAxis(rows, 1, height, size.width * channels, size.height, filters[filter]);
  return { width: size.width, height: size.height, channels, data: columns };
}
