/** The oracle's operations: integers against BigInt, floats against facts that need no computer. */

import { ALL_DTYPES, ALL_OPCODES, DTYPES, isInteger, opcodeAccepts } from '@gradus/backend';
import type { DType, Opcode } from '@gradus/backend';
import { expect, test } from 'vitest';
import { edgeValues } from '../cases/values.ts';
import { convert, operate, reinterpret } from './operations.ts';

const WIDTH: { readonly [D in DType]?: number } = { int32: 32, uint32: 32, int8: 8, uint8: 8 };

function wrapped(dtype: DType, x: bigint): number {
  const width = WIDTH[dtype] ?? 64;
  return Number(DTYPES[dtype].kind === 'int' ? BigInt.asIntN(width, x) : BigInt.asUintN(width, x));
}

const BIG: { readonly [O in Opcode]?: (a: bigint, b: bigint) => bigint } = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => (b === 0n ? 0n : a / b),
  remainder: (a, b) => (b === 0n ? 0n : a % b),
  negate: (a) => -a,
  abs: (a) => (a < 0n ? -a : a),
  not: (a) => ~a,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  min: (a, b) => (a < b ? a : b),
  max: (a, b) => (a > b ? a : b),
  shiftLeft: (a, b) => a << (b & 31n),
  shiftRight: (a, b) => a >> (b & 31n),
};

test.each(ALL_DTYPES.filter(isInteger))('%s: every integer operation wraps the exact result', (dtype) => {
  const values = edgeValues(dtype, true);
  for (const [op, exact] of Object.entries(BIG) as [Opcode, NonNullable<(typeof BIG)[Opcode]>][]) {
    if (!opcodeAccepts(op, dtype, DTYPES[dtype].kind)) continue;
    for (const a of values)
      for (const b of values) if (operate(op, dtype, a, b) !== wrapped(dtype, exact(BigInt(a), BigInt(b)))) expect.fail(`${op}(${a}, ${b})`);
  }
});

test('every opcode has a meaning for every dtype that it accepts', () => {
  for (const op of ALL_OPCODES)
    for (const dtype of ALL_DTYPES)
      if (opcodeAccepts(op, dtype, DTYPES[dtype].kind)) expect(operate(op, dtype, 1, 1), `${op} ${dtype}`).not.toBeUndefined();
  expect(() => operate('exp', 'int32', 1, 1)).toThrow('internal: no meaning of exp for int32');
});

test('round goes to the even neighbour and keeps the sign of zero', () => {
  const rounded = [-2.5, -1.5, -0.5, -0.3, -0, 0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370495.5, Infinity].map((x) =>
    operate('round', 'float64', x, 0),
  );
  expect(rounded).toEqual([-2, -2, -0, -0, -0, 0, 2, 2, 0, 4503599627370496, Infinity]);
  expect(operate('round', 'float64', NaN, 0)).toBeNaN();
});

test("pow is C's", () => {
  const pow = (x: number, y: number): number => operate('pow', 'float64', x, y);
  expect([pow(NaN, 0), pow(1, NaN), pow(1, Infinity), pow(-1, Infinity), pow(-1, -Infinity), pow(0, 0), pow(-0, 3), pow(-2, 3)]).toEqual([
    1, 1, 1, 1, 1, 1, -0, -8,
  ]);
  expect([pow(-1, NaN), pow(NaN, 1), pow(-2, 0.5)]).toEqual([NaN, NaN, NaN]);
});

test('min and max know NaN and the sign of zero', () => {
  expect([
    operate('max', 'float32', -0, 0),
    operate('max', 'float32', 0, -0),
    operate('min', 'float32', 0, -0),
    operate('min', 'float32', -0, 0),
  ]).toEqual([0, 0, -0, -0]);
  expect([operate('max', 'float32', NaN, 1), operate('min', 'float32', 1, NaN)]).toEqual([NaN, NaN]);
});

test('float results are rounded once to their dtype', () => {
  expect(operate('add', 'float32', 16777216, 1)).toBe(16777216);
  expect(operate('multiply', 'float16', 255, 257)).toBe(Infinity);
  expect(operate('divide', 'bfloat16', 1, 3)).toBe(0.333984375);
});

test('conversions truncate, saturate and wrap', () => {
  expect([
    convert(2.9, 'float32', 'int32'),
    convert(-2.9, 'float32', 'int8'),
    convert(300, 'float32', 'int8'),
    convert(-5, 'float32', 'uint32'),
    convert(NaN, 'float32', 'int32'),
    convert(-0.5, 'float32', 'int32'),
  ]).toEqual([2, -2, 127, 0, 0, 0]);
  expect([
    convert(300, 'int32', 'int8'),
    convert(-1, 'int32', 'uint32'),
    convert(200, 'uint8', 'int8'),
    convert(0.3, 'float32', 'bool'),
    convert(NaN, 'float32', 'bool'),
    convert(-0, 'float32', 'bool'),
  ]).toEqual([44, 4294967295, -56, 1, 1, 0]);
});

test('bits are kept', () => {
  expect([
    reinterpret(1, 'float32', 'int32'),
    reinterpret(-0, 'float32', 'uint32'),
    reinterpret(0x7f800000, 'int32', 'float32'),
    reinterpret(-1, 'int32', 'uint32'),
  ]).toEqual([0x3f800000, 0x80000000, Infinity, 4294967295]);
});
