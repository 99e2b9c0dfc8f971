/** 16-bit floats in registers: every bit pattern, and the rounding of the contract, by vectors and by single elements. */

import { apply, cast, constant, fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { beforeAll, describe, expect, test } from 'vitest';
import { WIDTHS, compute } from '../../test/support.ts';
import { wasm } from '../index.ts';

const PATTERNS = 65_536;
const TYPES = [
  { dtype: 'float16', from: fromFloat16Bits, to: toFloat16Bits },
  { dtype: 'bfloat16', from: fromBfloat16Bits, to: toBfloat16Bits },
] as const;

/** The bits of `values` converted to `dtype`. */
function rounded(device: Backend, dtype: 'float16' | 'bfloat16', values: Float32Array): Uint16Array {
  return new Uint16Array(compute(device, [{ dtype: 'float32', values }], (x = constant('float32', 0)) => cast(x, dtype)));
}

/** All float32 values that `step` bits below the sign make: every exponent, and mantissas far and wide. */
function spread(step: number): Float32Array {
  const words = new Uint32Array(Math.ceil(2 ** 32 / step));
  for (let i = 0; i < words.length; i++) words[i] = i * step;
  return new Float32Array(words.buffer);
}

/** Equal as bits, except that any NaN stands for any other. Gives the first place that differs. */
function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>, isNaN: (bits: number) => boolean): string | null {
  for (let i = 0; i < expected.length; i++) {
    const [a = -1, e = -1] = [actual[i], expected[i]];
    if (a !== e && !(isNaN(a) && isNaN(e))) return `element ${i}: ${a.toString(16)}, expected ${e.toString(16)}`;
  }
  return null;
}

describe.each(WIDTHS)('simd: %s', (simd) => {
  let device: Backend;
  beforeAll(async () => {
    device = await wasm({ simd });
  });

  describe.each(TYPES)('$dtype', ({ dtype, from, to }) => {
    const isNaN = (bits: number): boolean => Number.isNaN(from(bits));
    /** A block's content is written through numbers, so bits come from their numbers; NaN has one pattern there. */
    const numbers = Float64Array.from({ length: PATTERNS }, (_, bits) => from(bits));

    test('all patterns widen to their float32, and come back', () => {
      const wide = new Float32Array(compute(device, [{ dtype, values: numbers }], (x = constant(dtype, 0)) => cast(x, 'float32')));
      expect(firstDifference(wide, Float32Array.from(numbers), Number.isNaN)).toBeNull();
      // Zeros of both signs are equal as numbers; as bits they are told apart on the way back.
      const bits = rounded(device, dtype, wide);
      expect(
        firstDifference(
          bits,
          Uint16Array.from({ length: PATTERNS }, (_, i) => i),
          isNaN,
        ),
      ).toBeNull();
    });

    test('float32 values of every exponent round as the contract has it', () => {
      const values = spread(65_521); // a prime, so that low bits vary too
      const expected = Uint16Array.from(values, (x) => to(x));
      expect(firstDifference(rounded(device, dtype, values), expected, isNaN)).toBeNull();
    });

    test('halfway values, and their neighbours on both sides, round to even and away', () => {
      const values: number[] = [];
      const word = new Uint32Array(1);
      const float = new Float32Array(word.buffer);
      for (let bits = 0; bits < 0x7fff; bits++) {
        const [low, high] = [from(bits), from(bits + 1)];
        if (!Number.isFinite(low)) break;
        // Beyond the largest, the next value would be twice the power of two below.
        const next = Number.isFinite(high) ? high : dtype === 'float16' ? 65_536 : 2 ** 128;
        float[0] = (low + next) / 2;
        for (const neighbour of [-1, 0, 1]) {
          const kept = word[0] ?? 0;
          word[0] = kept + neighbour;
          values.push(float[0], -float[0]);
          word[0] = kept;
        }
      }
      const floats = Float32Array.from(values);
      expect(
        firstDifference(
          rounded(device, dtype, floats),
          Uint16Array.from(floats, (x) => to(x)),
          isNaN,
        ),
      ).toBeNull();
    });

    test('arithmetic in float32 rounds once on the way out', () => {
      const count = 20_000;
      const [a, b] = [3, 5].map((salt) => Float64Array.from({ length: count }, (_, i) => from((i * 2654435761 * salt) >>> 16)));
      const left = { dtype, values: a ?? [] };
      const right = { dtype, values: b ?? [] };
      const bits = new Uint16Array(
        compute(device, [left, right], (x = constant(dtype, 0), y = constant(dtype, 0)) =>
          cast(apply('multiply', cast(x, 'float32'), cast(y, 'float32')), dtype),
        ),
      );
      const expected = Uint16Array.from(left.values, (x, i) => to(Math.fround(x * (right.values[i] ?? 0))));
      expect(firstDifference(bits, expected, isNaN)).toBeNull();
    });
  });

  test.each(TYPES)('$dtype: integers round once, not by way of float32', ({ dtype, to }) => {
    const isNaN = (): boolean => false;
    const words = Float64Array.from({ length: 40_000 }, (_, i) => Math.imul(i, 2654435761) >> (i % 31));
    const signed = new Uint16Array(compute(device, [{ dtype: 'int32', values: words }], (x = constant('int32', 0)) => cast(x, dtype)));
    expect(firstDifference(signed, Uint16Array.from(words, to), isNaN)).toBeNull();
    // The worst: a bit that float32 drops decides a tie.
    const ties = Float64Array.from({ length: 2000 }, (_, i) => 2 ** 31 - 2 ** 22 * (i % 7) + (i % 5) - 2 + 2 ** 23 * (i % 11));
    const unsigned = new Uint16Array(compute(device, [{ dtype: 'uint32', values: ties }], (x = constant('uint32', 0)) => cast(x, dtype)));
    expect(firstDifference(unsigned, Uint16Array.from(ties, to), isNaN)).toBeNull();
  });
});
