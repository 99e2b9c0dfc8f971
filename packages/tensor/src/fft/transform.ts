/**
 * The discrete Fourier transform of rows of complex numbers `[rows, N, 2]`, made of matrix products: so it runs, fuses and differentiates
 * on every backend.
 *
 * Short lengths are one product with the table of cosines and sines, in which each complex number is a 2 × 2 block. Longer ones are split,
 * N = A·B, into transforms of A and of B with a turn of each element between (Cooley & Tukey 1965): one product for each factor. Prime
 * lengths beyond that are convolutions with a chirp, by transforms of a power of two (Bluestein 1970). Tables are calculated in float64.
 */

import { tensor } from '../creation.ts';
import { add, mul } from '../ops/arithmetic.ts';
import { matmul } from '../ops/matmul.ts';
import { flip, pad, permute, slice } from '../ops/movement.ts';
import { reshape } from '../ops/reshape.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';

/** The sign of the exponent: -1 forward, 1 backward. */
export type Sign = -1 | 1;

/** Up to here a length is one product: 4·N multiplications an element, against a pass over memory for each factor. */
const ONE_PRODUCT = 32;
/** Up to here a length without small divisors is one product; a chirp takes two transforms of at least twice the length. */
const ONE_PRIME = 128;

/** Σ x[n]·exp(sign·2πi·n·k / N), for x `[rows, N, 2]`, N ≥ 1. */
export function transform(x: Tensor, sign: Sign): Tensor {
  const [, size = 1] = nodeOf(x, 'fft').shape.dims;
  if (size <= ONE_PRODUCT) return product(x, sign);
  const factor = largestDivisor(size, ONE_PRODUCT);
  if (factor > 1) return split(x, factor, sign);
  return size <= ONE_PRIME ? product(x, sign) : chirp(x, sign);
}

/** The largest divisor of `n` up to `most`. */
function largestDivisor(n: number, most: number): number {
  for (let d = most; d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** Cosine and sine of `turns / of` of a full turn; exact at quarters. */
function onCircle(turns: number, of: number): readonly [number, number] {
  const place = turns % of;
  const quarter = (4 * place) / of;
  if (Number.isInteger(quarter))
    return (
      [
        [1, 0],
        [0, 1],
        [-1, 0],
        [0, -1],
      ] as const
    )[quarter as 0];
  const angle = (2 * Math.PI * place) / of;
  return [Math.cos(angle), Math.sin(angle)];
}

/** A table like x, in dtype and device. */
function tableFor(x: Tensor, values: Float64Array, shape: Dims): Tensor {
  const { dtype, runtime } = nodeOf(x, 'fft');
  return tensor(values, { shape, dtype, device: runtime.backend });
}

function product(x: Tensor, sign: Sign): Tensor {
  const [rows = 0, size = 1] = nodeOf(x, 'fft').shape.dims;
  const table = new Float64Array(4 * size * size);
  for (let n = 0; n < size; n++) {
    for (let k = 0; k < size; k++) {
      const [cosine, sine] = onCircle(n * k, size);
      const at = 4 * n * size + 2 * k;
      table[at] = cosine;
      table[at + 1] = sign * sine;
      table[at + 2 * size] = -sign * sine;
      table[at + 2 * size + 1] = cosine;
    }
  }
  return reshape(matmul(reshape(x, [rows, 2 * size]), tableFor(x, table, [2 * size, 2 * size])), [rows, size, 2]);
}

/** x times the complex numbers (cosine, sine) of a table of points: x·c + (its parts exchanged)·(∓s). */
function turned(x: Tensor, count: number, shape: Dims, point: (i: number) => readonly [number, number]): Tensor {
  const along = new Float64Array(2 * count);
  const across = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) {
    const [cosine, sine] = point(i);
    along[2 * i] = along[2 * i + 1] = cosine;
    across[2 * i] = -sine;
    across[2 * i + 1] = sine;
  }
  return add(mul(x, tableFor(x, along, [...shape, 2])), mul(flip(x, { axis: -1 }), tableFor(x, across, [...shape, 2])));
}

/** N = a·b: element b·i + j of x, element k + a·l of the result. */
function split(x: Tensor, a: number, sign: Sign): Tensor {
  const [rows = 0, size = 1] = nodeOf(x, 'fft').shape.dims;
  const b = size / a;
  const columns = reshape(permute(reshape(x, [rows, a, b, 2]), [0, 2, 1, 3]), [rows * b, a, 2]);
  const inner = reshape(transform(columns, sign), [rows, b, a, 2]);
  const between = turned(inner, size, [b, a], (i) => {
    const [cosine, sine] = onCircle(Math.floor(i / a) * (i % a), size);
    return [cosine, sign * sine];
  });
  const outer = transform(reshape(permute(between, [0, 2, 1, 3]), [rows * a, b, 2]), sign);
  return reshape(permute(reshape(outer, [rows, a, b, 2]), [0, 2, 1, 3]), [rows, size, 2]);
}

/** n·k = (n² + k² - (k - n)²) / 2: a convolution of x·w with the conjugate of w, where w[n] = exp(sign·πi·n² / N). */
function chirp(x: Tensor, sign: Sign): Tensor {
  const [, size = 1] = nodeOf(x, 'fft').shape.dims;
  const w = (n: number): readonly [number, number] => {
    const [cosine, sine] = onCircle((n * n) % (2 * size), 2 * size);
    return [cosine, sign * sine];
  };
  const long = 2 ** Math.ceil(Math.log2(2 * size - 1));
  const padded = pad(turned(x, size, [size], w), [
    [0, 0],
    [0, long - size],
    [0, 0],
  ]);
  const kernel = new Float64Array(2 * long);
  for (let n = 0; n < size; n++) {
    const [cosine, sine] = w(n);
    for (const at of n === 0 ? [0] : [n, long - n]) {
      kernel[2 * at] = cosine / long;
      kernel[2 * at + 1] = -sine / long;
    }
  }
  const both = timesComplex(transform(padded, -1), transform(tableFor(x, kernel, [1, long, 2]), -1));
  const convolved = slice(transform(both, 1), [null, { end: size }]);
  return turned(convolved, size, [size], w);
}

/** The product of complex numbers `[..., 2]`, broadcast. */
function timesComplex(a: Tensor, b: Tensor): Tensor {
  const part = (i: number): Tensor => slice(b, [null, null, { start: i, end: i + 1 }]);
  const signs = tableFor(a, Float64Array.of(-1, 1), [2]);
  return add(mul(a, part(0)), mul(mul(flip(a, { axis: -1 }), signs), part(1)));
}
