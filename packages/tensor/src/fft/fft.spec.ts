/** Specifications of Fourier transforms, by their sums. */

import { array, at } from '../ops/specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from '../ops/specification.spec.ts';
import * as fourier from './index.ts';

/** Pairs along `axis`, transformed to `n` places. */
function transformed(x: Reference, axis: number, n: number, sign: number, factor: number): Reference {
  const dims = x.dims.with(axis, n);
  return array(dims, (index) => {
    let total = 0;
    for (let place = 0; place < Math.min(n, x.dims[axis] ?? 0); place++) {
      const angle = (sign * 2 * Math.PI * ((place * (index[axis] ?? 0)) % n)) / n;
      const from = index.with(axis, place);
      const realPart = at(x, [...from.slice(0, -1), 0]);
      const imaginaryPart = at(x, [...from.slice(0, -1), 1]);
      total +=
        index.at(-1) === 0
          ? realPart * Math.cos(angle) - imaginaryPart * Math.sin(angle)
          : realPart * Math.sin(angle) + imaginaryPart * Math.cos(angle);
    }
    return total * factor;
  });
}

const given = (x: Reference | undefined): Reference => {
  if (x === undefined) throw new Error('needs an input');
  return x;
};
const withZeros = (x: Reference): Reference => array([...x.dims, 2], (index) => (index.at(-1) === 0 ? at(x, index.slice(0, -1)) : 0));
const parts = (x: Reference, which: number): Reference => array(x.dims.slice(0, -1), (index) => at(x, [...index, which]));
const cut = (x: Reference, axis: number, n: number): Reference => array(x.dims.with(axis, n), (index) => at(x, index));
/** The whole spectrum of a real signal of `n` places from its first half. */
const mirrored = (x: Reference, axis: number, n: number): Reference =>
  array(x.dims.with(axis, n), (index) => {
    const k = index[axis] ?? 0;
    const half = k > Math.floor(n / 2);
    const value = at(x, half ? index.with(axis, n - k) : index);
    return (Number.isNaN(value) ? 0 : value) * (half && index.at(-1) === 1 ? -1 : 1);
  });

const plain = (...dims: number[]): InputSpecification[] => [{ dims, low: -1, high: 1 }];

export const specifications: readonly OpSpecification[] = [
  ...[1, 2, 3, 5, 8].map((n): OpSpecification => ({
    name: `fft of ${n}`,
    run: (x) => fourier.fft(x),
    reference: (x) => transformed(given(x), 1, n, -1, 1),
    cases: [plain(2, n, 2)],
    tolerance: 4e-6,
  })),
  // Two factors, a prime as one product, a chirp.
  ...[66, 160, 67, 131].map((n): OpSpecification => ({
    name: `fft of ${n}`,
    run: (x) => fourier.fft(x, { norm: 'ortho' }),
    reference: (x) => transformed(given(x), 0, n, -1, 1 / Math.sqrt(n)),
    cases: [plain(n, 2)],
    tolerance: 4e-6,
    differentiable: false,
  })),
  {
    name: 'fft of 34, cut',
    run: (x) => fourier.fft(x, { n: 34, axis: 0 }),
    reference: (x) => transformed(given(x), 0, 34, -1, 1),
    cases: [plain(35, 2)],
    tolerance: 4e-6,
  },
  {
    name: 'fft of 5 padded to 7, along axis 0',
    run: (x) => fourier.fft(x, { n: 7, axis: 0, norm: 'forward' }),
    reference: (x) => transformed(given(x), 0, 7, -1, 1 / 7),
    cases: [plain(5, 2, 2)],
    tolerance: 4e-6,
  },
  {
    name: 'ifft',
    run: (x) => fourier.ifft(x),
    reference: (x) => transformed(given(x), 1, 6, 1, 1 / 6),
    cases: [plain(2, 6, 2)],
    tolerance: 4e-6,
  },
  ...[1, 5, 6].map((n): OpSpecification => ({
    name: `rfft of ${n}`,
    run: (x) => fourier.rfft(x, { axis: 1 }),
    reference: (x) => cut(transformed(withZeros(given(x)), 1, n, -1, 1), 1, Math.floor(n / 2) + 1),
    cases: [plain(2, n)],
    tolerance: 4e-6,
  })),
  ...[4, 5, 6, 7].map((n): OpSpecification => ({
    name: `irfft of 3 places to ${n}`,
    run: (x) => fourier.irfft(x, { n }),
    reference: (x) => parts(transformed(mirrored(given(x), 1, n), 1, n, 1, 1 / n), 0),
    cases: [plain(2, 3, 2)],
    tolerance: 4e-6,
  })),
  {
    name: 'fft2',
    run: (x) => fourier.fft2(x, { sizes: [3, 4] }),
    reference: (x) => transformed(transformed(given(x), 0, 3, -1, 1), 1, 4, -1, 1),
    cases: [plain(2, 5, 2)],
    tolerance: 4e-6,
  },
  {
    name: 'ifft2',
    run: (x) => fourier.ifft2(x, { norm: 'ortho' }),
    reference: (x) => transformed(transformed(given(x), 1, 3, 1, 1 / Math.sqrt(6)), 2, 2, 1, 1),
    cases: [plain(2, 3, 2, 2)],
    tolerance: 4e-6,
  },
  {
    name: 'fftshift',
    run: (x) => fourier.fftshift(x),
    reference: (x) => array(given(x).dims, ([i = 0, j = 0, c = 0]) => at(given(x), [(i + 2) % 3, (j + 2) % 4, c])),
    cases: [plain(3, 4, 2)],
  },
  {
    name: 'ifftshift',
    run: (x) => fourier.ifftshift(x, { pairs: false, axes: 0 }),
    reference: (x) => array(given(x).dims, ([i = 0, j = 0]) => at(given(x), [(i + 2) % 5, j])),
    cases: [plain(5, 2)],
  },
  {
    name: 'complex',
    run: (a, b) => fourier.complex(a, b),
    reference: (a, b) => array([3, 2], ([i = 0, c = 0]) => at(given(c === 0 ? a : b), [i])),
    cases: [[...plain(3), ...plain(3)]],
  },
  { name: 'complex of real parts', run: (x) => fourier.complex(x), reference: (x) => withZeros(given(x)), cases: [plain(2, 2)] },
  { name: 'real', run: (x) => fourier.real(x), reference: (x) => parts(given(x), 0), cases: [plain(3, 2)] },
  { name: 'imaginary', run: (x) => fourier.imaginary(x), reference: (x) => parts(given(x), 1), cases: [plain(2, 3, 2)] },
];
