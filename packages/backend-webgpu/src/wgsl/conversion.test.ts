/** Conversions between all dtypes of the device, and the packing of elements into words. */

import { ALL_DTYPES, DTYPES, bitcast, cast, fromBfloat16Bits, fromFloat16Bits, load, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyFloats, edgesOf, firstDifference, isDenormal, randomOf, text, word } from '../../test/arguments.ts';
import { noDawn } from '../../test/dawn.ts';
import { Evaluator, column } from '../../test/evaluate.ts';

const STORED = ALL_DTYPES.filter((dtype) => dtype !== 'float64');
const RANDOM = 3000;
const PATTERNS = 65_536;
const HALVES = [
  { dtype: 'float16', from: fromFloat16Bits, to: toFloat16Bits, next: 65_536 },
  { dtype: 'bfloat16', from: fromBfloat16Bits, to: toBfloat16Bits, next: 2 ** 128 },
] as const;

/** What memory holds for a number of this dtype: bits for 16-bit floats. */
function toMemory(dtype: DType, x: number): number {
  return dtype === 'float16' ? toFloat16Bits(x) : dtype === 'bfloat16' ? toBfloat16Bits(x) : x;
}

function fromMemory(dtype: DType, x: number): number {
  return dtype === 'float16' ? fromFloat16Bits(x) : dtype === 'bfloat16' ? fromBfloat16Bits(x) : x;
}

/** The contract's conversion of a number. */
function converted(x: number, from: DType, to: DType): number {
  const { kind, min, max, bytes } = DTYPES[to];
  if (kind === 'bool') return Number(x !== 0);
  if (kind === 'float') return to === 'float32' ? Math.fround(x) : fromMemory(to, toMemory(to, x));
  if (DTYPES[from].kind === 'float') return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), min), max) + 0;
  return Number(kind === 'int' ? BigInt.asIntN(bytes * 8, BigInt(x)) : BigInt.asUintN(bytes * 8, BigInt(x)));
}

/** Integers of all sizes, and those next to ties of float32 and bfloat16. */
function valuesOf(dtype: DType): number[] {
  const { kind, min, max } = DTYPES[dtype];
  const floats = [...anyFloats(RANDOM, 1), ...Array.from({ length: RANDOM }, (_, i) => ((word(i) / 2 ** 32) * 2 - 1) * 2 ** (i % 36))];
  if (kind === 'float') return [...edgesOf('float32'), ...floats].map((x) => converted(x, 'float32', dtype)).filter((x) => !isDenormal(x));
  const ties = [24, 8].flatMap((precision) =>
    Array.from({ length: 32 - precision }, (_, shift) =>
      [0.5, 1.5].flatMap((half) => [-1, 0, 1].map((near) => (2 ** (precision - 1) + half) * 2 ** (shift + 1) + near)),
    ),
  );
  const whole = ties.flat().flatMap((x) => [x, 0 - x]);
  return [...edgesOf(dtype), ...randomOf(dtype, RANDOM, 3), ...whole.filter((x) => x >= min && x <= max)];
}

describe.skipIf(noDawn !== null)(`conversions in WGSL${noDawn === null ? '' : ` (skipped: ${noDawn})`}`, () => {
  let device: Evaluator;
  beforeAll(async () => {
    device = await Evaluator.create();
  });
  afterAll(() => device.dispose());

  const pairs = STORED.flatMap((from) => STORED.map((to) => [from, to] as const));
  test.each(pairs)('%s to %s, and on to float32', async (from, to) => {
    const x = valuesOf(from);
    const source = column(
      from,
      x.map((value) => toMemory(from, value)),
    );
    const stored = await device.numbers(cast(load(from, 0), to), [source], x.length);
    const name = (i: number): string => text(x[i]);
    const expected = x.map((value) => converted(value, from, to));
    const numbers = stored.map((value) => fromMemory(to, value));
    expect(firstDifference(numbers, expected, name)).toBeNull();
    // The value goes on rounded, whether or not it was stored.
    const wide = await device.numbers(cast(cast(load(from, 0), to), 'float32'), [source], x.length);
    expect(firstDifference(wide, expected.map(Math.fround), name)).toBeNull();
  });

  const words: readonly DType[] = ['float32', 'int32', 'uint32'];
  test.each(words.flatMap((from) => words.filter((to) => to !== from).map((to) => [from, to] as const)))('bits of %s as %s', async (from, to) => {
    const bits = Uint32Array.from(anyFloats(RANDOM, 5));
    const source = { dtype: from, bytes: new Uint8Array(new Float32Array(anyFloats(RANDOM, 5)).buffer) };
    const kept = await device.bytes(bitcast(load(from, 0), to), [source], bits.length);
    expect(Buffer.compare(kept, source.bytes)).toBe(0);
  });

  describe.each(HALVES)('$dtype', ({ dtype, from, to, next }) => {
    const isNaN = (bits: number): boolean => Number.isNaN(from(bits));
    const patterns = Uint16Array.from({ length: PATTERNS }, (_, bits) => bits);

    /** Equal as bits, except that any NaN stands for any other, and a zero for what is denormal in float32. */
    function firstOther(actual: ArrayLike<number>, expected: ArrayLike<number>, flushes: (i: number) => boolean): string | null {
      for (let i = 0; i < expected.length; i++) {
        const [a = -1, e = -1] = [actual[i], expected[i]];
        const flushed = flushes(i) && (a & 0x7fff) === 0;
        if (a !== e && !flushed && !(isNaN(a) && isNaN(e))) return `element ${i}: ${a.toString(16)}, expected ${e.toString(16)}`;
      }
      return null;
    }

    test('all patterns widen to their float32, and come back', async () => {
      const wide = await device.numbers(cast(load(dtype, 0), 'float32'), [column(dtype, patterns)], PATTERNS);
      expect(firstDifference(wide, Float64Array.from(patterns, from), String)).toBeNull();
      const back = await device.numbers(load(dtype, 0), [column(dtype, patterns)], PATTERNS);
      expect(firstOther(back, patterns, (i) => isDenormal(from(i)))).toBeNull();
    });

    test('float32 values of every exponent round as the contract has it', async () => {
      const bits = new Uint32Array(2 ** 20);
      for (let i = 0; i < bits.length; i++) bits[i] = i * 4093; // a prime, so that low bits vary too
      const floats = new Float32Array(bits.buffer);
      const expected = Uint16Array.from(floats, (x) => to(x));
      const rounded = await device.numbers(cast(load('float32', 0), dtype), [column('float32', floats)], floats.length);
      expect(firstOther(rounded, expected, (i) => isDenormal(floats[i] ?? 0))).toBeNull();
    });

    test('halfway values, and their neighbours on both sides, round to even and away', async () => {
      const values: number[] = [];
      const bits = new Uint32Array(1);
      const float = new Float32Array(bits.buffer);
      for (let pattern = 0; Number.isFinite(from(pattern)); pattern++) {
        const high = from(pattern + 1);
        // Beyond the largest, the next value would be a power of two.
        float[0] = (from(pattern) + (Number.isFinite(high) ? high : next)) / 2;
        const [middle = 0] = bits;
        for (const neighbour of [-1, 0, 1]) {
          bits[0] = middle + neighbour;
          values.push(float[0], -float[0]);
        }
      }
      const floats = Float32Array.from(values);
      const rounded = await device.numbers(cast(load('float32', 0), dtype), [column('float32', floats)], floats.length);
      const expected = Uint16Array.from(floats, (x) => to(x));
      expect(firstOther(rounded, expected, (i) => isDenormal(floats[i] ?? 0))).toBeNull();
    });
  });
});
