/**
 * Every op row, from its specification: values against a float64 reference, gradients and gradients of gradients against central
 * differences in float64, lazy evaluation against evaluation op by op, and a backend with only the three required kernels against cpu.
 */

import { readdirSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { debug, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import * as published from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import type { InputSpecification } from '../src/ops/specification.spec.ts';
import {
  closeTo,
  eachCase,
  expected,
  gradients,
  gradientsOf,
  run,
  secondGradientsOf,
  specifications as all,
  toTensor,
  weights,
} from './specifications.ts';

const reference = cpu();
const minimal = withoutFastPaths(cpu());

const STEP = 1e-5;
/** Central differences in float64: error of the rule (step²) and of rounding (1e-16 / step). */
const GRADIENT_TOLERANCE = 2e-6;

/** Checks `analytic`, for every element of every float input, against central differences of `f`. */
function checkAgainstDifferences(
  inputs: readonly InputSpecification[],
  values: readonly Float64Array[],
  analytic: readonly ArrayLike<number>[],
  f: (values: readonly Float64Array[]) => number,
  what: string,
): void {
  const floats = inputs.flatMap((input, i) => (input.whole === true ? [] : [i]));
  floats.forEach((input, k) => {
    const own = values[input] ?? new Float64Array();
    const numeric = own.map((_, element) => {
      const shifted = (by: number): number => f(values.map((v, i) => (i === input ? v.map((x, j) => (j === element ? x + by : x)) : v)));
      return (shifted(STEP) - shifted(-STEP)) / (2 * STEP);
    });
    closeTo(analytic[k] ?? [], numeric, GRADIENT_TOLERANCE, GRADIENT_TOLERANCE, `${what} of input ${input}`);
  });
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** Exported beside ops: promises of tensors, whose shape depends on the values (they have tests of their own), and what is no op. */
const NOT_SPECIFIED = [
  'indexMasked',
  'maskedSelect',
  'nonzero',
  'unique',
  'uniqueConsecutive',
  'arange',
  'requireIndices',
  'requireOptions',
  'stopGradient',
];

test('every op has a specification', async () => {
  const named = new Set(all.map((specification) => specification.name.split(/[ ,]/)[0]));
  const folder = new URL('../src/ops/', import.meta.url);
  const files = readdirSync(folder).filter((file) => !/\.(spec|test)\.ts$/.test(file));
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder).href) as Promise<object>));
  const ops = modules.flatMap((module) => Object.keys(module)).filter((name) => Object.hasOwn(published, name));
  const without = ops.filter((name) => !named.has(name) && !NOT_SPECIFIED.includes(name));
  expect(ops.length).toBeGreaterThan(200);
  expect(without).toEqual([]);
});

describe.each(all)('$name', (specification) => {
  test('values agree with the float64 reference', () => {
    for (const { inputs, values } of eachCase(specification)) {
      const want = expected(specification, inputs, values);
      closeTo(run(specification, inputs, values, 'float64', reference), want.data, 1e-12, 1e-13, 'float64');
      const rounded = values.map((v) => Float64Array.from(v, Math.fround));
      const want32 = expected(specification, inputs, rounded);
      closeTo(run(specification, inputs, rounded, 'float32', reference), want32.data, specification.tolerance ?? 2e-6, 1e-6, 'float32');
    }
  });

  test('the shape is the reference’s', () => {
    for (const { inputs, values } of eachCase(specification)) {
      scope(() => {
        const result = specification.run(...inputs.map((input, i) => toTensor(input, values[i] ?? new Float64Array(), 'float32', reference)));
        expect(result.shape).toEqual(expected(specification, inputs, values).dims);
      });
    }
  });

  test('lazy equals op by op, bit for bit', () => {
    for (const { inputs, values } of eachCase(specification)) {
      const lazy = run(specification, inputs, values, 'float32', reference);
      const eager = (() => {
        const settings = debug({ eager: true });
        try {
          return run(specification, inputs, values, 'float32', reference);
        } finally {
          settings[Symbol.dispose]();
        }
      })();
      closeTo(lazy, eager, 0, 0, 'lazy against eager');
    }
  });

  test('a backend with only the required kernels gives the same', () => {
    for (const { inputs, values } of eachCase(specification)) {
      const want = run(specification, inputs, values, 'float64', reference);
      closeTo(run(specification, inputs, values, 'float64', minimal), want, 1e-12, 1e-13, 'decomposed');
    }
  });

  test('debug mode finds no fault in it there', () => {
    const settings = debug({ eager: true });
    try {
      for (const { inputs, values } of eachCase(specification)) {
        expect(() => run(specification, inputs, values, 'float32', minimal)).not.toThrow();
      }
    } finally {
      settings[Symbol.dispose]();
    }
  });

  if (specification.differentiable === false) return;

  test.each(['cpu', 'required kernels only'])('gradient agrees with central differences on %s', (name) => {
    const device = name === 'cpu' ? reference : minimal;
    for (const { inputs, values } of eachCase(specification)) {
      const size = expected(specification, inputs, values).data.length;
      const w = weights(size, 11);
      const analytic = gradientsOf(specification, inputs, values, 'float64', device);
      checkAgainstDifferences(inputs, values, analytic, (v) => dot(run(specification, inputs, v, 'float64', reference), w), 'gradient');
    }
  });

  test('second-order gradient agrees with central differences', () => {
    for (const { inputs, values } of eachCase(specification)) {
      const result = expected(specification, inputs, values);
      const w = weights(result.data.length, 11);
      const floats = inputs.flatMap((input, i) => (input.whole === true ? [] : [i]));
      const directions = floats.map((i) => weights(values[i]?.length ?? 0, 31 + i));
      /** Σ direction · gradient, as tensors. */
      const projected = (tensors: readonly Tensor[]): Tensor => {
        const cotangent = tensor(w, { shape: result.dims, device: reference });
        const found = gradients(specification, inputs, tensors, cotangent);
        return found
          .map((g, k) => g.mul(tensor(directions[k] ?? new Float64Array(), { shape: g.shape, device: reference })).sum())
          .reduce((a, b) => a.add(b));
      };
      const make = (v: readonly Float64Array[]): Tensor[] =>
        inputs.map((input, i) => toTensor(input, v[i] ?? new Float64Array(), 'float64', reference));
      const analytic = secondGradientsOf(specification, inputs, values, 'float64', reference);
      checkAgainstDifferences(inputs, values, analytic, (v) => scope(() => projected(make(v)).itemSync()), 'second-order gradient');
    }
  });
});
