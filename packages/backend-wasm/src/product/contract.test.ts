/** Contractions of any sizes, strides and blocks, against plain loops in float64. */

import { DTYPES, accumulator, apply, axisIndex, cast, load, scalar, verifyKernel, verifyRun } from '@gradus/backend';
import type { Backend, ContractKernel, DType } from '@gradus/backend';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { ENGINES, WIDTHS, bytesOf, filled, get, operand, product, put, rowMajor, run } from '../../test/support.ts';
import { wasm } from '../index.ts';

/** One operand, over [...batch, rows, columns]. */
interface Side {
  readonly strides: readonly number[];
  readonly offset: number;
  readonly length: number;
}

interface Case {
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Side;
  readonly b: Side;
  readonly c: Side;
}

/** Axes in any order in memory, backwards or with gaps; batch axes of what is read may stand still. */
function side(sizes: readonly number[], mayStand: boolean): fc.Arbitrary<Side> {
  const rank = sizes.length;
  const flags = fc.array(fc.boolean(), { minLength: rank, maxLength: rank });
  const order = fc.oneof(fc.constant([...sizes.keys()].toReversed()), fc.shuffledSubarray([...sizes.keys()], { minLength: rank }));
  return fc.tuple(order, flags, flags, fc.nat({ max: 3 }), fc.constantFrom(0, 0, 0, 1)).map(([axes, backwards, still, lead, gap]) => {
    const strides = sizes.map(() => 0);
    let length = 1;
    let offset = lead;
    // The first in the order is the one whose elements are neighbours; one time in four it goes backwards.
    axes.forEach((axis, place) => {
      if (mayStand && axis < rank - 2 && still[axis] === true) return;
      const size = Math.max(1, sizes[axis] ?? 1);
      const back = backwards[axis] === true && (place > 0 || backwards[0] === true);
      strides[axis] = back ? -length : length;
      if (back) offset += (size - 1) * length;
      length = length * size + (place === 0 ? gap : 0);
    });
    return { strides, offset, length: lead + length };
  });
}

const size = fc.oneof(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 70 }), fc.constantFrom(4, 8, 12, 16, 32, 64));

const cases: fc.Arbitrary<Case> = fc
  .record({ batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }), m: size, n: size, k: size })
  .chain(({ batch, m, n, k }) =>
    fc
      .tuple(side([...batch, m, k], true), side([...batch, n, k], true), side([...batch, m, n], false))
      .map(([a, b, c]) => ({ batch, m, n, k, a, b, c })),
  );

/** A case of dense operands; the second given as [k, n]. */
function plainCase(m: number, n: number, k: number): Case {
  return {
    batch: [],
    m,
    n,
    k,
    a: { strides: [k, 1], offset: 0, length: m * k },
    b: { strides: [1, n], offset: 0, length: n * k },
    c: { strides: [n, 1], offset: 0, length: m * n },
  };
}

/** Inserts the stride 0 that an operand has along the other's axis. */
function dimsOf({ batch, m, n, k, a, b, c }: Case): number[] {
  const head = batch.length;
  const ofA = [...a.strides.slice(0, head), a.strides[head] ?? 0, 0, a.strides[head + 1] ?? 0];
  const ofB = [...b.strides.slice(0, head), 0, b.strides[head] ?? 0, b.strides[head + 1] ?? 0];
  return [...batch, m, n, k, a.offset, ...ofA, b.offset, ...ofB, c.offset, ...c.strides];
}

/** Calls `visit` with each result: its point, its sum in float64, and the sum of the magnitudes of its products. */
function results(
  { batch, m, n, k, a, b }: Case,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  visit: (point: readonly number[], sum: number, size: number) => void,
): void {
  const head = batch.length;
  const [aStep = 0, bStep = 0] = [a.strides[head + 1], b.strides[head + 1]];
  for (let at = 0; at < product(batch); at++) {
    const point = rowMajor(batch).map((stride, axis) => Math.floor(at / stride) % (batch[axis] ?? 1));
    const start = (own: Side, row: number): number =>
      point.reduce((sum, x, axis) => sum + x * (own.strides[axis] ?? 0), own.offset) + row * (own.strides[head] ?? 0);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let [sum, magnitude] = [0, 0];
        let [x, y] = [start(a, i), start(b, j)];
        for (let t = 0; t < k; t++, x += aStep, y += bStep) {
          const term = (first[x] ?? NaN) * (second[y] ?? NaN);
          sum += term;
          magnitude += Math.abs(term);
        }
        visit([...point, i, j], sum, magnitude);
      }
  }
}

const addressOf = ({ strides, offset }: Side, point: readonly number[]): number =>
  point.reduce((sum, x, axis) => sum + x * (strides[axis] ?? 0), offset);

function kernelOf(rank: number, dtypes: readonly [DType, DType] = ['float32', 'float32'], accumulate: DType = 'float32'): ContractKernel {
  return {
    kind: 'contract',
    rank,
    accumulate,
    operands: [operand(dtypes[0], 'read', 'strided'), operand(dtypes[1], 'read', 'strided'), operand(accumulate, 'write', 'strided', 'kept')],
    scalars: [],
    outputs: [{ operand: 2, value: accumulator(accumulate) }],
  };
}

/** Whole numbers so small that every sum is exact in float32, in an order that repeats late. */
const whole = (length: number, salt: number): Float32Array => Float32Array.from({ length }, (_, i) => ((i * 7 + (i >> 3) * 5 + salt * 11) % 17) - 8);
/** Numbers with full mantissas. */
const waves = (length: number, salt: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + salt) * 4);

/** What the result's block holds where nothing is written. */
const UNTOUCHED = 12_345;

function multiply(device: Backend, kernel: ContractKernel, c: Case, first: ArrayLike<number>, second: ArrayLike<number>): number[] {
  const [a = 'float32', b = 'float32', out = 'float32'] = kernel.operands.map((own) => own.dtype);
  const blocks = [put(device, a, first), put(device, b, second), put(device, out, filled(c.c.length, UNTOUCHED))];
  const dims = dimsOf(c);
  verifyKernel(kernel);
  verifyRun(kernel, blocks, Int32Array.from(dims));
  run(device, kernel, blocks, dims);
  const found = get(device, blocks[2] ?? device.allocate(0), out);
  for (const block of blocks) device.free(block);
  return found;
}

/** The block that a case should leave, each sum put through `finish`. */
function expected(c: Case, first: ArrayLike<number>, second: ArrayLike<number>, finish: (sum: number, point: readonly number[]) => number): number[] {
  const block = filled(c.c.length, UNTOUCHED);
  results(c, first, second, (point, sum) => {
    block[addressOf(c.c, point)] = finish(sum, point);
  });
  return block;
}

/** More than a row of tiles, a block of rows, of k and of columns; one more and one less; nothing at all. */
const BORDERS: readonly (readonly [number, number, number])[] = [
  [3, 5, 40],
  [4, 8, 16],
  [5, 9, 17],
  [7, 7, 255],
  [65, 16, 256],
  [66, 9, 257],
  [8, 8, 1025],
  [119, 24, 13],
  [120, 8, 100],
  [121, 17, 31],
  [9, 255, 12],
  [12, 256, 5],
  [13, 257, 6],
  [244, 265, 3],
  [1, 300, 300],
  [300, 1, 300],
  [2, 2, 700],
  [20, 20, 0],
];

describe.each(ENGINES)('simd: %s', (simd) => {
  let device: Backend;
  beforeAll(async () => {
    device = await wasm({ simd });
  });

  test('sums of whole numbers are exact, wherever operands lie, and nothing else is written', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: 99 }), (c, salt) => {
        const [first, second] = [whole(c.a.length, salt), whole(c.b.length, salt + 1)];
        expect(multiply(device, kernelOf(c.batch.length + 3), c, first, second)).toEqual(expected(c, first, second, (sum) => sum));
      }),
      { numRuns: 150 },
    );
  });

  test('errors are within k units of single precision, of the sum of magnitudes', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: 99 }), (c, salt) => {
        const [first, second] = [waves(c.a.length, salt), waves(c.b.length, salt + 1)];
        const found = multiply(device, kernelOf(c.batch.length + 3), c, first, second);
        results(c, first, second, (point, sum, magnitude) => {
          expect(Math.abs((found[addressOf(c.c, point)] ?? NaN) - sum)).toBeLessThanOrEqual((c.k + 1) * 2 ** -24 * magnitude);
        });
      }),
      { numRuns: 40 },
    );
  });

  test.each(BORDERS)('%d × %d over %d', (m, n, k) => {
    const c = plainCase(m, n, k);
    const [first, second] = [whole(c.a.length, m), whole(c.b.length, n)];
    expect(multiply(device, kernelOf(3), c, first, second)).toEqual(expected(c, first, second, (sum) => sum));
  });

  test.each([
    ['float16', 'float32', 'float32'],
    ['bfloat16', 'float16', 'float32'],
    ['int8', 'uint8', 'int32'],
    ['int32', 'int32', 'int32'],
    ['uint32', 'int8', 'uint32'],
  ] as const)('%s by %s in %s', (a, b, accumulate) => {
    const word = accumulate !== 'float32';
    const values = (dtype: DType, length: number, salt: number): number[] =>
      Array.from(whole(length, salt), (x) => (DTYPES[dtype].kind === 'uint' ? Math.abs(x) : x));
    fc.assert(
      fc.property(cases, fc.nat({ max: 99 }), (c, salt) => {
        const [first, second] = [values(a, c.a.length, salt), values(b, c.b.length, salt + 1)];
        const finish = (sum: number): number => (accumulate === 'uint32' ? sum >>> 0 : word ? sum | 0 : sum);
        expect(multiply(device, kernelOf(c.batch.length + 3, [a, b], accumulate), c, first, second)).toEqual(expected(c, first, second, finish));
      }),
      { numRuns: 40 },
    );
  });

  test('epilogues: two outputs, a bias, a scalar, coordinates, and an update in place', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: 99 }), (c, salt) => {
        const rank = c.batch.length + 3;
        const sum = accumulator('float32');
        const coordinates = Array.from({ length: rank - 1 }, (_, axis) => axisIndex(axis));
        const weighted = coordinates.reduce(
          (total, e, axis) => apply('add', total, apply('multiply', e, { op: 'constant', dtype: 'int32', value: axis + 1 })),
          apply('subtract', axisIndex(0), axisIndex(0)),
        );
        const kernel: ContractKernel = {
          ...kernelOf(rank),
          operands: [
            operand('float32', 'read', 'strided'),
            operand('float32', 'read', 'strided'),
            operand('float32', 'write', 'strided', 'kept'),
            operand('float32', 'read', { broadcast: [...c.batch.map(() => true), true, false] }, 'kept'),
            operand('float32', 'readWrite', 'contiguous', 'kept'),
          ],
          scalars: ['float32'],
          outputs: [
            { operand: 2, value: apply('add', apply('multiply', sum, scalar('float32', 0)), load('float32', 3)) },
            { operand: 4, value: apply('add', apply('subtract', load('float32', 4), sum), cast(weighted, 'float32')) },
          ],
        };
        const kept = [...c.batch, c.m, c.n];
        const [first, second] = [whole(c.a.length, salt), whole(c.b.length, salt + 1)];
        const [bias, old] = [whole(c.n, 5), whole(product(kept), 6)];
        const blocks = [
          put(device, 'float32', first),
          put(device, 'float32', second),
          put(device, 'float32', filled(c.c.length, UNTOUCHED)),
          put(device, 'float32', bias),
          put(device, 'float32', old),
        ];
        const dims = [...dimsOf(c), 0, ...c.batch.map(() => 0), 0, 1, 0, ...rowMajor(kept)];
        verifyKernel(kernel);
        verifyRun(kernel, [...blocks, 3], Int32Array.from(dims));
        run(device, kernel, [...blocks, 3], dims);
        const [, , scaled, , updated] = blocks.map((block) => get(device, block, 'float32'));
        expect(scaled).toEqual(expected(c, first, second, (x, point) => x * 3 + (bias[point.at(-1) ?? 0] ?? 0)));
        const after: number[] = [];
        results(c, first, second, (point, x) => {
          after.push((old[after.length] ?? 0) - x + point.reduce((total, at, axis) => total + at * (axis + 1), 0));
        });
        expect(updated).toEqual(after);
        for (const block of blocks) device.free(block);
      }),
      { numRuns: 60 },
    );
  });

  test('the bits of a result depend on nothing else that runs', () => {
    const alone = plainCase(37, 41, 300);
    const [first, second] = [waves(alone.a.length, 1), waves(alone.b.length, 2)];
    const kernel = kernelOf(3);
    const before = multiply(device, kernel, alone, first, second);
    const other = plainCase(130, 67, 513);
    multiply(device, kernel, other, waves(other.a.length, 3), waves(other.b.length, 4));
    expect(multiply(device, kernel, alone, first, second)).toEqual(before);
  });

  test('as one of a batch or alone: equal bits', () => {
    const one = plainCase(20, 24, 40);
    const three: Case = {
      ...one,
      batch: [3],
      a: { strides: [800, 40, 1], offset: 0, length: 2400 },
      b: { strides: [960, 1, 24], offset: 0, length: 2880 },
      c: { strides: [480, 24, 1], offset: 0, length: 1440 },
    };
    const [first, second] = [waves(2400, 1), waves(2880, 2)];
    const together = multiply(device, kernelOf(4), three, first, second);
    const single = [0, 1, 2].flatMap((i) =>
      multiply(device, kernelOf(3), one, first.slice(i * 800, i * 800 + 800), second.slice(i * 960, i * 960 + 960)),
    );
    expect(together).toEqual(single);
  });

  test('NaN and Inf stay in their own results, in tails too', () => {
    const c = plainCase(9, 11, 13);
    const [first, second] = [whole(c.a.length, 1), whole(c.b.length, 2)];
    first[8 * 13] = NaN;
    second[10] = Infinity;
    const found = multiply(device, kernelOf(3), c, first, second);
    const clean = expected(c, first, second, (sum) => sum);
    expect(found).toEqual(clean);
    expect(found.filter((x) => !Number.isFinite(x))).toHaveLength(9 + 11 - 1);
  });
});

test('vectors and single elements agree in integers to the bit', async () => {
  const c = plainCase(33, 29, 70);
  const kernel = kernelOf(3, ['int32', 'int32'], 'int32');
  const [first, second] = [1, 2].map((salt) => Int32Array.from({ length: 3000 }, (_, i) => Math.imul(i + salt, 0x9e3779b1)));
  const bytes = await Promise.all(
    WIDTHS.map(async (simd) => {
      const device = await wasm({ simd });
      const blocks = [put(device, 'int32', first ?? []), put(device, 'int32', second ?? []), device.allocate(4 * c.c.length)];
      run(device, kernel, blocks, dimsOf(c));
      return bytesOf(device, blocks[2] ?? device.allocate(0));
    }),
  );
  expect(bytes[0]).toEqual(bytes[1]);
});
