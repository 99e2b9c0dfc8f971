/** Fourier transforms: PyTorch's numbers, inverses, compiled, and refusals. */

import { cpu } from '@gradus/backend-cpu';
import { ArgumentError, AxisError, ShapeError, compile, scope, tensor, zeros } from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import * as fourier from '@gradus/tensor/fft';
import { describe, expect, test } from 'vitest';
import { specifications } from '../src/fft/fft.spec.ts';
import { goldenTests } from './golden.ts';
import type { Calls } from './golden.ts';

const device = cpu();
type Transform = (x: Tensor, options: object) => Tensor;
const transforms: Readonly<Record<string, Transform>> = {
  fft: fourier.fft,
  ifft: fourier.ifft,
  rfft: fourier.rfft,
  irfft: fourier.irfft,
  fft2: fourier.fft2,
  ifft2: fourier.ifft2,
  fftshift: fourier.fftshift,
  ifftshift: fourier.ifftshift,
};
const calls: Calls = Object.fromEntries(
  Object.entries(transforms).map(([name, run]): [string, Calls[string]] => [name, ([x], options) => run(x as Tensor, options)]),
);
const frequencies =
  (run: typeof fourier.fftfreq): Calls[string] =>
  ([x], { n, spacing }) =>
    run(n as number, { spacing: spacing as number, dtype: (x as Tensor).dtype, device });

describe('golden values', () => {
  goldenTests('fft', { ...calls, fftfreq: frequencies(fourier.fftfreq), rfftfreq: frequencies(fourier.rfftfreq) }, { float64: 1e-13, float32: 2e-6 });
});

test('every function has a specification or golden values', () => {
  const named = new Set(specifications.map(({ name }) => name.split(/[ ,]/)[0]));
  expect(Object.keys(fourier).filter((name) => !named.has(name))).toEqual(['fftfreq', 'rfftfreq']);
});

test.each([
  ['float64', 1e-14],
  ['float32', 1e-6],
] as const)('the inverse gives the signal back in %s, whatever the length', (dtype: DType, tolerance) => {
  for (const n of [1, 31, 33, 64, 97, 127, 128, 131, 262, 1000, 1009]) {
    scope(() => {
      const values = Float64Array.from({ length: 2 * n }, (_, i) => Math.sin(1.7 * i * i));
      const x = tensor(values, { shape: [n, 2], dtype, device });
      expect(fourier.ifft(fourier.fft(x)).sub(x).abs().max().itemSync(), `length ${n}`).toBeLessThan(tolerance);
    });
  }
});

test('a compiled function gives the same', () => {
  const x = tensor(
    Float64Array.from({ length: 192 }, (_, i) => Math.cos(i * i)),
    { dtype: 'float32', device },
  );
  const power = (t: Tensor): Tensor => fourier.rfft(t).square().sum();
  const compiled = compile(power);
  expect(compiled(x).itemSync()).toBe(power(x).itemSync());
  expect(compiled(x.mul(2)).itemSync()).toBe(power(x.mul(2)).itemSync());
});

test('integers are transformed as float32', () => {
  const found = fourier.rfft(tensor([1, 2, 3], { dtype: 'int32', device }));
  expect(found.dtype).toBe('float32');
  expect(found.dataSync()[0]).toBe(6);
});

describe('refusals', () => {
  const cases: readonly [string, () => unknown, new (...args: never[]) => Error, string][] = [
    ['real numbers', () => fourier.fft(zeros([4])), ShapeError, '[fft] expected complex numbers as pairs, [..., 2], got [4]. Fix: make them of real'],
    ['an axis of the pairs', () => fourier.fft(zeros([4, 2]), { axis: 1 }), AxisError, '[fft] expected an axis from -1 to 0, got 1.'],
    ['no length', () => fourier.fft(zeros([4, 2]), { n: 0 }), ArgumentError, '[fft] expected a length of at least 1, got 0.'],
    ['nothing', () => fourier.rfft(zeros([2, 0])), ArgumentError, '[rfft] expected a length of at least 1, got 0.'],
    ['one place', () => fourier.irfft(zeros([1, 2])), ArgumentError, '[irfft] expected a length of at least 1, got 0.'],
    ['a number', () => fourier.rfft(tensor(1)), AxisError, '[rfft] expected no axis for a tensor of rank 0'],
    [
      'another norm',
      () => fourier.ifft(zeros([4, 2]), { norm: 'full' as never }),
      ArgumentError,
      "[ifft] expected norm: 'backward', 'ortho' or 'forward'",
    ],
    ['an axis twice', () => fourier.fft2(zeros([4, 4, 2]), { axes: [0, 0] }), AxisError, '[fft2] expected each axis once'],
    ['an axis too few', () => fourier.fft2(zeros([4, 2])), AxisError, '[fft2]'],
    ['an axis as it is', () => fourier.fft(zeros([4, 2]), 0 as never), ArgumentError, '[fft] expected options, got 0.'],
    ['no spacing', () => fourier.fftfreq(4, { spacing: 0 }), ArgumentError, '[fftfreq] expected a length of at least 1 and a spacing other than 0'],
    ['triples', () => fourier.imaginary(zeros([3, 3])), ShapeError, '[imaginary] expected complex numbers as pairs, [..., 2], got [3, 3].'],
  ];

  test.each(cases)('%s', (_, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  test('no rows have a result', () => {
    expect(fourier.fft(zeros([0, 5, 2])).shape).toEqual([0, 5, 2]);
    expect(fourier.rfft(zeros([0, 40])).shape).toEqual([0, 21, 2]);
  });
});
