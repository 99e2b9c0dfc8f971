/** The walker, with a toy C as its target. */

import { expect, test } from 'vitest';
import { KernelError } from './errors.ts';
import { accumulator, apply, axisIndex, bitcast, cast, constant, gather, load, scalar, where } from './expression.ts';
import { ALL_OPCODES } from './opcodes.ts';
import type { Opcode } from './opcodes.ts';
import { emit, evaluationOrder } from './walk.ts';
import type { Dialect, Template } from './walk.ts';

const TYPES = {
  float64: 'double',
  float32: 'float',
  float16: 'half',
  bfloat16: 'bf16',
  int32: 'int',
  uint32: 'unsigned',
  int8: 'signed char',
  uint8: 'byte',
  bool: 'bool',
} as const;

const plain = Object.fromEntries(ALL_OPCODES.map((op) => [op, `${op}($0, $1)`])) as Record<Opcode, Template>;

const C: Dialect = {
  declare: (name, dtype, value) => `${TYPES[dtype]} ${name} = ${value};`,
  constant: (value, dtype) => (dtype === 'float32' ? `${value}f` : String(value)),
  scalar: (index) => `s${index}`,
  axis: (axis) => `i${axis}`,
  load: (operand) => `x${operand}[p${operand}]`,
  gather: (operand, position, fill) => `in(${position}, n${operand}) ? x${operand}[${position}] : ${fill}`,
  accumulator: (index) => `acc${index}`,
  cast: (value, from, to) => `(${TYPES[to]} from ${TYPES[from]}) ${value}`,
  bitcast: (value, from, to) => `bits<${TYPES[from]}, ${TYPES[to]}>(${value})`,
  where: (condition, then, otherwise) => `${condition} ? ${then} : ${otherwise}`,
  operators: {
    ...plain,
    add: '$0 + $1',
    multiply: { float: '$0 * $1', default: 'mul($0, $1)' },
    divide: { float32: '$0 / $1', int: 'div($0, $1)', uint: 'udiv($0, $1)' },
    negate: '-$0',
    less: { float: '$0 < $1', default: 'lt($0, $1)' },
  },
  wrap: { float32: 'round($0)', int8: 'wrap8($0)' },
};

const [x, y] = [load('float32', 0), load('float32', 1)];
const [i, j] = [load('int32', 2), load('int32', 3)];

test('statements come in evaluation order, the last name is the value', () => {
  expect(emit([apply('negate', apply('multiply', i, j))], C)).toEqual({
    statements: ['int t0 = x2[p2];', 'int t1 = x3[p3];', 'int t2 = mul(t0, t1);', 'int t3 = -t2;'],
    values: ['t3'],
  });
});

test('each shared sub-expression is one statement, across roots too', () => {
  const sum = apply('add', i, j);
  const { statements, values } = emit([apply('multiply', sum, sum), sum], C);
  expect(statements).toEqual(['int t0 = x2[p2];', 'int t1 = x3[p3];', 'int t2 = t0 + t1;', 'int t3 = mul(t2, t2);']);
  expect(values).toEqual(['t3', 't2']);
});

test('constants stand as literals where they are used', () => {
  expect(emit([apply('add', i, constant('int32', 5)), constant('float32', 2)], C)).toEqual({
    statements: ['int t0 = x2[p2];', 'int t1 = t0 + 5;'],
    values: ['t1', '2f'],
  });
});

test('results are wrapped by their dtype, comparisons are not', () => {
  expect(emit([apply('add', x, y), apply('less', x, y)], C).statements.slice(2)).toEqual(['float t2 = round(t0 + t1);', 'bool t3 = t0 < t1;']);
  expect(emit([apply('negate', load('int8', 0))], C).statements.at(-1)).toBe('signed char t1 = wrap8(-t0);');
});

test('a template is chosen by dtype, then kind, then default; that of a comparison by its arguments', () => {
  const last = (dtype: 'float32' | 'int8' | 'uint32' | 'uint8', op: Opcode): string | undefined =>
    emit([apply(op, load(dtype, 0), load(dtype, 1))], C).statements.at(-1);
  expect(last('float32', 'divide')).toBe('float t2 = round(t0 / t1);');
  expect(last('int8', 'divide')).toBe('signed char t2 = wrap8(div(t0, t1));');
  expect(last('uint32', 'divide')).toBe('unsigned t2 = udiv(t0, t1);');
  expect(last('uint8', 'multiply')).toBe('byte t2 = mul(t0, t1);');
  expect(last('uint8', 'less')).toBe('bool t2 = lt(t0, t1);');
});

test('a dialect without a template for the dtype is an error that names both', () => {
  expect(() => emit([apply('divide', load('float64', 0), load('float64', 1))], C)).toThrow(KernelError);
  expect(() => emit([apply('divide', load('float64', 0), load('float64', 1))], C)).toThrow(
    '[divide] expected a template in the dialect, got none for float64.',
  );
});

test('every structural expression reaches its function', () => {
  const roots = [
    scalar('float32', 1),
    cast(axisIndex(2), 'float32'),
    gather('float32', 4, i, -1),
    accumulator('float32', 1),
    bitcast(x, 'int32'),
    where(apply('less', x, y), x, y),
  ];
  expect(emit(roots, C)).toEqual({
    statements: [
      'float t0 = s1;',
      'int t1 = i2;',
      'float t2 = (float from int) t1;',
      'int t3 = x2[p2];',
      'float t4 = in(t3, n4) ? x4[t3] : -1f;',
      'float t5 = acc1;',
      'float t6 = x0[p0];',
      'int t7 = bits<float, int>(t6);',
      'float t8 = x1[p1];',
      'bool t9 = t6 < t8;',
      'float t10 = t9 ? t6 : t8;',
    ],
    values: ['t0', 't2', 't4', 't5', 't7', 't10'],
  });
});

test('a prefix and known names let two calls share a scope', () => {
  const sum = apply('add', i, j);
  const known = new Map([[sum, 'outer']]);
  expect(emit([apply('negate', sum)], C, { prefix: 'inner', known })).toEqual({
    statements: ['int inner0 = x2[p2];', 'int inner1 = x3[p3];', 'int inner2 = -outer;'],
    values: ['inner2'],
  });
  expect(known.size).toBe(1);
});

test('a template without wrap leaves results as they are', () => {
  const { wrap: _, ...bare } = C;
  expect(emit([apply('add', x, y)], bare).statements.at(-1)).toBe('float t2 = t0 + t1;');
});

test('evaluationOrder lists every expression once, arguments first', () => {
  const sum = apply('add', i, j);
  const square = apply('multiply', sum, sum);
  expect(evaluationOrder([square, sum, i])).toEqual([i, j, sum, square]);
  expect(evaluationOrder([])).toEqual([]);
});

test('a graph that doubles forty times is forty-one expressions', () => {
  let e = apply('add', i, i);
  for (let n = 1; n < 40; n++) e = apply('add', e, e);
  expect(evaluationOrder([e])).toHaveLength(41);
  expect(emit([e], C).statements).toHaveLength(41);
});
