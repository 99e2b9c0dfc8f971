/** Functions of float32 in WGSL against float64: the bounds that their files state, and what they make of NaN, infinities and zeros. */

import { apply, load } from '@gradus/backend';
import type { Opcode } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorsOf } from '../../test/accuracy.ts';
import type { Errors } from '../../test/accuracy.ts';
import { anyFloats, edgesOf, firstDifference, isDenormal, nearFloats, pairsOf, text, word } from '../../test/arguments.ts';
import { noDawn } from '../../test/dawn.ts';
import { Evaluator, column } from '../../test/evaluate.ts';

const MANY = 200_000;
/** How many neighbours of a border, on either side. */
const NEIGHBOURS = 100;
/** Up to here arguments of sin and cos are reduced exactly. */
const RANGE = 8192;

/** Where methods change, and where results leave the range; their neighbours and negatives are tested too. */
const BORDERS = [0.25, 0.5, 0.625, 1, 2, 4, 9, Math.SQRT1_2, Math.SQRT2, Math.tan(Math.PI / 8), Math.tan((3 * Math.PI) / 8), 2 ** 40]
  .concat([1, 2, 3, 4, 5, 7, 1001, 4095, 5215, 10_429].map((n) => (n * Math.PI) / 4))
  .concat([0.5, 1.5, 2.5, 63.5, 126.5, 127.5, 128, 126, 149, 150].map((n) => n * Math.LN2));

function samples(): Float32Array {
  const around = BORDERS.flatMap((border) => {
    const floats = Float32Array.of(border);
    const [middle = 0] = new Uint32Array(floats.buffer);
    const words = Uint32Array.from({ length: 2 * NEIGHBOURS + 1 }, (_, i) => middle + i - NEIGHBOURS);
    return [...new Float32Array(words.buffer)];
  });
  return Float32Array.from([...edgesOf('float32'), ...around, ...around.map((x) => -x), ...anyFloats(MANY, 1), ...nearFloats(MANY, 3)]);
}

/** erf in float64 by 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!, whose terms are all of one sign (Abramowitz and Stegun, 7.1.6). */
function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x) || x === 0) return x;
  if (size > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** JavaScript's power, but for the places where C's is 1. */
function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

/** Exponents that lead to results in range: whole, halves, and any. */
function exponents(x: Float32Array): Float32Array {
  return x.map((value, i) => {
    const y = ((word(2 * i + 77) / 2 ** 32) * 280 - 140) / Math.log2(Math.abs(value));
    const near = i % 3 === 0 ? Math.round(y) : i % 3 === 1 ? Math.round(2 * y) / 2 : y;
    return isDenormal(Math.fround(near)) ? 0 : near;
  });
}

describe.skipIf(noDawn !== null)(`functions in WGSL${noDawn === null ? '' : ` (skipped: ${noDawn})`}`, () => {
  let device: Evaluator;
  beforeAll(async () => {
    device = await Evaluator.create();
  });
  afterAll(() => device.dispose());

  async function errorsAt(op: Opcode, x: Float32Array, exact: (x: number) => number): Promise<Errors> {
    const actual = await device.numbers(apply(op, load('float32', 0)), [column('float32', x)], x.length);
    return errorsOf(
      actual,
      (i) => exact(x[i] ?? NaN),
      (i) => `${op}(${text(x[i])})`,
    );
  }

  async function powers(x: Float32Array, y: Float32Array): Promise<Float64Array> {
    return device.numbers(apply('pow', load('float32', 0), load('float32', 1)), [column('float32', x), column('float32', y)], x.length);
  }

  test.each([
    ['exp', 1, Math.exp],
    ['log', 0.8, Math.log],
    ['tanh', 1.5, Math.tanh],
    ['atan', 3, Math.atan],
    ['erf', 3, erf],
  ] as const)('%s has an error below %s units in the last place', async (op, bound, exact) => {
    const errors = await errorsAt(op, samples(), exact);
    expect(errors.wrong).toEqual([]);
    expect(errors.ulps).toBeLessThan(bound);
  });

  test.each([
    ['sin', Math.sin],
    ['cos', Math.cos],
  ] as const)('%s has an absolute error below 8e-8 up to 8192', async (op, exact) => {
    const errors = await errorsAt(
      op,
      samples().filter((x) => Math.abs(x) <= RANGE),
      exact,
    );
    expect(errors.wrong).toEqual([]);
    expect(errors.absolute).toBeLessThan(8e-8);
  });

  test.each(['sin', 'cos'] as const)('%s stays within -1 and 1 beyond 8192, and is NaN at the infinities', async (op) => {
    const x = samples().filter((value) => Math.abs(value) > RANGE || Number.isNaN(value));
    const y = await device.numbers(apply(op, load('float32', 0)), [column('float32', x)], x.length);
    expect(x.findIndex((value, i) => (Number.isFinite(value) ? !(Math.abs(y[i] ?? NaN) <= 1) : !Number.isNaN(y[i])))).toBe(-1);
  });

  test('sin keeps tiny arguments as they are, to the bit', async () => {
    const x = samples().filter((value) => Math.abs(value) < 2 ** -13);
    const y = await device.numbers(apply('sin', load('float32', 0)), [column('float32', x)], x.length);
    expect(firstDifference(y, x, (i) => text(x[i]))).toBeNull();
  });

  test('pow has an error below 4 units in the last place', async () => {
    const any = anyFloats(MANY, 5);
    const nearOne = any.map((_, i) => 1 + (word(2 * i) / 2 ** 32 - 0.5) * 2 ** -(i % 22)).map((x) => (x === 1 ? 1.5 : x));
    for (const x of [any, any.map(Math.abs), nearOne]) {
      const y = exponents(x);
      const errors = errorsOf(
        await powers(x, y),
        (i) => power(x[i] ?? 0, y[i] ?? 0),
        (i) => `pow(${x[i]}, ${y[i]})`,
      );
      expect(errors.wrong).toEqual([]);
      expect(errors.ulps).toBeLessThan(4);
    }
  });

  test('pow of special values is C’s', async () => {
    const special = [0, 1, 0.5, 2, 3, 1.5e38, 8_388_607.5, 16_777_215, 16_777_217, 2 ** 127, 2 ** -126, Infinity].flatMap((x) => [x, -x]).concat(NaN);
    const [x, y] = pairsOf(special);
    const actual = await powers(Float32Array.from(x), Float32Array.from(y));
    const errors = errorsOf(
      actual,
      (i) => power(x[i] ?? 0, Math.fround(y[i] ?? 0)),
      (i) => `pow(${text(x[i])}, ${text(y[i])})`,
    );
    expect(errors.wrong).toEqual([]);
    expect(errors.ulps).toBeLessThan(4);
  });
});
