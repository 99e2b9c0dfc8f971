/** The constructors of expressions: what they build, and what they refuse. */

import { expect, test } from 'vitest';
import { ALL_DTYPES, DTYPES } from './dtype.ts';
import { KernelError } from './errors.ts';
import { accumulator, apply, argumentsOf, axisIndex, bitcast, cast, constant, gather, load, scalar, where } from './expression.ts';
import { ALL_OPCODES, OPCODES, opcodeAccepts, opcodeRule } from './opcodes.ts';

const x = load('float32', 0);
const i = load('int32', 1);
const b = load('bool', 2);

test('leaves carry their dtype and number', () => {
  expect(scalar('int8', 3)).toEqual({ op: 'scalar', dtype: 'int8', index: 3 });
  expect(axisIndex(2)).toEqual({ op: 'axis', dtype: 'int32', axis: 2 });
  expect(x).toEqual({ op: 'load', dtype: 'float32', operand: 0 });
  expect(accumulator('float16')).toEqual({ op: 'accumulator', dtype: 'float16', index: 0 });
  expect(accumulator('int32', 1)).toEqual({ op: 'accumulator', dtype: 'int32', index: 1 });
});

test('a constant is rounded to its float dtype', () => {
  expect(constant('float64', 0.1).value).toBe(0.1);
  expect(constant('float32', 0.1).value).toBe(Math.fround(0.1));
  expect(constant('float16', 0.1).value).toBe(0.0999755859375);
  expect(constant('bfloat16', 0.1).value).toBe(0.10009765625);
  expect(constant('float16', 1e6).value).toBe(Infinity);
  expect(constant('float32', -0).value).toBe(-0);
  expect(constant('float32', NaN).value).toBeNaN();
});

test('a constant must be within its integer dtype', () => {
  for (const dtype of ALL_DTYPES.filter((d) => DTYPES[d].kind !== 'float')) {
    const { min, max } = DTYPES[dtype];
    expect([constant(dtype, min).value, constant(dtype, max).value]).toEqual([min, max]);
    for (const wrong of [min - 1, max + 1, 0.5, NaN, Infinity]) expect(() => constant(dtype, wrong), `${dtype} ${wrong}`).toThrow(KernelError);
  }
});

test('a gather takes an int32 position, and a fill like a constant', () => {
  expect(gather('float32', 4, i)).toEqual({ op: 'gather', dtype: 'float32', operand: 4, position: i, fill: 0 });
  expect(gather('float16', 4, i, 0.1).fill).toBe(0.0999755859375);
  expect(() => gather('float32', 4, x)).toThrow('[gather] expected an int32 position, got float32.');
  expect(() => gather('uint8', 4, i, 256)).toThrow('[gather] expected an integer between 0 and 255 for uint8, got 256.');
});

test('a conversion to the same dtype is nothing', () => {
  expect(cast(x, 'float32')).toBe(x);
  expect(bitcast(x, 'float32')).toBe(x);
  expect(cast(x, 'int8')).toEqual({ op: 'cast', dtype: 'int8', value: x });
  expect(bitcast(x, 'uint32')).toEqual({ op: 'bitcast', dtype: 'uint32', value: x });
});

test('a bitcast is between 32-bit words', () => {
  for (const dtype of ['float64', 'float16', 'int8', 'bool'] as const) {
    expect(() => bitcast(x, dtype)).toThrow(KernelError);
    expect(() => bitcast(load(dtype, 0), 'int32')).toThrow(KernelError);
  }
});

test('where takes a bool and two values of one dtype', () => {
  expect(where(b, i, i).dtype).toBe('int32');
  expect(() => where(i, x, x)).toThrow('[where] expected a bool condition, got int32.');
  expect(() => where(b, x, i)).toThrow('[where] expected two values of one dtype, got float32 and int32.');
});

test('apply takes what the opcode accepts, and nothing else', () => {
  for (const op of ALL_OPCODES)
    for (const dtype of ALL_DTYPES) {
      const a = load(dtype, 0);
      const make = () => (opcodeRule(op).arity === 1 ? apply(op, a) : apply(op, a, a));
      if (opcodeAccepts(op, dtype, DTYPES[dtype].kind)) expect(make().dtype).toBe(opcodeRule(op).gives === 'bool' ? 'bool' : dtype);
      else expect(make, `${op} ${dtype}`).toThrow(KernelError);
    }
});

test('which opcodes apply to bool', () => {
  expect(ALL_OPCODES.filter((op) => opcodeAccepts(op, 'bool', 'bool'))).toEqual([
    'not',
    'equal',
    'notEqual',
    'less',
    'lessEqual',
    'and',
    'or',
    'xor',
  ]);
});

test('shifts are for 32-bit words, negation for signed numbers', () => {
  expect(ALL_DTYPES.filter((d) => opcodeAccepts('shiftLeft', d, DTYPES[d].kind))).toEqual(['int32', 'uint32']);
  expect(() => apply('negate', load('uint32', 0))).toThrow(KernelError);
});

test('apply checks arity and that both arguments have one dtype', () => {
  expect(() => apply('add', x)).toThrow('[add] expected 2 argument(s), got 1.');
  expect(() => apply('exp', x, x)).toThrow('[exp] expected 1 argument(s), got 2.');
  expect(() => apply('add', x, i)).toThrow('[add] expected two arguments of one dtype, got float32 and int32.');
});

test('argumentsOf lists direct sub-expressions in evaluation order', () => {
  for (const leaf of [x, constant('int32', 1), scalar('int32', 0), axisIndex(0), accumulator('int32')]) expect(argumentsOf(leaf)).toEqual([]);
  expect(argumentsOf(gather('int8', 0, i))).toEqual([i]);
  expect(argumentsOf(cast(x, 'int32'))).toEqual([x]);
  expect(argumentsOf(where(b, x, x))).toEqual([b, x, x]);
  expect(argumentsOf(apply('add', x, x))).toEqual([x, x]);
});

test('every opcode takes one or two arguments of at least one kind', () => {
  for (const [op, rule] of Object.entries(OPCODES)) {
    expect([1, 2], op).toContain(rule.arity);
    expect(rule.accepts.length, op).toBeGreaterThan(0);
  }
});
