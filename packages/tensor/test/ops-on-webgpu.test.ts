/**
 * Every op on the webgpu device, from its specification: values against the float64 reference, and gradients against those of the reference
 * device in float64; the gradients of gradients of the first case, too, as their shaders take long to compile in software. Results are read
 * asynchronously: the device has no other way.
 */

import { cpu } from '@gradus/backend-cpu';
import { webgpu } from '@gradus/backend-webgpu';
import { DTypeError, scope, tensor } from '@gradus/tensor';
import type { Device } from '@gradus/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useSwiftShader } from '../../../scripts/swiftshader.mjs';
import { specifications as linalg } from '../src/linalg/linalg.spec.ts';
import {
  closeTo,
  eachCase,
  expected,
  gradientTensors,
  gradientsOf,
  resultOf,
  scaleOf,
  secondGradientTensors,
  secondGradientsOf,
  specifications,
} from './specifications.ts';

/** Values: one or two roundings of the functions of float32, relative to the result or to 1. */
const VALUE_TOLERANCE = 4e-6;
/** Gradients, and gradients of gradients, relative to the largest of them or to 1: some ten operations one after the other. */
const GRADIENT_TOLERANCE = 2e-5;

/** Their only case asks for float64, which the device does not have. */
const FLOAT64_ONLY: readonly string[] = ['toDType'];

const reference = cpu();
const available = useSwiftShader();

/** Linear algebra is calculated on the host, from values that are read at the call. */
const onHost = new Set(linalg.map(({ name }) => name));
const onDevice = specifications.filter(({ name }) => !FLOAT64_ONLY.includes(name) && !onHost.has(name));

describe.skipIf(!available)(available ? 'webgpu' : `webgpu (skipped: no software driver for ${process.platform} ${process.arch})`, () => {
  let device: Device;
  beforeAll(async () => {
    device = await webgpu();
  });
  afterAll(() => device.dispose());

  test('toDType refuses float64 at the call', () => {
    expect(() => tensor([1, 2], { device }).toDType('float64')).toThrow(DTypeError);
  });

  describe.each(onDevice)('$name', (specification) => {
    /** Cases with values that float32 has, so that both sides calculate with the same. */
    const cases = eachCase(specification).map(({ inputs, values }) => ({ inputs, values: values.map((v) => Float64Array.from(v, Math.fround)) }));

    test('values agree with the float64 reference', async () => {
      for (const { inputs, values } of cases) {
        const want = expected(specification, inputs, values);
        const tolerance = Math.max(specification.tolerance ?? 0, VALUE_TOLERANCE);
        const found = await scope(async () => resultOf(specification, inputs, values, 'float32', device).data());
        closeTo(found, want.data, tolerance, VALUE_TOLERANCE, 'webgpu');
      }
    });

    if (specification.differentiable === false) return;

    test.each([
      ['gradients', cases, gradientTensors, gradientsOf],
      ['gradients of gradients', cases.slice(0, 1), secondGradientTensors, secondGradientsOf],
    ] as const)('%s agree with the reference in float64', async (what, some, find, findExact) => {
      for (const { inputs, values } of some) {
        const want = findExact(specification, inputs, values, 'float64', reference);
        const found = await scope(async () => Promise.all(find(specification, inputs, values, 'float32', device).map((g) => g.data())));
        expect(found).toHaveLength(want.length);
        want.forEach((numbers, k) => closeTo(found[k] ?? [], numbers, 0, GRADIENT_TOLERANCE * scaleOf(numbers), `${what} of input ${k}`));
      }
    });
  });
});
