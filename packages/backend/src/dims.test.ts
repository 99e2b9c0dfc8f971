/** Where things are in `dims`, for each kind of kernel. */

import { expect, test } from 'vitest';
import { axesOf, keptSizes, operandPositions, sizeCount } from './dims.ts';
import { load } from './expression.ts';
import { isRequired } from './kernel.ts';
import type { Kernel, Operand } from './kernel.ts';

const full: Operand = { dtype: 'float32', access: 'read', layout: 'contiguous', space: 'full' };
const kept: Operand = { ...full, space: 'kept' };
const dense: Operand = { ...full, layout: 'indexed' };
const window = { size: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
const none = { scalars: [], outputs: [] } as const;

const map: Kernel = { ...none, kind: 'map', rank: 3, operands: [full, dense, full] };
const reduce: Kernel = { ...none, kind: 'reduce', rank: 3, folded: 2, folds: [], operands: [full, kept] };
const scatter: Kernel = {
  kind: 'scatter',
  rank: 2,
  mode: 'set',
  target: 0,
  operands: [dense, full],
  scalars: [],
  position: load('int32', 1),
  value: load('float32', 1),
  deterministic: true,
};
const contract: Kernel = { ...none, kind: 'contract', rank: 4, accumulate: 'float32', operands: [full, full, kept] };
const convolution = (pass: 'forward' | 'inputGradient' | 'filterGradient'): Kernel => ({
  ...none,
  kind: 'convolution',
  pass,
  window,
  groups: 2,
  accumulate: 'float32',
  operands: [dense, dense, kept],
});
const pool = (pass: 'forward' | 'backward'): Kernel => ({
  ...none,
  kind: 'pool',
  mode: 'average',
  pass,
  window,
  countPadding: true,
  operands: [dense, kept],
});

test('sizes open dims', () => {
  expect([map, reduce, scatter, contract, convolution('forward'), pool('forward')].map(sizeCount)).toEqual([3, 3, 2, 4, 7, 6]);
  const rows: Kernel[] = [
    { kind: 'rowwise', function: 'softmax', pass: 'forward', operands: [], scalars: [] },
    { kind: 'scan', fold: 'sum', exclusive: false, reverse: false, operands: [], scalars: [] },
    { kind: 'sort', descending: false, operands: [], scalars: [] },
    { kind: 'argReduce', fold: 'max', operands: [], scalars: [] },
    { kind: 'fft', inverse: false, operands: [], scalars: [] },
  ];
  expect(rows.map(sizeCount)).toEqual([2, 2, 2, 2, 2]);
  expect(sizeCount({ kind: 'attention', pass: 'forward', headDim: 64, causal: true, mask: 'none', operands: [], scalars: [] })).toBe(5);
  expect(sizeCount({ kind: 'optimizerStep', algorithm: 'sgd', momentum: false, nesterov: false, operands: [], scalars: [] })).toBe(1);
  expect(sizeCount({ ...none, kind: 'quantizedContract', aBits: 8, bBits: 8, group: null, operands: [] })).toBe(3);
  expect(sizeCount({ kind: 'custom', id: '', sources: {}, operands: [], scalars: [] })).toBe(0);
});

test('operands follow: an offset, then strides or a length', () => {
  expect(operandPositions(map)).toEqual([3, 7, 9, 13]);
  expect(operandPositions(reduce)).toEqual([3, 7, 9]);
  expect(operandPositions(scatter)).toEqual([2, 4, 7]);
  expect(operandPositions(contract)).toEqual([4, 9, 14, 18]);
  expect(operandPositions(convolution('forward'))).toEqual([7, 9, 11, 16]);
  expect(operandPositions({ ...map, rank: 0 })).toEqual([0, 1, 3, 4]);
});

test('axes of each space', () => {
  expect([axesOf(map, 'full'), axesOf(reduce, 'full'), axesOf(reduce, 'kept'), axesOf(contract, 'full'), axesOf(contract, 'kept')]).toEqual([
    3, 3, 1, 4, 3,
  ]);
  expect([axesOf(convolution('forward'), 'kept'), axesOf(pool('forward'), 'kept')]).toEqual([4, 4]);
});

test('kept sizes are those of the result', () => {
  expect(keptSizes(map, Int32Array.of(2, 3, 4))).toEqual([2, 3, 4]);
  expect(keptSizes(reduce, Int32Array.of(2, 3, 4))).toEqual([2]);
  expect(keptSizes(scatter, Int32Array.of(5, 6))).toEqual([5, 6]);
  expect(keptSizes(contract, Int32Array.of(2, 3, 4, 5))).toEqual([2, 3, 4]);
  // N 1, C 4, O 6, input 8x9, output 6x7.
  const dims = Int32Array.of(1, 4, 6, 8, 9, 6, 7);
  expect(keptSizes(convolution('forward'), dims)).toEqual([1, 6, 6, 7]);
  expect(keptSizes(convolution('inputGradient'), dims)).toEqual([1, 4, 8, 9]);
  expect(keptSizes(convolution('filterGradient'), dims)).toEqual([6, 2, 3, 3]);
  // N 1, C 4, input 8x9, output 6x7.
  expect(keptSizes(pool('forward'), Int32Array.of(1, 4, 8, 9, 6, 7))).toEqual([1, 4, 6, 7]);
  expect(keptSizes(pool('backward'), Int32Array.of(1, 4, 8, 9, 6, 7))).toEqual([1, 4, 8, 9]);
});

test('three kernels are required', () => {
  expect([map, reduce, scatter, contract, pool('forward')].map(isRequired)).toEqual([true, true, true, false, false]);
});
