/** Specifications of elementary functions and activations. References are JavaScript's own functions, or series where it has none. */

import { gelu, silu } from './activations.ts';
import { unary } from './elementwise.spec.ts';
import * as ops from './functions.ts';
import type { OpSpecification } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

/** erf by its Maclaurin series: 2/√π Σ (-1)^n x^(2n+1) / (n! (2n+1)), accurate to 1e-14 for |x| ≤ 3. */
export function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const roundHalfToEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

const step = (name: string, run: (x: Tensor) => Tensor, f: (x: number) => number): OpSpecification =>
  unary(name, run, f, -5, 5, { differentiable: false });

export const specifications: readonly OpSpecification[] = [
  unary('exp', ops.exp, Math.exp),
  unary('log', ops.log, Math.log, 0.2, 5),
  unary('log1p', ops.log1p, Math.log1p, -0.5, 3),
  unary('expm1', ops.expm1, Math.expm1, -1, 1),
  unary('sqrt', ops.sqrt, Math.sqrt, 0.2, 5),
  unary('rsqrt', ops.rsqrt, (x) => 1 / Math.sqrt(x), 0.5, 5),
  unary('reciprocal', ops.reciprocal, (x) => 1 / x, 0.5, 4),
  unary('sin', ops.sin, Math.sin),
  unary('cos', ops.cos, Math.cos),
  unary('tan', ops.tan, Math.tan, -1, 1),
  unary('atan', ops.atan, Math.atan),
  unary('tanh', ops.tanh, Math.tanh),
  unary('erf', ops.erf, erf, -2.5, 2.5),
  unary('sigmoid', ops.sigmoid, sigmoid),
  unary('softplus', ops.softplus, (x) => Math.log1p(Math.exp(x))),
  unary('relu', ops.relu, (x) => Math.max(x, 0)),
  unary(
    'leakyRelu',
    (x: Tensor) => ops.leakyRelu(x, { slope: 0.1 }),
    (x) => (x > 0 ? x : 0.1 * x),
  ),
  unary('silu', silu, (x) => x * sigmoid(x)),
  unary('gelu', gelu, (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)), -3, 3, { tolerance: 2e-5 }),
  unary(
    'gelu tanh',
    (x: Tensor) => gelu(x, { approximate: 'tanh' }),
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    -2,
    2,
    { tolerance: 2e-5 },
  ),
  step('floor', ops.floor, Math.floor),
  step('ceil', ops.ceil, Math.ceil),
  step('round', ops.round, roundHalfToEven),
  step('trunc', ops.trunc, Math.trunc),
];
