/** The 16-bit floats against tables of all their values, made here from the definitions of the formats. */

import { expect, test } from 'vitest';
import { fromBfloat16Bits, fromFloat16Bits, roundToFloat, toBfloat16Bits, toFloat16Bits } from './float16.ts';

/** All finite values from 0 up, in order: position i is the value with bits i. */
const FLOAT16 = Array.from({ length: 0x7c00 }, (_, bits) => {
  const [exponent, fraction] = [bits >> 10, bits & 0x3ff];
  return exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
});
const BFLOAT16 = Array.from({ length: 0x7f80 }, (_, bits) => {
  const [exponent, fraction] = [bits >> 7, bits & 0x7f];
  return exponent === 0 ? fraction * 2 ** -133 : (1 + fraction / 128) * 2 ** (exponent - 127);
});

const FORMATS = [
  { name: 'float16', values: FLOAT16, infinity: 0x7c00, to: toFloat16Bits, from: fromFloat16Bits },
  { name: 'bfloat16', values: BFLOAT16, infinity: 0x7f80, to: toBfloat16Bits, from: fromBfloat16Bits },
] as const;

const SIGN = 0x8000;
const scratch = new DataView(new ArrayBuffer(8));

/** The float64 next to a positive one. */
function neighbour(x: number, direction: 1 | -1): number {
  scratch.setFloat64(0, x);
  scratch.setBigUint64(0, scratch.getBigUint64(0) + BigInt(direction));
  return scratch.getFloat64(0);
}

/** Positions where `holds` is false: one expectation for tens of thousands of values. */
function violations(values: readonly number[], holds: (value: number, bits: number) => boolean): number[] {
  return values.flatMap((value, bits) => (holds(value, bits) ? [] : [bits]));
}

test.each(FORMATS)('$name: every pattern means its value', ({ values, from }) => {
  expect(violations(values, (value, bits) => from(bits) === value)).toEqual([]);
  expect(violations(values, (value, bits) => Object.is(from(bits | SIGN), -value))).toEqual([]);
});

test.each(FORMATS)('$name: every value gives its pattern back', ({ values, to }) => {
  expect(violations(values, (value, bits) => to(value) === bits && to(-value) === (bits | SIGN))).toEqual([]);
});

test.each(FORMATS)(
  '$name: between any two neighbours, numbers round to the nearer one, and their middle to the even one',
  ({ values, infinity, to }) => {
    // Above the largest value, Inf stands where the next one would be.
    const beyond = 2 * (values.at(-1) ?? 0) - (values.at(-2) ?? 0);
    const rounds = (value: number, bits: number): boolean => {
      const middle = (value + (values[bits + 1] ?? beyond)) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      return [1, -1].every((sign) => {
        const expected = (of: number): number => (sign < 0 ? of | SIGN : of);
        return (
          to(sign * middle) === expected(even) &&
          to(sign * neighbour(middle, -1)) === expected(bits) &&
          to(sign * neighbour(middle, 1)) === expected(bits + 1)
        );
      });
    };
    expect(violations(values, rounds)).toEqual([]);
    expect(to(beyond)).toBe(infinity);
  },
);

test.each(FORMATS)('$name: Inf, NaN and what is out of range', ({ infinity, to, from }) => {
  expect([to(Infinity), to(-Infinity), to(1e300), to(-1e300)]).toEqual([infinity, infinity | SIGN, infinity, infinity | SIGN]);
  expect([to(5e-324), to(-5e-324), to(0), to(-0)]).toEqual([0, SIGN, 0, SIGN]);
  expect([from(infinity), from(infinity | SIGN)]).toEqual([Infinity, -Infinity]);
  expect(from(to(NaN))).toBeNaN();
  for (let bits = infinity + 1; bits < SIGN; bits++)
    if (!Number.isNaN(from(bits)) || !Number.isNaN(from(bits | SIGN))) expect.fail(`pattern ${bits} is not NaN`);
});

test('bfloat16 rounds a float64 once, not by way of float32', () => {
  // Just above the middle of 1 and its successor: float32 would round it to that middle, which goes to even, 1.
  expect(fromBfloat16Bits(toBfloat16Bits(1 + 2 ** -8 + 2 ** -40))).toBe(1 + 2 ** -7);
});

test('roundToFloat rounds to each float dtype and leaves others alone', () => {
  expect(roundToFloat('float32', 0.1)).toBe(Math.fround(0.1));
  expect(roundToFloat('float16', 0.1)).toBe(0.0999755859375);
  expect(roundToFloat('bfloat16', 0.1)).toBe(0.10009765625);
  expect([roundToFloat('float64', 0.1), roundToFloat('int32', 7)]).toEqual([0.1, 7]);
});
