/** Vectors and single elements give equal bits: every opcode, cast and dtype, on devices with SIMD and without, for lengths around the lanes. */

import { ALL_DTYPES, ALL_OPCODES, DTYPES, apply, bitcast, cast, constant, opcodeAccepts, opcodeRule, where } from '@gradus/backend';
import type { DType, Expression, Opcode } from '@gradus/backend';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { compute } from '../../test/support.ts';
import { wasm } from '../index.ts';
import type { Backend } from '@gradus/backend';

let vectors: Backend;
let single: Backend;

beforeAll(async () => {
  vectors = await wasm({ simd: 'plain' });
  single = await wasm({ simd: 'off' });
});

const STORED = ALL_DTYPES.filter((dtype) => dtype !== 'float64');
const COMPUTED = STORED.filter((dtype) => dtype !== 'float16' && dtype !== 'bfloat16');

/** Any value of a dtype, its special ones and the ones near 0 more often than chance has them. */
function valueOf(dtype: DType): fc.Arbitrary<number> {
  const { kind, min, max } = DTYPES[dtype];
  if (kind === 'float') return fc.oneof(fc.float(), fc.float({ min: -4, max: 4 }), fc.constantFrom(0, -0, 1, -1, NaN, Infinity, -Infinity));
  return fc.oneof(fc.integer({ min, max }), fc.integer({ min: Math.max(min, -3), max: Math.min(max, 3) }), fc.constantFrom(min, max));
}

const length = fc.integer({ min: 1, max: 40 });

/** As many columns as there are dtypes, of one length. */
function columns(dtypes: readonly DType[]): fc.Arbitrary<{ dtype: DType; values: number[] }[]> {
  return length.chain((size) =>
    fc.tuple(...dtypes.map((dtype) => fc.array(valueOf(dtype), { minLength: size, maxLength: size }).map((values) => ({ dtype, values })))),
  );
}

/** The numbers of a result, and their bits where they are no NaN (which NaN it is, is nobody's promise). */
function bitsOf(bytes: ArrayBuffer, dtype: DType): (number | 'NaN')[] {
  if (dtype !== 'float32') return [...DTYPES[dtype].view(bytes)];
  const floats = new Float32Array(bytes);
  return Array.from(new Uint32Array(bytes), (word, i) => (Number.isNaN(floats[i]) ? 'NaN' : word));
}

function agree(dtypes: readonly DType[], build: (...loads: Expression[]) => Expression, numRuns: number): void {
  fc.assert(
    fc.property(columns(dtypes), (data) => {
      const { dtype } = build(...data.map((column) => constant(column.dtype, 0)));
      expect(bitsOf(compute(vectors, data, build), dtype)).toEqual(bitsOf(compute(single, data, build), dtype));
    }),
    { numRuns },
  );
}

const operations = ALL_OPCODES.flatMap((op) =>
  COMPUTED.filter((dtype) => opcodeAccepts(op, dtype, DTYPES[dtype].kind)).map((dtype): [Opcode, DType] => [op, dtype]),
);

describe('operations', () => {
  test.each(operations)('%s of %s', (op, dtype) => {
    const { arity } = opcodeRule(op);
    agree(
      Array.from({ length: arity }, () => dtype),
      (a, b) => apply(op, a ?? constant(dtype, 0), b),
      60,
    );
  });
});

describe('conversions', () => {
  test.each(STORED.flatMap((from) => STORED.map((to) => [from, to] as const)))('%s to %s', (from, to) => {
    agree([from], (a = constant(from, 0)) => cast(a, to), 25);
  });

  test.each([
    ['float32', 'int32'],
    ['uint32', 'float32'],
    ['int32', 'uint32'],
  ] as const)('the bits of %s as %s', (from, to) => {
    agree([from], (a = constant(from, 0)) => bitcast(a, to), 25);
  });
});

describe('choices', () => {
  test.each(STORED)('where, of %s', (dtype) => {
    agree(['bool', dtype, dtype], (c, a, b) => where(c ?? constant('bool', 0), a ?? constant(dtype, 0), b ?? constant(dtype, 0)), 25);
  });
});

/** Random expressions of float32 and int32, a few operations deep. */
const expression: fc.Arbitrary<(x: Expression, n: Expression) => Expression> = fc.letrec<{ float: (x: Expression, n: Expression) => Expression }>(
  (tie) => ({
    float: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constant((x: Expression) => x),
      fc.constant((_x: Expression, n: Expression) => cast(n, 'float32')),
      fc.float({ noNaN: true, min: -2, max: 2 }).map((value) => () => constant('float32', value)),
      fc.tuple(fc.constantFrom<Opcode>('negate', 'abs', 'floor', 'round', 'sqrt', 'exp', 'tanh', 'sin', 'erf', 'log'), tie('float')).map(
        ([op, a]) =>
          (x: Expression, n: Expression) =>
            apply(op, a(x, n)),
      ),
      fc.tuple(fc.constantFrom<Opcode>('add', 'subtract', 'multiply', 'divide', 'min', 'max', 'pow', 'remainder'), tie('float'), tie('float')).map(
        ([op, a, b]) =>
          (x: Expression, n: Expression) =>
            apply(op, a(x, n), b(x, n)),
      ),
      fc.tuple(fc.constantFrom<Opcode>('less', 'equal', 'lessEqual'), tie('float'), tie('float')).map(
        ([op, a, b]) =>
          (x: Expression, n: Expression) =>
            where(apply(op, a(x, n), b(x, n)), x, cast(apply(op, x, a(x, n)), 'float32')),
      ),
    ),
  }),
).float;

test('expressions that share parts', () => {
  fc.assert(
    fc.property(expression, columns(['float32', 'int32']), (build, data) => {
      const whole = (x: Expression = constant('float32', 0), n: Expression = constant('int32', 0)): Expression => apply('add', build(x, n), x);
      expect(bitsOf(compute(vectors, data, whole), 'float32')).toEqual(bitsOf(compute(single, data, whole), 'float32'));
    }),
    { numRuns: 80 },
  );
});
