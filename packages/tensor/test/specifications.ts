/** The specifications of all ops, and what tests of them share: inputs drawn from a specification, runs, references and gradients. */

import { scope, tensor, vjp } from '@gradus/tensor';
import type { DType, Device, Tensor } from '@gradus/tensor';
import { expect } from 'vitest';
import { specifications as arrangement } from '../src/ops/arrangement.spec.ts';
import { specifications as fft } from '../src/fft/fft.spec.ts';
import { specifications as linalg } from '../src/linalg/linalg.spec.ts';
import { specifications as arithmetic } from '../src/ops/arithmetic.spec.ts';
import { specifications as attention } from '../src/ops/attention.spec.ts';
import { specifications as convolution } from '../src/ops/convolution.spec.ts';
import { specifications as einsum } from '../src/ops/einsum.spec.ts';
import { specifications as functions } from '../src/ops/functions.spec.ts';
import { specifications as images } from '../src/ops/images.spec.ts';
import { specifications as movement } from '../src/ops/movement.spec.ts';
import { specifications as norms } from '../src/ops/norms.spec.ts';
import { specifications as parts } from '../src/ops/parts.spec.ts';
import { specifications as pooling } from '../src/ops/pooling.spec.ts';
import { specifications as quantile } from '../src/ops/quantile.spec.ts';
import { specifications as quantized } from '../src/ops/quantized.spec.ts';
import { specifications as rectifiers } from '../src/ops/rectifiers.spec.ts';
import { specifications as reduce } from '../src/ops/reduce.spec.ts';
import { specifications as scan } from '../src/ops/scan.spec.ts';
import { specifications as scattering } from '../src/ops/scattering.spec.ts';
import { specifications as sort } from '../src/ops/sort.spec.ts';
import { specifications as special } from '../src/ops/special.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from '../src/ops/specification.spec.ts';
import { threefry } from '../src/random/threefry.ts';

/** Every op's. */
export const specifications: readonly OpSpecification[] = [
  ...arithmetic,
  ...arrangement,
  ...functions,
  ...reduce,
  ...movement,
  ...convolution,
  ...einsum,
  ...norms,
  ...attention,
  ...pooling,
  ...quantized,
  ...parts,
  ...quantile,
  ...rectifiers,
  ...special,
  ...scan,
  ...scattering,
  ...sort,
  ...linalg,
  ...fft,
  ...images,
];

/** Reproducible values that keep away from each other and from whole numbers, so that kinks and ties lie far from every sample. */
function draw(input: InputSpecification, seed: number): Float64Array {
  const size = input.dims.reduce((n, d) => n * d, 1);
  const { low = -1, high = 1 } = input;
  return Float64Array.from({ length: size }, (_, i) => {
    const fixed = input.values?.[i];
    if (fixed !== undefined) return fixed;
    const unit = ((threefry([seed, 7], [i, 0])[0] >>> 0) + 0.5) / 2 ** 32;
    return input.whole === true ? Math.floor(low + unit * (high - low)) : low + unit * (high - low);
  });
}

export function toTensor(input: InputSpecification, values: Float64Array, dtype: DType, device: Device): Tensor {
  return tensor(input.whole === true ? Int32Array.from(values) : values, {
    shape: input.dims,
    dtype: input.whole === true ? 'int32' : dtype,
    device,
  });
}

export const eachCase = (specification: OpSpecification): { inputs: readonly InputSpecification[]; values: Float64Array[] }[] =>
  specification.cases.map((inputs) => ({ inputs, values: inputs.map((input, i) => draw(input, 100 + i)) }));

export function closeTo(actual: ArrayLike<number>, wanted: ArrayLike<number>, relative: number, absolute: number, what: string): void {
  expect(actual.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const a = actual[i] ?? NaN;
    const e = wanted[i] ?? NaN;
    const fits = Object.is(a, e) || Math.abs(a - e) <= absolute + relative * Math.abs(e);
    expect(fits, `${what}: element ${i} is ${a}, expected ${e}`).toBe(true);
  }
}

/** An op, or its gradients, on inputs with these values: tensors of the current scope. */
type Subject<R> = (
  specification: OpSpecification,
  inputs: readonly InputSpecification[],
  values: readonly Float64Array[],
  dtype: DType,
  device: Device,
) => R;

/** What the op gives. */
export const resultOf: Subject<Tensor> = (specification, inputs, values, dtype, device) =>
  specification.run(...inputs.map((input, i) => toTensor(input, values[i] ?? new Float64Array(), dtype, device)));

/** What the op gives, as numbers. */
export const run: Subject<ArrayLike<number>> = (...subject) => scope(() => resultOf(...subject).dataSync());

export function expected(specification: OpSpecification, inputs: readonly InputSpecification[], values: readonly Float64Array[]): Reference {
  return specification.reference(...inputs.map((input, i) => ({ dims: input.dims, data: values[i] ?? new Float64Array() })));
}

/** Σ cotangent · gradient of the op, at these values, for every float input. */
export function gradients(
  specification: OpSpecification,
  inputs: readonly InputSpecification[],
  tensors: readonly Tensor[],
  cotangent: Tensor,
): readonly Tensor[] {
  const floats = inputs.flatMap((input, i) => (input.whole === true ? [] : [i]));
  const fn = (...free: Tensor[]): Tensor => specification.run(...tensors.map((t, i) => (floats.includes(i) ? (free[floats.indexOf(i)] ?? t) : t)));
  return vjp(
    fn,
    floats.map((i) => tensors[i] as Tensor),
    cotangent,
  ).gradients;
}

/** Numbers around 1 to weigh results with. */
export const weights = (size: number, seed: number): Float64Array => draw({ dims: [size], low: 0.5, high: 1.5 }, seed);

/** The largest magnitude, and 1 at least. */
export const scaleOf = (numbers: ArrayLike<number>): number => Array.from(numbers).reduce((most, x) => Math.max(most, Math.abs(x)), 1);

/** Gradients of the inputs. */
export const gradientTensors: Subject<readonly Tensor[]> = (specification, inputs, values, dtype, device) => {
  const { dims, data } = expected(specification, inputs, values);
  const tensors = inputs.map((input, i) => toTensor(input, values[i] ?? new Float64Array(), dtype, device));
  const cotangent = tensor(weights(data.length, 11), { shape: dims, dtype, device });
  return gradients(specification, inputs, tensors, cotangent);
};

/** Gradients of the inputs, as numbers. */
export const gradientsOf: Subject<ArrayLike<number>[]> = (...subject) => scope(() => gradientTensors(...subject).map((g) => g.dataSync()));

/** The gradient of Σ direction · gradient. */
export const secondGradientTensors: Subject<readonly Tensor[]> = (specification, inputs, values, dtype, device) => {
  const floats = inputs.flatMap((input, i) => (input.whole === true ? [] : [i]));
  const { dims, data } = expected(specification, inputs, values);
  const tensors = inputs.map((input, i) => toTensor(input, values[i] ?? new Float64Array(), dtype, device));
  const projected = (...free: Tensor[]): Tensor => {
    const own = tensors.map((t, i) => (floats.includes(i) ? (free[floats.indexOf(i)] ?? t) : t));
    const found = gradients(specification, inputs, own, tensor(weights(data.length, 11), { shape: dims, dtype, device }));
    return found
      .map((g, k) => g.mul(tensor(weights(g.size, 31 + (floats[k] ?? 0)), { shape: g.shape, dtype, device })).sum())
      .reduce((a, b) => a.add(b));
  };
  const free = floats.flatMap((i) => tensors[i] ?? []);
  return vjp(projected, free, tensor(1, { dtype, device })).gradients;
};

/** The same as numbers. */
export const secondGradientsOf: Subject<ArrayLike<number>[]> = (...subject) =>
  scope(() => secondGradientTensors(...subject).map((g) => g.dataSync()));
