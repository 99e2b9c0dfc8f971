/** Contractions against the plain loop `acc += a * b`, k ascending: equal to the bit, whatever the sizes, strides and blocks. */

import { DTYPES, accumulator, apply, axisIndex, cast, load, scalar, verifyKernel, verifyRun } from '@gradus/backend';
import type { ContractKernel, DType } from '@gradus/backend';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { PATIENCE, WAYS, deviceOf, get, operand, put, run } from '../../test/support.ts';

/** One operand, over [...batch, rows, k]. */
interface Side {
  readonly strides: readonly number[];
  readonly offset: number;
  readonly values: readonly number[];
}

interface Case {
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Side;
  readonly b: Side;
}

/** Axes in any order in memory; batch axes may stand still. */
function side(sizes: readonly number[], numbers: fc.Arbitrary<number>): fc.Arbitrary<Side> {
  const last = sizes.length;
  return fc
    .tuple(
      fc.shuffledSubarray([...sizes.keys()], { minLength: last }),
      fc.array(fc.boolean(), { minLength: last, maxLength: last }),
      fc.array(fc.boolean(), { minLength: last, maxLength: last }),
      fc.nat({ max: 3 }),
      fc.array(numbers, { minLength: 16, maxLength: 16 }),
      fc.nat({ max: 1000 }),
    )
    .map(([order, backwards, still, offset, seeds, salt]) => {
      const strides = sizes.map(() => 0);
      let length = 1;
      let start = offset;
      for (const axis of order) {
        if (axis < last - 2 && still[axis] === true) continue;
        const size = Math.max(1, sizes[axis] ?? 1);
        strides[axis] = backwards[axis] === true ? -length : length;
        if (backwards[axis] === true) start += (size - 1) * length;
        length *= size;
      }
      // Few random numbers make many: a draw for each element would take most of the test's time.
      const values = Array.from({ length: offset + length }, (_, i) => seeds[(i * 7 + (i >> 4) * 5 + salt) % 16] ?? 0);
      return { strides, offset: start, values };
    });
}

function cases(numbers: fc.Arbitrary<number>, most: number): fc.Arbitrary<Case> {
  const size = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 13 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: most }) });
  return fc
    .record({ batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }), m: size, n: size, k: size })
    .chain(({ batch, m, n, k }) =>
      fc.tuple(side([...batch, m, k], numbers), side([...batch, n, k], numbers)).map(([a, b]) => ({ batch, m, n, k, a, b })),
    );
}

function kernelOf(rank: number, dtypes: readonly [DType, DType], accumulate: DType): ContractKernel {
  return {
    kind: 'contract',
    rank,
    accumulate,
    operands: [operand(dtypes[0], 'read', 'strided'), operand(dtypes[1], 'read', 'strided'), operand(accumulate, 'write', 'contiguous', 'kept')],
    scalars: [],
    outputs: [{ operand: 2, value: accumulator(accumulate) }],
  };
}

function dense(sizes: readonly number[]): number[] {
  const strides = sizes.map(() => 1);
  for (let axis = sizes.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] ?? 1) * (sizes[axis + 1] ?? 1);
  return strides;
}

/** Inserts the stride 0 that an operand has along the other's axis. */
function dimsOf({ batch, m, n, k, a, b }: Case): number[] {
  const head = batch.length;
  const stridesOfA = [...a.strides.slice(0, head), a.strides[head] ?? 0, 0, a.strides[head + 1] ?? 0];
  const stridesOfB = [...b.strides.slice(0, head), 0, b.strides[head] ?? 0, b.strides[head + 1] ?? 0];
  return [...batch, m, n, k, a.offset, ...stridesOfA, b.offset, ...stridesOfB, 0, ...dense([...batch, m, n])];
}

/** The plain loop, with any arithmetic. */
function plain({ batch, m, n, k, a, b }: Case, step: (sum: number, x: number, y: number) => number): number[] {
  const head = batch.length;
  const results: number[] = [];
  const at = (s: Side, coordinates: readonly number[]): number =>
    s.values[coordinates.reduce((sum, c, axis) => sum + c * (s.strides[axis] ?? 0), s.offset)] ?? NaN;
  const visit = (point: readonly number[]): void => {
    if (point.length < head) {
      for (let i = 0; i < (batch[point.length] ?? 0); i++) visit([...point, i]);
      return;
    }
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let t = 0; t < k; t++) sum = step(sum, at(a, [...point, i, t]), at(b, [...point, j, t]));
        results.push(sum);
      }
  };
  visit([]);
  return results;
}

function product(kernel: ContractKernel, c: Case): number[] {
  const device = deviceOf('generated');
  const [first, second, third] = kernel.operands.map((o) => o.dtype);
  const count = [...c.batch, c.m, c.n].reduce((p, s) => p * s, 1);
  const blocks = [
    put(device, first ?? 'float32', c.a.values),
    put(device, second ?? 'float32', c.b.values),
    put(
      device,
      third ?? 'float32',
      Array.from({ length: count }, () => 0),
    ),
  ];
  const dims = dimsOf(c);
  verifyKernel(kernel);
  verifyRun(kernel, blocks, Int32Array.from(dims));
  run(device, kernel, blocks, dims);
  return get(device, blocks[2] ?? device.allocate(0), third ?? 'float32');
}

const ORDINARY = fc.float({ min: -10, max: 10, noNaN: true });
const HALVES = fc.integer({ min: -16, max: 16 }).map((x) => x / 8);

describe('contract equals the plain loop', () => {
  test.each([
    ['float32', 'float32', 'float32', ORDINARY],
    ['float64', 'float64', 'float64', fc.double({ min: -10, max: 10, noNaN: true })],
    ['float32', 'float64', 'float64', ORDINARY],
    ['float16', 'bfloat16', 'float32', HALVES],
  ] as const)(
    '%s by %s in %s',
    (first, second, accumulate, numbers) => {
      fc.assert(
        fc.property(cases(numbers, 40), (c) => {
          const round = accumulate === 'float32' ? Math.fround : (x: number): number => x;
          expect(product(kernelOf(c.batch.length + 3, [first, second], accumulate), c)).toEqual(plain(c, (sum, x, y) => sum + x * y).map(round));
        }),
        { numRuns: 150 },
      );
    },
    PATIENCE,
  );

  test.each([
    ['int32', 'int32', 'int32'],
    ['int8', 'uint8', 'int32'],
    ['uint32', 'int8', 'int32'],
    ['uint32', 'uint32', 'uint32'],
  ] as const)(
    '%s by %s in %s, wrapping',
    (first, second, accumulate) => {
      const { min, max } = DTYPES[first];
      const common = fc.integer({ min: Math.max(min, DTYPES[second].min), max: Math.min(max, DTYPES[second].max) });
      fc.assert(
        fc.property(cases(common, 40), (c) => {
          const wrapped = plain(c, (sum, x, y) => (sum + Math.imul(x, y)) | 0).map((x) => (accumulate === 'uint32' ? x >>> 0 : x));
          expect(product(kernelOf(c.batch.length + 3, [first, second], accumulate), c)).toEqual(wrapped);
        }),
        { numRuns: 150 },
      );
    },
    PATIENCE,
  );

  // One more and one less than a strip, and than each block of the product.
  test.each([
    [3, 5, 4],
    [127, 2, 257],
    [129, 258, 3],
    [5, 255, 513],
    [1, 300, 300],
    [300, 1, 300],
    [1, 1, 600],
    [2, 2, 0],
  ])('%d × %d over %d', (m, n, k) => {
    const [c] = fc.sample(
      fc.tuple(side([m, k], ORDINARY), side([n, k], ORDINARY)).map(([a, b]): Case => ({ batch: [], m, n, k, a, b })),
      { numRuns: 1, seed: m + n + k },
    );
    if (c === undefined) throw new Error('no sample');
    expect(product(kernelOf(3, ['float32', 'float32'], 'float32'), c)).toEqual(plain(c, (sum, x, y) => sum + x * y).map(Math.fround));
  });

  test('products keep NaN and Inf to their own results, in tails too', () => {
    const a: Side = { strides: [2, 1], offset: 0, values: [1, 2, Infinity, 1, 3, NaN, 0, 1, 1, 1] };
    const b: Side = { strides: [1, 3], offset: 0, values: [1, 0, 1, 2, 1, 0] };
    const c: Case = { batch: [], m: 5, n: 3, k: 2, a, b };
    const results = product(kernelOf(3, ['float32', 'float32'], 'float32'), c);
    expect(results).toEqual([5, 2, 1, Infinity, NaN, Infinity, NaN, NaN, NaN, 2, 1, 0, 3, 1, 1]);
  });
});

describe.each(WAYS)('epilogue, %s', (way) => {
  test('rounds the sum first; several outputs, operands, scalars, axes and an update in place', () => {
    const device = deviceOf(way);
    const [m, n, k] = [5, 260, 3];
    const a = Array.from({ length: m * k }, (_, i) => Math.fround(Math.sin(i)));
    const b = Array.from({ length: k * n }, (_, i) => Math.fround(Math.cos(i)));
    const bias = Array.from({ length: n }, (_, i) => i / 4);
    const sum = accumulator('float32');
    const kernel: ContractKernel = {
      kind: 'contract',
      rank: 3,
      accumulate: 'float32',
      operands: [
        operand('float32', 'read', { broadcast: [false, true, false] }),
        operand('float32', 'read', 'strided'),
        operand('float32', 'read', { broadcast: [true, false] }, 'kept'),
        operand('float64', 'write', 'strided', 'kept'),
        operand('float32', 'readWrite', 'contiguous', 'kept'),
      ],
      scalars: ['float32'],
      outputs: [
        {
          operand: 3,
          value: apply('add', cast(sum, 'float64'), cast(apply('add', axisIndex(0), apply('multiply', axisIndex(1), axisIndex(1))), 'float64')),
        },
        { operand: 4, value: apply('add', load('float32', 4), apply('multiply', scalar('float32', 0), apply('add', sum, load('float32', 2)))) },
      ],
    };
    verifyKernel(kernel);
    const transposed = put(
      device,
      'float64',
      Array.from({ length: m * n }, () => 0),
    );
    const updated = put(
      device,
      'float32',
      Array.from({ length: m * n }, (_, i) => i),
    );
    const dims = [m, n, k, 0, k, 0, 1, 0, 0, 1, n, 0, 0, 1, 0, 1, m, 0, n, 1];
    run(device, kernel, [put(device, 'float32', a), put(device, 'float32', b), put(device, 'float32', bias), transposed, updated, 0.1], dims);
    const sums = Array.from({ length: m * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let total = 0;
      for (let t = 0; t < k; t++) total += (a[i * k + t] ?? 0) * (b[t * n + j] ?? 0);
      return Math.fround(total);
    });
    const f = Math.fround;
    const first = get(device, transposed, 'float64');
    const second = get(device, updated, 'float32');
    sums.forEach((s, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      expect(first[j * m + i]).toBe(s + (i + j * j));
      expect(second[at]).toBe(f(at + f(f(0.1) * f(s + (bias[j] ?? 0)))));
    });
  });
});
