/**
 * Measures the errors of elementary functions in float32, device against float64, over a grid of float32 numbers that is even in their bit
 * patterns: as dense in every power of two as in the others, denormals left out.
 */

import { cpu } from '@gradus/backend-cpu';
import * as gradus from '@gradus/tensor';
import { scope, tensor } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { ulpsBetween } from './ulps.ts';

/** One row of the table: a function over an interval. */
export interface Row {
  readonly name: string;
  readonly f: (x: Tensor, second: Tensor) => Tensor;
  /** Of a function of two: the other argument, which goes with each. */
  readonly second?: (x: number) => number;
  readonly from: number;
  readonly to: number;
  /** Errors are in ulps of the result; `absolute`: in ulps of 1 where the result is below 1, since it crosses 0 where no argument does. */
  readonly absolute?: boolean;
}

const MOST = 3.4e38;
const LEAST = 1.2e-38;

export const ROWS: readonly Row[] = [
  { name: 'exp', f: gradus.exp, from: -87, to: 88.7 },
  { name: 'exp2', f: gradus.exp2, from: -126, to: 127.9 },
  { name: 'expm1', f: gradus.expm1, from: -MOST, to: 88.7 },
  { name: 'log', f: gradus.log, from: LEAST, to: MOST },
  { name: 'log2', f: gradus.log2, from: LEAST, to: MOST },
  { name: 'log10', f: gradus.log10, from: LEAST, to: MOST },
  { name: 'log1p', f: gradus.log1p, from: -0.999999, to: MOST },
  { name: 'sqrt', f: gradus.sqrt, from: LEAST, to: MOST },
  { name: 'rsqrt', f: gradus.rsqrt, from: LEAST, to: MOST },
  { name: 'reciprocal', f: gradus.reciprocal, from: LEAST, to: 8e37 },
  { name: 'sin', f: gradus.sin, from: -8192, to: 8192, absolute: true },
  { name: 'cos', f: gradus.cos, from: -8192, to: 8192, absolute: true },
  { name: 'tan', f: gradus.tan, from: -1.5, to: 1.5 },
  { name: 'asin', f: gradus.asin, from: -1, to: 1 },
  { name: 'acos', f: gradus.acos, from: -1, to: 1 },
  { name: 'atan', f: gradus.atan, from: -MOST, to: MOST },
  { name: 'sinh', f: gradus.sinh, from: -89.4, to: 89.4 },
  { name: 'cosh', f: gradus.cosh, from: -89.4, to: 89.4 },
  { name: 'tanh', f: gradus.tanh, from: -MOST, to: MOST },
  { name: 'asinh', f: gradus.asinh, from: -MOST, to: MOST },
  { name: 'acosh', f: gradus.acosh, from: 1, to: MOST },
  { name: 'atanh', f: gradus.atanh, from: -0.9999999, to: 0.9999999 },
  { name: 'erf', f: gradus.erf, from: -MOST, to: MOST },
  { name: 'erfc', f: gradus.erfc, from: -MOST, to: 9.1 },
  { name: 'erfinv', f: gradus.erfinv, from: -0.9999999, to: 0.9999999 },
  { name: 'sigmoid', f: gradus.sigmoid, from: -87, to: MOST },
  { name: 'softplus', f: gradus.softplus, from: -87, to: MOST },
  { name: 'logSigmoid', f: gradus.logSigmoid, from: -MOST, to: 87 },
  { name: 'logit', f: (x) => gradus.logit(x), from: LEAST, to: 0.9999999 },
  { name: 'sinc', f: gradus.sinc, from: -1e6, to: 1e6, absolute: true },
  { name: 'lgamma', f: gradus.lgamma, from: LEAST, to: 4e36 },
  { name: 'lgamma', f: gradus.lgamma, from: -100, to: -0.01, absolute: true },
  { name: 'digamma', f: gradus.digamma, from: LEAST, to: MOST, absolute: true },
  { name: 'digamma', f: gradus.digamma, from: -100, to: -0.01, absolute: true },
  { name: 'polygamma(1, x)', f: (x) => gradus.polygamma(1, x), from: 1e-18, to: 1e37 },
  { name: 'polygamma(1, x)', f: (x) => gradus.polygamma(1, x), from: -100, to: -0.01 },
  { name: 'polygamma(2, x)', f: (x) => gradus.polygamma(2, x), from: 1e-12, to: 1e18 },
  { name: 'silu', f: gradus.silu, from: -80, to: MOST },
  { name: 'gelu', f: (x) => gradus.gelu(x), from: -1, to: MOST },
  { name: 'mish', f: gradus.mish, from: -80, to: 1e18 },
  { name: 'pow(x, 8 sin 97x)', f: gradus.pow, second: (x) => 8 * Math.sin(97 * x), from: 0.05, to: 20 },
  { name: 'hypot(x, x tan x)', f: gradus.hypot, second: (x) => x * Math.tan(x), from: 1e-30, to: 1e34 },
  { name: 'atan2(x, x tan x)', f: gradus.atan2, second: (x) => x * Math.tan(x), from: -1e30, to: 1e30 },
  { name: 'logaddexp(x, x + 9 sin x)', f: gradus.logaddexp, second: (x) => x + 9 * Math.sin(x), from: 1e-6, to: 1e6 },
];

/** Points of the whole grid. */
export const POINTS = 65_536;

const word = new Int32Array(1);
const asFloat = new Float32Array(word.buffer);
/** Float32 numbers in their order as integers, with both zeros 0. */
function orderOf(x: number): number {
  asFloat[0] = x;
  const [bits = 0] = word;
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}
function numberOf(order: number): number {
  word[0] = order < 0 ? -order | 0x80000000 : order;
  return asFloat[0] ?? 0;
}

/** Every `step`th of the points from one number to another. */
function grid(from: number, to: number, step: number): Float32Array {
  const [low, high] = [orderOf(from), orderOf(to)];
  const points = Float32Array.from({ length: POINTS / step }, (_, i) => numberOf(Math.round(low + ((high - low) * i * step) / (POINTS - 1))));
  return points.map((x) => (Math.abs(x) < LEAST ? 0 : x));
}

const reference = cpu();

function valuesOf({ f, second = Number }: Row, x: Float32Array, device: Device, dtype: 'float32' | 'float64'): ArrayLike<number> {
  return scope(() => f(tensor(x, { dtype, device }), tensor(Float32Array.from(x, second), { dtype, device })).dataSync());
}

/** The largest error of `row` on `device`, in float32, over every `step`th point of the grid. */
export function largestError(row: Row, device: Device, step: number): { readonly ulps: number; readonly at: number } {
  const x = grid(row.from, row.to, step);
  const wanted = valuesOf(row, x, reference, 'float64');
  const got = valuesOf(row, x, device, 'float32');
  let [ulps, at] = [0, NaN];
  x.forEach((point, i) => {
    const [mine = NaN, right = NaN] = [got[i], wanted[i]];
    const found = row.absolute === true && Math.abs(right) < 1 ? Math.abs(mine - right) / 2 ** -23 : ulpsBetween(mine, right, 'float32');
    if (!(found <= ulps)) [ulps, at] = [found, point];
  });
  return { ulps, at };
}
