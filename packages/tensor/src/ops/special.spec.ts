/**
 * Specifications of special functions: exponentials of other bases, inverse and hyperbolic functions, error functions, gamma functions.
 * References are JavaScript's own functions, or series and sums that converge slowly and surely.
 */

import { binary, unary } from './elementwise.spec.ts';
import * as errors from './error-functions.ts';
import * as exponentials from './exponentials.ts';
import { erf, sigmoid } from './functions.spec.ts';
import * as gamma from './gamma.ts';
import type { OpSpecification } from './specification.spec.ts';
import * as trigonometry from './trigonometry.ts';
import type { Tensor } from '../tensor.ts';

/** By halving the interval that holds it. */
function erfinv(x: number): number {
  let [low, high] = [-3, 3];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (erf(middle) < x) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

const SHIFT = 40;

/** Stirling's series 40 places further on, less the logarithms of those; below 0 by reflection. */
function lgamma(x: number): number {
  if (x < 0) return Math.log(Math.PI / Math.abs(x * Math.sin(Math.PI * x))) - lgamma(-x);
  const w = x + SHIFT;
  const stirling = (w - 0.5) * Math.log(w) - w + Math.log(2 * Math.PI) / 2 + 1 / (12 * w) - 1 / (360 * w ** 3) + 1 / (1260 * w ** 5);
  return Array.from({ length: SHIFT }, (_, k) => Math.log(x + k)).reduce((a, b) => a - b, stirling);
}

function digamma(x: number): number {
  if (x < 0) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * x);
  const w = x + SHIFT;
  const far = Math.log(w) - 1 / (2 * w) - 1 / (12 * w ** 2) + 1 / (120 * w ** 4) - 1 / (252 * w ** 6);
  return Array.from({ length: SHIFT }, (_, k) => 1 / (x + k)).reduce((a, b) => a - b, far);
}

/** The sum of (x + k)^-(n+1) to 40 places, and the integral of the rest with its first corrections. */
function polygammaOf(n: number, x: number): number {
  const w = x + SHIFT;
  const s = n + 1;
  const rest = w ** -n / n + w ** -s / 2 + (s * w ** (-s - 1)) / 12 - (s * (s + 1) * (s + 2) * w ** (-s - 3)) / 720;
  const zeta = Array.from({ length: SHIFT }, (_, k) => (x + k) ** -s).reduce((a, b) => a + b, rest);
  const factorial = Array.from({ length: n }, (_, k) => k + 1).reduce((a, b) => a * b, 1);
  return (n % 2 === 0 ? -1 : 1) * factorial * zeta;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
/** Of trigamma below 0. */
const reflected = (x: number): number => (Math.PI / Math.sin(Math.PI * x)) ** 2 - polygammaOf(1, 1 - x);
const logOdds = (x: number): number => Math.log(x / (1 - x));

export const specifications: readonly OpSpecification[] = [
  unary('exp2', exponentials.exp2, (x) => 2 ** x),
  unary('log2', exponentials.log2, Math.log2, 0.2, 5),
  unary('log10', exponentials.log10, Math.log10, 0.2, 5),
  unary('sinh', exponentials.sinh, Math.sinh),
  unary('cosh', exponentials.cosh, Math.cosh),
  unary('asinh', exponentials.asinh, Math.asinh),
  unary('acosh', exponentials.acosh, Math.acosh, 1.2, 5),
  unary('atanh', exponentials.atanh, Math.atanh, -0.9, 0.9),
  unary('logSigmoid', exponentials.logSigmoid, (x) => Math.log(sigmoid(x))),
  unary('logit', exponentials.logit, logOdds, 0.1, 0.9),
  unary(
    'logit, clamped',
    (x: Tensor) => exponentials.logit(x, { eps: 0.2 }),
    (x) => logOdds(Math.min(Math.max(x, 0.2), 0.8)),
    -0.5,
    1.5,
  ),
  binary('logaddexp', exponentials.logaddexp, (a, b) => Math.log(Math.exp(a) + Math.exp(b)), { low: -2, high: 2 }),
  binary('xlogy', exponentials.xlogy, (x, y) => x * Math.log(y), { low: -2, high: 2 }, { low: 0.5, high: 3 }),
  unary('asin', trigonometry.asin, Math.asin, -0.9, 0.9),
  unary('acos', trigonometry.acos, Math.acos, -0.9, 0.9),
  binary('atan2', trigonometry.atan2, Math.atan2, { low: -2, high: 2 }, { low: -2, high: 2.5 }),
  binary('hypot', trigonometry.hypot, Math.hypot, { low: -2, high: 2 }),
  unary('sinc', trigonometry.sinc, sinc),
  unary('sinc at 0', trigonometry.sinc, sinc, 0, 1, { cases: [[{ dims: [3], values: [0, 1e-3, -1] }]] }),
  unary('rad2deg', trigonometry.rad2deg, (x) => (x * 180) / Math.PI),
  unary('deg2rad', trigonometry.deg2rad, (x) => (x * Math.PI) / 180, -180, 180),
  unary('erfc', errors.erfc, (x) => 1 - erf(x), -2, 2),
  unary('erfinv', errors.erfinv, erfinv, -0.9, 0.9),
  unary('lgamma', gamma.lgamma, lgamma, 0.3, 12),
  unary('lgamma below 0', gamma.lgamma, lgamma, -2.8, -2.2, { tolerance: 1e-5 }),
  unary('digamma', gamma.digamma, digamma, 0.5, 12),
  unary('digamma below 0', gamma.digamma, digamma, -1.8, -1.2, { tolerance: 1e-5 }),
  unary(
    'polygamma',
    (x: Tensor) => gamma.polygamma(1, x),
    (x) => polygammaOf(1, x),
    0.7,
    9,
  ),
  unary(
    'polygamma of order 2',
    (x: Tensor) => gamma.polygamma(2, x),
    (x) => polygammaOf(2, x),
    0.9,
    9,
  ),
  unary('polygamma below 0', (x: Tensor) => gamma.polygamma(1, x), reflected, -1.7, -1.3, { tolerance: 1e-5 }),
];
