/** The oracle's kernels on examples small enough to check by hand. */

import { accumulator, apply, axisIndex, cast, constant, gather, load } from '@gradus/backend';
import type { ConvolutionKernel, DType, Kernel, Operand, PoolKernel } from '@gradus/backend';
import { expect, test } from 'vitest';
import { Folder, identity } from './fold.ts';
import { interpret } from './interpret.ts';
import type { Cells } from './launch.ts';

const cells = (...values: readonly number[]): Cells => ({ values: Float64Array.from(values), written: new Uint8Array(values.length) });
const operand = (dtype: DType, more: Partial<Operand> = {}): Operand => ({ dtype, access: 'read', layout: 'strided', space: 'full', ...more });

/** Runs a kernel and gives the last operand's elements. */
function run(kernel: Kernel, dims: readonly number[], ...memory: readonly Cells[]): number[] {
  interpret(kernel, memory, Int32Array.from(dims), []);
  return [...(memory.at(-1)?.values ?? [])];
}

test('map: a transposed operand plus its coordinates, into every other element', () => {
  const value = apply('add', load('int32', 0), apply('multiply', axisIndex(0), constant('int32', 100)));
  const kernel: Kernel = {
    kind: 'map',
    rank: 2,
    scalars: [],
    operands: [operand('int32'), operand('int32', { access: 'write' })],
    outputs: [{ operand: 1, value }],
  };
  // x = [[1, 4], [2, 5], [3, 6]] stored by columns.
  expect(run(kernel, [3, 2, 0, 1, 3, 1, 4, 2], cells(1, 2, 3, 4, 5, 6), cells(...Array.from({ length: 13 }, () => -1)))).toEqual([
    -1, 1, -1, 4, -1, 102, -1, 105, -1, 203, -1, 206, -1,
  ]);
});

test('map: a gather outside its length gives the fill', () => {
  const value = gather('int32', 0, apply('subtract', axisIndex(0), constant('int32', 1)), 9);
  const kernel: Kernel = {
    kind: 'map',
    rank: 1,
    scalars: [],
    operands: [operand('int32', { layout: 'indexed' }), operand('int32', { access: 'write' })],
    outputs: [{ operand: 1, value }],
  };
  expect(run(kernel, [4, 1, 2, 0, 1], cells(50, 60, 70, 80), cells(0, 0, 0, 0))).toEqual([9, 60, 70, 9]);
});

test('reduce: rows, with an epilogue', () => {
  const kernel: Kernel = {
    kind: 'reduce',
    rank: 2,
    folded: 1,
    folds: [
      { fold: 'sum', value: load('float32', 0) },
      { fold: 'max', value: load('float32', 0) },
    ],
    scalars: [],
    operands: [operand('float32'), operand('float32', { access: 'write', space: 'kept' })],
    outputs: [{ operand: 1, value: apply('subtract', accumulator('float32', 0), accumulator('float32', 1)) }],
  };
  expect(run(kernel, [2, 3, 0, 3, 1, 0, 1], cells(1, 5, 2, -4, -6, -5), cells(0, 0))).toEqual([3, -11]);
});

test('scatter: duplicates in source order, outside is skipped', () => {
  const kernel: Kernel = {
    kind: 'scatter',
    rank: 1,
    mode: 'set',
    target: 2,
    scalars: [],
    operands: [operand('int32'), operand('int32'), operand('int32', { access: 'readWrite', layout: 'indexed' })],
    position: load('int32', 0),
    value: load('int32', 1),
    deterministic: true,
  };
  expect(run(kernel, [4, 0, 1, 0, 1, 1, 2], cells(1, 1, -1, 2), cells(10, 20, 30, 40), cells(0, 0, 0))).toEqual([0, 0, 20]);
});

test('contract: two by two', () => {
  const kernel: Kernel = {
    kind: 'contract',
    rank: 3,
    accumulate: 'int32',
    scalars: [],
    operands: [operand('int8'), operand('int8'), operand('int32', { access: 'write', space: 'kept' })],
    outputs: [{ operand: 2, value: accumulator('int32') }],
  };
  // [[1, 2], [3, 4]] · [[5, 6], [7, 8]]
  expect(run(kernel, [2, 2, 2, 0, 2, 0, 1, 0, 0, 1, 2, 0, 2, 1], cells(1, 2, 3, 4), cells(5, 6, 7, 8), cells(0, 0, 0, 0))).toEqual([19, 22, 43, 50]);
});

const dense = operand('float32', { layout: 'indexed' });
const result = operand('float32', { access: 'write', space: 'kept' });
const outputs = [{ operand: 2, value: accumulator('float32') }];

/** x [1, 1, 3], filter [1, 1, 2], y [1, 1, 2], y = [x0·f0 + x1·f1, x1·f0 + x2·f1]. */
function convolution(pass: ConvolutionKernel['pass'], first: Cells, second: Cells, into: number): number[] {
  const kernel: Kernel = {
    kind: 'convolution',
    pass,
    window: { size: [2], stride: [1], dilation: [1], padding: [0] },
    groups: 1,
    accumulate: 'float32',
    scalars: [],
    operands: [dense, dense, result],
    outputs,
  };
  const dims = [1, 1, 1, 3, 2, 0, first.values.length, 0, second.values.length, 0, into, into, 1];
  return run(kernel, dims, first, second, cells(...Array.from({ length: into }, () => 0)));
}

test('convolution: forward is a cross-correlation, and the passes are its gradients', () => {
  expect(convolution('forward', cells(1, 2, 3), cells(10, 1), 2)).toEqual([12, 23]);
  expect(convolution('inputGradient', cells(1, 100), cells(10, 1), 3)).toEqual([10, 1001, 100]);
  expect(convolution('filterGradient', cells(1, 2, 3), cells(1, 100), 2)).toEqual([201, 302]);
});

function pool(mode: PoolKernel['mode'], pass: PoolKernel['pass'], inputs: readonly Cells[], into: number): number[] {
  const kernel: Kernel = {
    kind: 'pool',
    mode,
    pass,
    window: { size: [2], stride: [2], dilation: [1], padding: [1] },
    countPadding: false,
    scalars: [],
    operands: [...inputs.map(() => dense), result],
    outputs: [{ operand: inputs.length, value: accumulator('float32') }],
  };
  // x [1, 1, 3] padded to [_, x0, x1, x2]: windows (x0) and (x1, x2).
  const dims = [1, 1, 3, 2, ...inputs.flatMap((input) => [0, input.values.length]), 0, into, into, 1];
  return run(kernel, dims, ...inputs, cells(...Array.from({ length: into }, () => 0)));
}

test('pool: maxima select values, averages divide by the cells inside', () => {
  expect(pool('max', 'forward', [cells(-5, 7, 7), cells(1, 2, 3)], 2)).toEqual([1, 2]);
  expect(pool('max', 'forward', [cells(-5, 7, NaN), cells(1, 2, 3)], 2)).toEqual([1, 3]);
  expect(pool('max', 'backward', [cells(-5, 7, 8), cells(10, 20)], 3)).toEqual([10, 0, 20]);
  expect(pool('average', 'forward', [cells(-5, 7, 8)], 2)).toEqual([-5, 7.5]);
  expect(pool('average', 'backward', [cells(10, 20)], 3)).toEqual([10, 10, 10]);
});

test('a kernel that the oracle does not know is an error of the kit', () => {
  const kernel: Kernel = { kind: 'custom', id: 'x', sources: {}, operands: [], scalars: [] };
  expect(() => run(kernel, [])).toThrow('internal: the oracle does not know custom');
});

test('float sums are exact where float64 alone is not', () => {
  const folder = new Folder('sum', 'float64');
  for (const x of [1, 1e100, 1, -1e100]) folder.add(x);
  expect(folder.result).toBe(2);
});

test('sums of integers wrap, folds of nothing are identities, Inf and NaN pass through', () => {
  const folded = (fold: 'sum' | 'prod' | 'max', dtype: DType, ...values: readonly number[]): number => {
    const folder = new Folder(fold, dtype);
    for (const x of values) folder.add(x);
    return folder.result;
  };
  expect([folded('sum', 'int8', 100, 100), folded('prod', 'uint32', 65537, 65537), folded('max', 'float32'), folded('max', 'float32', -0)]).toEqual([
    -56,
    131073,
    -Infinity,
    -0,
  ]);
  expect([folded('sum', 'float32', Infinity, 1), folded('sum', 'float32', Infinity, -Infinity), folded('max', 'float32', NaN, 3)]).toEqual([
    Infinity,
    NaN,
    NaN,
  ]);
  expect([identity('min', 'uint8'), identity('max', 'int8'), identity('min', 'float16'), identity('prod', 'int32')]).toEqual([
    255,
    -128,
    Infinity,
    1,
  ]);
});

test('a cast in an expression is the table’s', () => {
  const kernel: Kernel = {
    kind: 'map',
    rank: 1,
    scalars: [],
    operands: [operand('float32'), operand('int8', { access: 'write' })],
    outputs: [{ operand: 1, value: cast(load('float32', 0), 'int8') }],
  };
  expect(run(kernel, [3, 0, 1, 0, 1], cells(1e9, -1.5, NaN), cells(0, 0, 0))).toEqual([127, -1, 0]);
});
