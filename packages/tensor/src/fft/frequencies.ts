/** Which frequencies the places of a transform stand for. */

import { tensor } from '../creation.ts';
import { ArgumentError } from '../errors.ts';
import { runtimeFor } from '../ops/positions.ts';
import type { CreationOptions } from '../ops/positions.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';

/** Options of {@link fftfreq}. */
export interface FrequencyOptions extends CreationOptions {
  /** Time between samples. Default 1: frequencies are in cycles a sample. */
  readonly spacing?: number;
}

function frequencies(op: string, n: number, count: number, options: FrequencyOptions, placeOf: (k: number) => number): Tensor {
  const runtime = runtimeFor(options, op);
  const { spacing = 1, dtype = 'float32' } = options;
  if (!(Number.isSafeInteger(n) && n >= 1) || spacing === 0 || !Number.isFinite(spacing))
    throw new ArgumentError({ op, expected: 'a length of at least 1 and a spacing other than 0', got: `${showValue(n)} and ${showValue(spacing)}` });
  return tensor(
    Float64Array.from({ length: count }, (_, k) => placeOf(k) / (n * spacing)),
    { dtype, device: runtime.backend },
  );
}

/** The frequency of each place of `fft`: 0, 1, …, then the negative ones, over n·spacing: `[n]`. @throws ArgumentError */
export function fftfreq(n: number, options: FrequencyOptions = {}): Tensor {
  return frequencies('fftfreq', n, n, options, (k) => (k < n / 2 ? k : k - n));
}

/** The frequency of each place of `rfft`: 0, 1, …, ⌊n/2⌋, over n·spacing. @throws ArgumentError */
export function rfftfreq(n: number, options: FrequencyOptions = {}): Tensor {
  return frequencies('rfftfreq', n, Math.floor(n / 2) + 1, options, (k) => k);
}
