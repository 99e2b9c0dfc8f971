/** How the oracle holds numbers. */

import { ALL_DTYPES, DTYPES, isFloat } from '@gradus/backend';
import { expect, test } from 'vitest';
import { edgeValues } from '../cases/values.ts';
import { bitsText, decode, encode, hold, isDenormal, smallestNormal, ulp } from './number.ts';

test.each(ALL_DTYPES)('%s: edge values survive their bytes', (dtype) => {
  const values = Float64Array.from(edgeValues(dtype, true));
  const bytes = encode(dtype, values);
  expect(bytes.length).toBe(values.length * DTYPES[dtype].bytes);
  expect([...decode(dtype, bytes)]).toEqual([...values]);
  expect([...values].map((x) => hold(dtype, x))).toEqual([...values]);
});

test('integers wrap to their width', () => {
  expect([
    hold('int8', 128),
    hold('int8', -129),
    hold('uint8', 256),
    hold('uint8', -1),
    hold('int32', 2 ** 31),
    hold('uint32', -1),
    hold('int32', 2 ** 40 + 5),
  ]).toEqual([-128, 127, 0, 255, -(2 ** 31), 2 ** 32 - 1, 5]);
});

test('floats round to nearest even', () => {
  expect([
    hold('float32', 0.1),
    hold('float16', 2049),
    hold('float16', 2051),
    hold('bfloat16', 257),
    hold('bfloat16', 259),
    hold('float16', 65520),
  ]).toEqual([Math.fround(0.1), 2048, 2052, 256, 260, Infinity]);
});

test('a unit in the last place is the step to the next number', () => {
  for (const dtype of ALL_DTYPES.filter(isFloat)) {
    expect(ulp(dtype, 1)).toBe(DTYPES[dtype].epsilon);
    expect(ulp(dtype, -3)).toBe(2 * DTYPES[dtype].epsilon);
    expect(ulp(dtype, 0)).toBe(smallestNormal(dtype) * DTYPES[dtype].epsilon);
    expect(hold(dtype, 1 + ulp(dtype, 1))).toBeGreaterThan(1);
    expect(isDenormal(dtype, smallestNormal(dtype) / 2) && !isDenormal(dtype, smallestNormal(dtype)) && !isDenormal(dtype, 0)).toBe(true);
  }
  expect(ulp('int32', 5)).toBe(0);
});

test('bits are written from the highest byte', () => {
  expect(bitsText(encode('float32', Float64Array.of(1)))).toBe('0x3f800000');
});
