/** The numbers that kernels are fed with: edge values of each dtype, and seeded random ones. */

import { DTYPES, isFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { hold, isDenormal, smallestNormal } from '../oracle/number.ts';
import { random } from './random.ts';

/** Zeros, ties, limits of integer dtypes. */
const FLOAT_EDGES: readonly number[] = [
  [0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 7, 10, Math.PI],
  [127.5, 128, 255.5, 256, 2047, 65504, 8388607.5, 16777217, 2 ** 31, 2 ** 32, 1e20, 1e-3, 1e-7, 1e-20],
].flat();

/** More, for functions of one argument: multiples of π, ends of the ranges of exp and of integers, large arguments of sin and cos. */
const MORE_FLOAT_EDGES: readonly number[] = [
  [0.49999997, Math.PI / 4, Math.PI / 2, 2 * Math.PI, 5.875, 9.01, 88.5, 88.75, 104, 708, 1000.25],
  [2049, 32768.5, 65519, 65520, 2147483520, 4294967040, 5e9, 1e-5, 1e-10],
  // Just above a tie of float32, float16 and bfloat16: rounding twice goes wrong here.
  [1 + 2 ** -24 + 2 ** -50, 1 + 2 ** -11 + 2 ** -40, 1 + 2 ** -8 + 2 ** -40],
].flat();

const INTEGER_EDGES: readonly number[] = [
  0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 64, 100, 127, 128, 129, 255, 256, 257, 32767, 32768, 65535, 65536, 65537, 46341, 16777217,
];

/** Distinct edge values of a dtype; fewer where all `pairs` of them are made. `denormals` false leaves denormal numbers out. */
export function edgeValues(dtype: DType, denormals: boolean, pairs = false): number[] {
  const { min, max, epsilon } = DTYPES[dtype];
  if (dtype === 'bool') return [0, 1];
  if (!isFloat(dtype)) {
    const all = [...INTEGER_EDGES, ...INTEGER_EDGES.map((x) => -x), min, min + 1, max - 1, max];
    return [...new Set(all.filter((x) => x >= min && x <= max).map((x) => x + 0))];
  }
  const normal = smallestNormal(dtype);
  const denormal = [normal * epsilon, normal * epsilon * 3, normal / 2, normal * (1 - epsilon)];
  const positive = [
    ...FLOAT_EDGES,
    ...(pairs ? [] : MORE_FLOAT_EDGES),
    1 + epsilon,
    1 - epsilon / 2,
    1 / epsilon,
    1 / epsilon + 1,
    2 * normal,
    normal,
    Math.sqrt(max),
    max,
    ...denormal,
  ];
  const all = [...positive, Infinity].flatMap((x) => [hold(dtype, x), hold(dtype, -x)]);
  // A Set keeps -0 and 0 apart no better than === does, so the zeros are added by hand.
  const distinct = [...new Set(all)].filter((x) => x !== 0 && (denormals || !isDenormal(dtype, x)));
  return [0, -0, ...distinct, NaN];
}

/** A random value: for floats near 1 (mostly), of any magnitude, or whole; for integers small or anywhere. */
function randomValue(dtype: DType, next: () => number): number {
  const { min, max } = DTYPES[dtype];
  if (dtype === 'bool') return next() < 0.5 ? 0 : 1;
  const kind = next();
  if (!isFloat(dtype)) {
    if (kind < 0.5) return Math.floor(Math.max(min, -20) + next() * (20 - Math.max(min, -20)));
    return Math.floor(min + next() * (max - min + 1));
  }
  const sign = next() < 0.5 ? -1 : 1;
  if (kind < 0.6) return hold(dtype, sign * next() * 10);
  if (kind < 0.7) return hold(dtype, sign * Math.floor(next() * 20));
  if (kind < 0.85) return hold(dtype, sign * next() * 100);
  return hold(dtype, sign * 2 ** (next() * 24 - 12));
}

/** `count` random values. */
export function randomValues(dtype: DType, count: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => randomValue(dtype, next));
}

/** Random small whole numbers: float arithmetic on them is exact in every order. */
export function wholeValues(dtype: DType, count: number, seed: number, limit = 5): number[] {
  const next = random(seed);
  const low = DTYPES[dtype].min < 0 ? -limit : 0;
  return Array.from({ length: count }, () => (dtype === 'bool' ? Math.floor(next() * 2) : low + Math.floor(next() * (limit + 1 - low))));
}

/** Random fractions in [-limit, limit): small enough that sums of them keep their digits. */
export function fractions(dtype: DType, count: number, seed: number, limit = 1): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => hold(dtype, limit * (2 * next() - 1)));
}

/**
 * A value that no result should have: what lies around the elements of operand number `salt`, so that reading or writing there shows.
 * It differs between operands at equal positions, and where it will be read it is mostly NaN.
 */
export function poison(dtype: DType, position: number, salt: number, read: boolean): number {
  const step = position + 5 * salt;
  if (dtype === 'bool') return step % 4 === 2 ? 0 : 1;
  if (!isFloat(dtype)) return DTYPES[dtype].max - (step % 11);
  return read && step % 3 !== 0 ? NaN : hold(dtype, -1234 - 8 * (step % 11));
}
