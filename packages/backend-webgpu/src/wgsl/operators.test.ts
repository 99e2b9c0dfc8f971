/** Every opcode that is exact, on every dtype that is computed in: edge values with each other, and random ones, bit by bit. */

import { ALL_OPCODES, DTYPES, apply, load, opcodeAccepts, opcodeRule } from '@gradus/backend';
import type { DType, Opcode } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SMALLEST_NORMAL, anyFloats, edgesOf, firstDifference, isDenormal, nearFloats, pairsOf, randomOf, text } from '../../test/arguments.ts';
import { noDawn } from '../../test/dawn.ts';
import { Evaluator, column } from '../../test/evaluate.ts';

const RANDOM = 4000;
const MANY = 300_000;
const COMPUTED: readonly DType[] = ['float32', 'int32', 'uint32', 'int8', 'uint8', 'bool'];
/** These are within bounds of accuracy.test.ts. */
const ROUNDED: ReadonlySet<Opcode> = new Set(['exp', 'log', 'sin', 'cos', 'tanh', 'atan', 'erf', 'pow']);

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (!(rest >= 0.5)) return rest === 0 || floor !== 0 ? floor : 0;
  const nearest = rest > 0.5 || floor % 2 !== 0 ? floor + 1 : floor;
  return nearest === 0 && x < 0 ? -0 : nearest;
}

/** What each opcode is before its result is held in the dtype. Integers here are exact: their products are below 2⁶⁴ and wrapped as BigInt. */
const MEANING: { readonly [O in Opcode]?: (a: number, b: number, dtype: DType) => number | bigint | boolean } = {
  negate: (a, _, dtype) => (DTYPES[dtype].kind === 'float' ? -a : 0 - a),
  abs: (a) => Math.abs(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  round: roundHalfToEven,
  truncate: (a) => Math.trunc(a),
  sqrt: (a) => Math.sqrt(a),
  not: (a, _, dtype) => (dtype === 'bool' ? 1 - a : -1 - a),
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b, dtype) => (DTYPES[dtype].kind === 'float' ? a * b : BigInt(a) * BigInt(b)),
  divide: (a, b, dtype) => (DTYPES[dtype].kind === 'float' ? a / b : b === 0 ? 0 : Math.trunc(a / b)),
  remainder: (a, b, dtype) => (DTYPES[dtype].kind !== 'float' && b === 0 ? 0 : a % b),
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  and: (a, b) => BigInt(a) & BigInt(b),
  or: (a, b) => BigInt(a) | BigInt(b),
  xor: (a, b) => BigInt(a) ^ BigInt(b),
  shiftLeft: (a, b) => BigInt(a) << BigInt(b & 31),
  shiftRight: (a, b) => BigInt(a) >> BigInt(b & 31),
};

/** A result as its dtype holds it. */
function held(dtype: DType, x: number | bigint | boolean): number {
  if (typeof x === 'boolean') return Number(x);
  if (DTYPES[dtype].kind === 'float') return Math.fround(Number(x));
  const bits = DTYPES[dtype].bytes * 8;
  const whole = BigInt(x);
  return Number(DTYPES[dtype].kind === 'int' ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole));
}

describe.skipIf(noDawn !== null)(`exact operations in WGSL${noDawn === null ? '' : ` (skipped: ${noDawn})`}`, () => {
  let device: Evaluator;
  beforeAll(async () => {
    device = await Evaluator.create();
  });
  afterAll(() => device.dispose());

  async function check(op: Opcode, dtype: DType, x: ArrayLike<number>, y: ArrayLike<number>): Promise<string | null> {
    const meaning = MEANING[op];
    if (meaning === undefined) return 'no meaning';
    const binary = opcodeRule(op).arity === 2;
    const value = binary ? apply(op, load(dtype, 0), load(dtype, 1)) : apply(op, load(dtype, 0));
    const actual = await device.numbers(value, binary ? [column(dtype, x), column(dtype, y)] : [column(dtype, x)], x.length);
    const expected = Float64Array.from({ length: x.length }, (_, i) => held(value.dtype, meaning(x[i] ?? NaN, y[i] ?? NaN, dtype)));
    return firstDifference(actual, expected, (i) => `${op}(${text(x[i])}, ${text(y[i])})`);
  }

  const cases = ALL_OPCODES.filter((op) => !ROUNDED.has(op)).flatMap((op) =>
    COMPUTED.filter((dtype) => opcodeAccepts(op, dtype, DTYPES[dtype].kind)).map((dtype) => [op, dtype] as const),
  );
  test.each(cases)('%s of %s', async (op, dtype) => {
    const [edgeX, edgeY] = pairsOf(edgesOf(dtype));
    const x = [...edgeX, ...randomOf(dtype, RANDOM, 1)];
    const y = [...edgeY, ...randomOf(dtype, RANDOM, 3)];
    expect(await check(op, dtype, x, y)).toBeNull();
  });

  const exponentsApart = anyFloats(MANY, 5);
  const near = nearFloats(MANY, 7);
  test.each(['divide', 'remainder', 'sqrt', 'add', 'multiply'] as const)('%s of many floats, of every magnitude and near each other', async (op) => {
    expect(await check(op, 'float32', exponentsApart, anyFloats(MANY, 9))).toBeNull();
    expect(await check(op, 'float32', near.map(Math.abs), nearFloats(MANY, 11))).toBeNull();
  });

  test('products that round up to the smallest normal number, and those that do not quite', async () => {
    const largest = 2 - 2 ** -23;
    const x: number[] = [];
    const y: number[] = [];
    for (let i = 1; i <= 400; i++) {
      const high = 1 + i * 2 ** -23;
      // A product of 2 - 2^-23 · (1 + i/2^23 - …): from just above the tie to well below.
      for (const [a, b] of [
        [high, 2 / high],
        [high, Math.fround(2 / high) - 2 ** -23],
        [largest, 1 + (i % 3) * 2 ** -23],
        [0, largest],
        [largest * 2 ** 100, 0],
      ] as const)
        for (const sign of [1, -1]) {
          x.push(Math.fround(a * sign * 2 ** -60));
          y.push(Math.fround(b * 2 ** -67));
        }
    }
    x.push(0, -0);
    y.push(largest, largest);
    const products = x.map((a, i) => Math.abs(a * (y[i] ?? 0)));
    expect(products.filter((product) => product < SMALLEST_NORMAL && Math.fround(product) === SMALLEST_NORMAL).length).toBeGreaterThan(100);
    expect(products.filter((product) => Math.fround(product) < SMALLEST_NORMAL && product > 0).length).toBeGreaterThan(100);
    expect(await check('multiply', 'float32', x, y)).toBeNull();
  });

  test('quotients and remainders of neighbours: where a guess is most easily one off', async () => {
    const x = near.map((value, i) => value * (1 + (i % 3) * 2 ** -23));
    const y = near.map((value, i) => value * (1 + (i % 5) * 2 ** -23));
    expect(await check('divide', 'float32', x, y)).toBeNull();
    expect(await check('remainder', 'float32', x, y)).toBeNull();
    const squares = near.map((value) => value * value).filter((value) => !isDenormal(value));
    expect(await check('sqrt', 'float32', squares, squares)).toBeNull();
  });
});
