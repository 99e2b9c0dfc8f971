/** Specifications of bits, parts and kinds of numbers, and blends. */

import * as bits from './bits.ts';
import { binary, unary } from './elementwise.spec.ts';
import * as parts from './parts.ts';
import { pointwise } from './specification.spec.ts';
import type { OpSpecification } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

const WORDS = { low: -100, high: 100, whole: true };
const FIXED = { differentiable: false };
const NUMBERS = { low: -3, high: 3 };
const SPECIAL = [NaN, Infinity, -Infinity, 0, 1];

/** One case of three tensors that broadcast. */
const ternary = (
  name: string,
  run: (a: Tensor, b: Tensor, c: Tensor) => Tensor,
  f: (a: number, b: number, c: number) => number,
): OpSpecification => ({
  name,
  run: (...inputs) => run(...(inputs as Parameters<typeof run>)),
  reference: pointwise((...values) => f(...(values as Parameters<typeof f>))),
  cases: [
    [
      { dims: [2, 3], low: -1, high: 1 },
      { dims: [3], low: -1, high: 1 },
      { dims: [2, 1], low: 0.5, high: 1.5 },
    ],
  ],
  tolerance: 4e-6,
});

export const specifications: readonly OpSpecification[] = [
  binary('bitwiseAnd', bits.bitwiseAnd, (a, b) => a & b, WORDS, WORDS, FIXED),
  binary('bitwiseOr', bits.bitwiseOr, (a, b) => a | b, WORDS, WORDS, FIXED),
  binary('bitwiseXor', bits.bitwiseXor, (a, b) => a ^ b, WORDS, WORDS, FIXED),
  unary('bitwiseNot', bits.bitwiseNot, (x) => ~x, -100, 100, { ...FIXED, cases: [[{ dims: [9], ...WORDS }]] }),
  binary('leftShift', bits.leftShift, (a, b) => a << b, WORDS, { low: 0, high: 31, whole: true }, FIXED),
  binary('rightShift', bits.rightShift, (a, b) => a >> b, WORDS, { low: 0, high: 31, whole: true }, FIXED),
  unary('isFinite', parts.isFinite, (x) => Number(Number.isFinite(x)), 0, 1, { ...FIXED, cases: [[{ dims: [5], values: SPECIAL }]] }),
  unary('isInf', parts.isInf, (x) => Number(Math.abs(x) === Infinity), 0, 1, { ...FIXED, cases: [[{ dims: [5], values: SPECIAL }]] }),
  unary(
    'nanToNum',
    (x: Tensor) => parts.nanToNum(x, { nan: 3, posInf: 5, negInf: -7 }),
    (x) => (Number.isNaN(x) ? 3 : x === Infinity ? 5 : x === -Infinity ? -7 : x),
    0,
    1,
    { cases: [[{ dims: [5], values: SPECIAL }]] },
  ),
  unary('frac', parts.frac, (x) => x - Math.trunc(x)),
  binary('fmod', parts.fmod, (a, b) => a % b, NUMBERS, { low: 0.6, high: 2.9 }, { tolerance: 1e-5 }),
  binary('copysign', parts.copysign, (a, b) => Math.abs(a) * Math.sign(b), NUMBERS),
  binary('heaviside', parts.heaviside, (x, v) => (x === 0 ? v : Number(x > 0)), { low: -2, high: 3, whole: true }, NUMBERS),
  ternary('lerp', parts.lerp, (a, b, w) => a + w * (b - a)),
  ternary(
    'addcmul',
    (x, a, b) => parts.addcmul(x, a, b, { value: 0.5 }),
    (x, a, b) => x + 0.5 * a * b,
  ),
  ternary(
    'addcdiv',
    (x, a, b) => parts.addcdiv(x, a, b, { value: 0.5 }),
    (x, a, b) => x + (0.5 * a) / b,
  ),
];
