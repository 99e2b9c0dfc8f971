/**
 * Every op on the wasm device, from its specification: values against the float64 reference, and gradients, the gradients of gradients
 * too, against those of the reference device in float64. Wasm has float32 at most; `ops.test.ts` checks the rules themselves.
 */

import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import { DTypeError, tensor } from '@gradus/tensor';
import type { Device } from '@gradus/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { closeTo, eachCase, expected, gradientsOf, run, scaleOf, secondGradientsOf, specifications } from './specifications.ts';

/** Values: one or two roundings of the functions of float32, relative to the result or to 1. */
const VALUE_TOLERANCE = 4e-6;
/** Gradients, and gradients of gradients, relative to the largest of them or to 1: some ten operations one after the other. */
const GRADIENT_TOLERANCE = 2e-5;

const reference = cpu();

/** Their only case asks for float64, which wasm does not have. */
const FLOAT64_ONLY: readonly string[] = ['toDType'];

describe.each(['plain', 'off'] as const)('simd: %s', (simd) => {
  let device: Device;
  beforeAll(async () => {
    device = await wasm({ simd });
  });

  test('toDType refuses float64 at the call', () => {
    expect(() => tensor([1, 2], { device }).toDType('float64')).toThrow(DTypeError);
    expect(() => tensor([1, 2], { device }).toDType('float64')).toThrow('[toDType] expected a dtype that wasm stores, got float64');
  });

  describe.each(specifications.filter(({ name }) => !FLOAT64_ONLY.includes(name)))('$name', (specification) => {
    /** Cases with values that float32 has, so that both sides calculate with the same. */
    const cases = eachCase(specification).map(({ inputs, values }) => ({ inputs, values: values.map((v) => Float64Array.from(v, Math.fround)) }));

    test('values agree with the float64 reference', () => {
      for (const { inputs, values } of cases) {
        const want = expected(specification, inputs, values);
        const tolerance = Math.max(specification.tolerance ?? 0, VALUE_TOLERANCE);
        closeTo(run(specification, inputs, values, 'float32', device), want.data, tolerance, VALUE_TOLERANCE, 'wasm');
      }
    });

    if (specification.differentiable === false) return;

    test.each([
      ['gradients', gradientsOf],
      ['gradients of gradients', secondGradientsOf],
    ] as const)('%s agree with the reference in float64', (what, find) => {
      for (const { inputs, values } of cases) {
        const want = find(specification, inputs, values, 'float64', reference);
        const found = find(specification, inputs, values, 'float32', device);
        expect(found).toHaveLength(want.length);
        want.forEach((numbers, k) => closeTo(found[k] ?? [], numbers, 0, GRADIENT_TOLERANCE * scaleOf(numbers), `${what} of input ${k}`));
      }
    });
  });
});
