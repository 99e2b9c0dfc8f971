/** Numbers to test scalar arithmetic with: edges of every dtype, and words that look random. */

import { DTYPES } from '@gradus/backend';
import type { DType } from '@gradus/backend';

/** The smallest normal float32. */
export const SMALLEST_NORMAL = 2 ** -126;

/** Is it a denormal float32? Devices may flush those to zero. */
export function isDenormal(x: number): boolean {
  return x !== 0 && Math.abs(x) < SMALLEST_NORMAL;
}

/** Words that look random, the same every time (the finaliser of MurmurHash3, by A. Appleby, of a counter). */
export function word(counter: number): number {
  let h = Math.imul(counter, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Any normal float32, by its bits: uniform in the logarithm of its magnitude. Denormal, infinite and NaN patterns become 1. */
export function anyFloats(count: number, salt: number): Float32Array {
  const floats = new Float32Array(Uint32Array.from({ length: count }, (_, i) => word(2 * i + salt)).buffer);
  return floats.map((x) => (Number.isFinite(x) && !isDenormal(x) ? x : 1));
}

/** float32 values near 1: magnitudes from 2⁻¹³ to 2⁷. */
export function nearFloats(count: number, salt: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => ((i & 1) === 0 ? 1 : -1) * 2 ** ((word(2 * i + salt) / 2 ** 32) * 20 - 13));
}

const FLOATS = [0, 0.1, 0.25, 0.49999997, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, Math.PI, 10, 88.5, 88.75, 104, 127.5, 255.5]
  .concat([1 + 2 ** -23, 1 - 2 ** -24, 65_504, 65_519, 65_520, 8_388_607.5, 2 ** 23, 2 ** 23 + 1, 2 ** 24 - 1, 2 ** 24])
  .concat([2_147_483_520, 2 ** 31, 4_294_967_040, 2 ** 32, 1e-20, 1e20, 2 ** 63, 2 ** 64, SMALLEST_NORMAL, 2 * SMALLEST_NORMAL])
  .concat([3.4028234663852886e38, Infinity]);

const INTEGERS = [0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 100, 127, 128, 129, 255, 256, 32_767, 32_768, 46_341, 65_535, 65_536, 65_537, 16_777_217];

/** Distinct edge values of float32, an integer dtype or bool; no denormal numbers. */
export function edgesOf(dtype: DType): number[] {
  if (dtype === 'bool') return [0, 1];
  if (DTYPES[dtype].kind === 'float') return [...FLOATS.flatMap((x) => [Math.fround(x), -Math.fround(x)]), NaN];
  const { min, max } = DTYPES[dtype];
  const all = [...INTEGERS.flatMap((x) => [x, 0 - x]), min, min + 1, max - 1, max];
  return [...new Set(all.filter((x) => x >= min && x <= max))];
}

/** Every one of `values` with every other, as two columns. */
export function pairsOf(values: readonly number[]): [number[], number[]] {
  return [values.flatMap((a) => values.map(() => a)), values.flatMap(() => values)];
}

/** A random value of each magnitude the dtype has. */
export function randomOf(dtype: DType, count: number, salt: number): number[] {
  if (DTYPES[dtype].kind === 'float') return [...anyFloats(count, salt)];
  const { min, max } = DTYPES[dtype];
  return Array.from({ length: count }, (_, i) => {
    const bits = word(2 * i + salt) >>> (i % 32);
    return dtype === 'bool' ? bits & 1 : min + ((bits - min) % (max - min + 1));
  });
}

/** The first place where `actual` is neither `expected` nor a zero instead of a denormal number; null where there is none. */
export function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>, name: (i: number) => string): string | null {
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] ?? NaN, expected[i] ?? NaN];
    if (!Object.is(a, e) && !(isDenormal(e) && a === 0)) return `${name(i)}: ${text(a)}, expected ${text(e)}`;
  }
  return actual.length === expected.length ? null : `${actual.length} results, expected ${expected.length}`;
}

/** A number with the sign of its zero. */
export function text(x: number | undefined): string {
  return Object.is(x, -0) ? '-0' : String(x);
}
