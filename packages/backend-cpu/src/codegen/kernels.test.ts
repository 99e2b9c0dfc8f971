/** What the required kernels promise beyond single expressions: order, identities, in-place updates, and the edges of loops. */

import { accumulator, apply, axisIndex, cast, constant, load, verifyKernel, verifyRun } from '@gradus/backend';
import type { Arg, Backend, DType, FoldKind, Kernel, ReduceKernel, ScatterKernel } from '@gradus/backend';
import { describe, expect, test } from 'vitest';

import { WAYS, deviceOf, get, operand, put, run } from '../../test/support.ts';
import { cheaperOrder } from './reduce.ts';

function verified(device: Backend, kernel: Kernel, args: readonly Arg[], dims: readonly number[]): void {
  verifyKernel(kernel);
  verifyRun(kernel, args, Int32Array.from(dims));
  run(device, kernel, args, dims);
}

describe.each(WAYS)('map, %s', (way) => {
  const device = deviceOf(way);

  test('loads every operand of a point before it stores: two operands swap', () => {
    const [a, b] = [put(device, 'float32', [1, 2]), put(device, 'float32', [3, 4])];
    const kernel: Kernel = {
      kind: 'map',
      rank: 1,
      operands: [operand('float32', 'readWrite'), operand('float32', 'readWrite')],
      scalars: [],
      outputs: [
        { operand: 0, value: load('float32', 1) },
        { operand: 1, value: load('float32', 0) },
      ],
    };
    verified(device, kernel, [a, b], [2, 0, 1, 0, 1]);
    expect([get(device, a, 'float32'), get(device, b, 'float32')]).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  test('disjoint ranges of one block may be read and written', () => {
    const block = put(device, 'int32', [1, 2, 3, 0, 0, 0]);
    const kernel: Kernel = {
      kind: 'map',
      rank: 1,
      operands: [operand('int32', 'read', 'strided'), operand('int32', 'write')],
      scalars: [],
      outputs: [{ operand: 1, value: load('int32', 0) }],
    };
    verified(device, kernel, [block, block], [3, 2, -1, 3, 1]);
    expect(get(device, block, 'int32')).toEqual([1, 2, 3, 3, 2, 1]);
  });

  test('12 axes', () => {
    const sizes = [2, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2];
    const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((p, s) => p * s, 1));
    const position = sizes.reduce(
      (sum, _, axis) => apply('add', sum, apply('multiply', axisIndex(axis), constant('int32', strides[axis] ?? 0))),
      apply('add', constant('int32', 0), constant('int32', 0)),
    );
    const result = put(
      device,
      'int32',
      Array.from({ length: 32 }, () => -1),
    );
    verified(
      device,
      { kind: 'map', rank: 12, operands: [operand('int32', 'write')], scalars: [], outputs: [{ operand: 0, value: position }] },
      [result],
      [...sizes, 0, ...strides],
    );
    expect(get(device, result, 'int32')).toEqual(Array.from({ length: 32 }, (_, i) => i));
  });
});

function fold(kind: FoldKind, dtype: DType, layout: 'contiguous' | 'strided' = 'contiguous'): ReduceKernel {
  return {
    kind: 'reduce',
    rank: 2,
    folded: 1,
    operands: [operand(dtype, 'read', layout), operand(dtype, 'write', 'contiguous', 'kept')],
    scalars: [],
    folds: [{ fold: kind, value: load(dtype, 0) }],
    outputs: [{ operand: 1, value: accumulator(dtype) }],
  };
}

describe.each(WAYS)('reduce, %s', (way) => {
  const device = deviceOf(way);

  test.each([
    ['sum', 'float32', 0],
    ['prod', 'int8', 1],
    ['min', 'float64', Infinity],
    ['max', 'float32', -Infinity],
    ['min', 'int8', 127],
    ['max', 'int32', -(2 ** 31)],
    ['min', 'uint32', 2 ** 32 - 1],
    ['max', 'uint8', 0],
  ] as const)('an empty %s of %s is %d', (kind, dtype, expected) => {
    const result = put(device, dtype, [5, 5]);
    verified(device, fold(kind, dtype), [device.allocate(0), result], [2, 0, 0, 0, 1, 0, 1]);
    expect(get(device, result, dtype)).toEqual([expected, expected]);
  });

  test('sums of float32 accumulate in float64, in order, and round once', () => {
    const values = [2 ** 24, 1, 1, -(2 ** 24), 1e-9];
    const result = put(device, 'float32', [0]);
    verified(device, fold('sum', 'float32'), [put(device, 'float32', values), result], [1, 5, 0, 5, 1, 0, 1]);
    expect(get(device, result, 'float32')).toEqual([Math.fround(2 + Math.fround(1e-9))]);
  });

  test('integers wrap; NaN passes minima and maxima', () => {
    const result = put(device, 'int32', [0]);
    verified(device, fold('prod', 'int32'), [put(device, 'int32', [123456789, 987654321, 3]), result], [1, 3, 0, 3, 1, 0, 1]);
    expect(get(device, result, 'int32')).toEqual([Math.imul(-67153019, 3)]);
    for (const kind of ['min', 'max'] as const) {
      const extremes = put(device, 'float32', [0, 0]);
      verified(device, fold(kind, 'float32'), [put(device, 'float32', [1, NaN, 3, 4, 4, 4]), extremes], [2, 3, 0, 3, 1, 0, 1]);
      expect(get(device, extremes, 'float32')).toEqual([NaN, 4]);
    }
  });

  test('a sum over axis 0 of a wide matrix, beyond one row buffer, adds in the order of rows', () => {
    const [rows, columns] = [7, 1100];
    const values = Array.from({ length: rows * columns }, (_, i) => Math.fround(Math.sin(i) * 10 ** (i % 5)));
    const result = put(
      device,
      'float32',
      Array.from({ length: columns }, () => 0),
    );
    const kernel: ReduceKernel = {
      ...fold('sum', 'float32', 'strided'),
      outputs: [{ operand: 1, value: apply('add', accumulator('float32'), cast(axisIndex(0), 'float32')) }],
    };
    const dims = [columns, rows, 0, 1, columns, 0, 1];
    expect(cheaperOrder(kernel, Int32Array.from(dims))).toBe('rowsInner');
    verified(device, kernel, [put(device, 'float32', values), result], dims);
    const expected = Array.from({ length: columns }, (_, column) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += values[row * columns + column] ?? 0;
      return Math.fround(Math.fround(sum) + column);
    });
    expect(get(device, result, 'float32')).toEqual(expected);
  });
});

test('the order of loops follows the strides', () => {
  const kernel = fold('sum', 'float32', 'strided');
  const order = (...dims: number[]): string => cheaperOrder(kernel, Int32Array.from(dims));
  expect(order(100, 50, 0, 1, 100, 0, 1)).toBe('rowsInner');
  expect(order(100, 50, 0, 50, 1, 0, 1)).toBe('foldInner');
  expect(order(4, 50, 0, 1, 4, 0, 1)).toBe('foldInner');
});

describe.each(WAYS)('scatter, %s', (way) => {
  const device = deviceOf(way);

  function scatter(
    mode: ScatterKernel['mode'],
    dtype: DType,
    positions: readonly number[],
    values: readonly number[],
    target: readonly number[],
  ): number[] {
    const block = put(device, dtype, [99, ...target, 99]);
    const kernel: ScatterKernel = {
      kind: 'scatter',
      rank: 1,
      mode,
      target: 2,
      operands: [operand('int32'), operand(dtype), operand(dtype, 'readWrite', 'indexed')],
      scalars: [],
      position: load('int32', 0),
      value: load(dtype, 1),
      deterministic: true,
    };
    verified(device, kernel, [put(device, 'int32', positions), put(device, dtype, values), block], [positions.length, 0, 1, 0, 1, 1, target.length]);
    return get(device, block, dtype);
  }

  test('set: the last of duplicates stays; positions outside are skipped', () => {
    expect(scatter('set', 'float32', [1, 0, 1, 3, -1], [1, 2, 3, 4, 5], [0, 0, 0])).toEqual([99, 2, 3, 0, 99]);
  });

  test('add: every step rounds to the dtype, in source order', () => {
    expect(scatter('add', 'float32', [0, 0, 0], [1, 1, -16777216], [16777216])).toEqual([99, 0, 99]);
    expect(scatter('add', 'float32', [0, 0, 0], [-16777216, 1, 1], [16777216])).toEqual([99, 2, 99]);
    expect(scatter('add', 'int8', [0, 0], [100, 100], [0])).toEqual([99, -56, 99]);
    expect(scatter('add', 'float16', [0, 0], [1, 1], [2048])).toEqual([99, 2048, 99]);
  });

  test('max: NaN stays', () => {
    expect(scatter('max', 'float32', [0, 0, 1, 1], [3, 2, NaN, 5], [1, 1])).toEqual([99, 3, NaN, 99]);
    expect(scatter('max', 'uint32', [0], [2 ** 32 - 1], [1])).toEqual([99, 2 ** 32 - 1, 99]);
  });
});
