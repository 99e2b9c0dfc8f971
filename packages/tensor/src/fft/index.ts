/**
 * Fourier transforms: on every backend, of any length, differentiable to any order.
 *
 * Complex numbers are pairs along a last axis of size 2, real part first: `fft(complex(x))`.
 */

export { complex, fft, fft2, fftshift, ifft, ifft2, ifftshift, imaginary, irfft, real, rfft } from './fourier.ts';
export type { Fourier2Options, FourierOptions, Normalization, ShiftOptions } from './fourier.ts';
export { fftfreq, rfftfreq } from './frequencies.ts';
export type { FrequencyOptions } from './frequencies.ts';
