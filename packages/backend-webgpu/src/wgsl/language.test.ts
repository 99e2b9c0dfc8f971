/** Literals and templates of the language: what WGSL would refuse, or fold to something else. */

import { ALL_OPCODES, DTYPES, UnsupportedError, apply, constant, load, opcodeAccepts, opcodeRule, where } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgesOf, firstDifference, text } from '../../test/arguments.ts';
import { noDawn } from '../../test/dawn.ts';
import { Evaluator, column } from '../../test/evaluate.ts';
import { typeOf } from './language.ts';
import { libraryFor } from './library.ts';
import { elementsPerWord } from './storage.ts';

const COMPUTED: readonly DType[] = ['float32', 'int32', 'uint32', 'int8', 'uint8', 'bool'];

test('a dtype that WGSL has not is refused', () => {
  expect(() => typeOf('float64')).toThrow(UnsupportedError);
});

test('elements share words by their size', () => {
  expect((['float32', 'uint32', 'float16', 'bfloat16', 'int8', 'bool'] as const).map(elementsPerWord)).toEqual([1, 1, 2, 2, 4, 4]);
});

test('a library has what is called, and what that calls, once and before its use', () => {
  expect(libraryFor('let x = sin(y);')).toBe('');
  const declarations = libraryFor('let a = float_erf(x); let b = float_exp(a) + float_erf(b);');
  const declared = [...declarations.matchAll(/^fn (\w+)/gm)].map(([, name]) => name ?? '');
  expect(new Set(declared).size).toBe(declared.length);
  expect(declared.toSorted()).toEqual(['float_abs', 'float_erf', 'float_exp', 'float_is_nan', 'float_kept', 'float_of', 'float_scale']);
  for (const name of declared) expect(declarations.indexOf(`${name}(`)).toBe(declarations.indexOf(`fn ${name}(`) + 3);
});

describe.skipIf(noDawn !== null)(`literals in WGSL${noDawn === null ? '' : ` (skipped: ${noDawn})`}`, () => {
  let device: Evaluator;
  beforeAll(async () => {
    device = await Evaluator.create();
  });
  afterAll(() => device.dispose());

  /** Chooses the constants by the element's number, which the first column holds. */
  function chosen(constants: readonly Expression[], dtype: DType): Expression {
    return constants.reduce(
      (rest: Expression, one, i) => where(apply('equal', load('int32', 0), constant('int32', i)), one, rest),
      constant(dtype, 0),
    );
  }

  const numbered = (count: number) =>
    column(
      'int32',
      Array.from({ length: count }, (_, i) => i),
    );

  const DENORMALS = [2 ** -149, -(2 ** -149), 2 ** -126 - 2 ** -149];
  const MORE = [1 / 3, 16_777_217, 1e-38, 123_456.789, 2 ** -40, 2 ** 40, 1.1 * 2 ** 41, -1e-7, 1e21].map(Math.fround);

  test.each(COMPUTED)('constants of %s have their values', async (dtype) => {
    const values = dtype === 'float32' ? [...edgesOf(dtype), ...MORE, ...DENORMALS] : edgesOf(dtype);
    const constants = values.map((value) => constant(dtype, value));
    const actual = await device.numbers(chosen(constants, dtype), [numbered(values.length)], values.length);
    expect(firstDifference(actual, values, (i) => text(values[i]))).toBeNull();
  });

  const operations = ALL_OPCODES.flatMap((op) =>
    COMPUTED.filter((dtype) => opcodeAccepts(op, dtype, DTYPES[dtype].kind)).map((dtype) => [op, dtype] as const),
  );
  test.each(operations)('%s of literals of %s is what it is of loaded numbers', async (op, dtype) => {
    const { min, max } = DTYPES[dtype];
    const all = DTYPES[dtype].kind === 'float' ? [-0, -3, 2 ** 40, max, Infinity] : [0, 1, -1, 5, -7, 33, 100, min, max, 32_767, -32_767];
    const values = all.filter((x) => DTYPES[dtype].kind === 'float' || (x >= min && x <= max));
    const pairs = values.flatMap((a) => (opcodeRule(op).arity === 1 ? [[a, a] as const] : values.map((b) => [a, b] as const)));
    const of = (a: Expression, b: Expression): Expression => (opcodeRule(op).arity === 1 ? apply(op, a) : apply(op, a, b));
    const literal = pairs.map(([a, b]) => of(constant(dtype, a), constant(dtype, b)));
    const { dtype: result } = literal[0] ?? load(dtype, 0);
    const folded = await device.numbers(chosen(literal, result), [numbered(pairs.length)], pairs.length);
    const columns = [
      column(
        dtype,
        pairs.map(([a]) => a),
      ),
      column(
        dtype,
        pairs.map(([, b]) => b),
      ),
    ].slice(0, opcodeRule(op).arity);
    const loaded = await device.numbers(of(load(dtype, 0), load(dtype, 1)), columns, pairs.length);
    expect(firstDifference(folded, loaded, (i) => `${op}(${text(pairs[i]?.[0])}, ${text(pairs[i]?.[1])})`)).toBeNull();
  });
});
