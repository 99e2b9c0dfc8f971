/** The verifier of runs: for each written rule, a launch that breaks it and nothing else. */

import { describe, expect, test } from 'vitest';
import type { Arg, Block } from './backend.ts';
import { KernelError } from './errors.ts';
import { accumulator, load, scalar } from './expression.ts';
import type { Kernel, Layout, MapKernel, Operand, ReduceKernel } from './kernel.ts';
import { verifyRun } from './verify.ts';

const block = (elements: number): Block => ({ byteLength: 4 * elements });
const operand = (layout: Layout, access: Operand['access'] = 'read', space: Operand['space'] = 'full'): Operand => ({
  dtype: 'float32',
  access,
  layout,
  space,
});

/** y = x over 2x3, x in the given layout. */
const copy = (layout: Layout, access: Operand['access'] = 'read'): MapKernel => ({
  kind: 'map',
  rank: 2,
  operands: [operand(layout, access), operand('contiguous', 'write')],
  scalars: [],
  outputs: [{ operand: 1, value: load('float32', 0) }],
});
const contiguous = copy('contiguous');
const strided = copy('strided');
const written: MapKernel = { ...copy('contiguous'), operands: [operand('contiguous'), operand('strided', 'write')] };
const withScalar: MapKernel = { ...contiguous, scalars: ['float32'], outputs: [{ operand: 1, value: scalar('float32', 0) }] };
const indexed: MapKernel = {
  ...contiguous,
  operands: [operand('indexed'), operand('contiguous', 'write')],
  outputs: [{ operand: 1, value: load('float32', 1) }],
};
const sum: ReduceKernel = {
  kind: 'reduce',
  rank: 2,
  folded: 1,
  folds: [{ fold: 'sum', value: load('float32', 0) }],
  operands: [operand('contiguous'), operand('contiguous', 'write', 'kept')],
  scalars: [],
  outputs: [{ operand: 1, value: accumulator('float32') }],
};

const [six, other] = [block(6), block(6)];
const ten = block(10);
const twelve = block(12);

/** Name, message (or null: it passes), kernel, arguments, dims. */
type Launch = readonly [name: string, message: string | null, kernel: Kernel, args: readonly Arg[], dims: readonly number[]];

const launches = (rows: readonly Launch[]): void => {
  test.each(rows)('%s', (_, message, kernel, args, dims) => {
    const verify = (): void => verifyRun(kernel, args, Int32Array.from(dims));
    if (message === null) return expect(verify).not.toThrow();
    expect(verify).toThrow(KernelError);
    expect(verify).toThrow(message);
  });
};

describe('arguments and dims', () =>
  launches([
    ['a plain copy', null, contiguous, [six, other], [2, 3, 0, 3, 1, 0, 3, 1]],
    ['too few arguments', '2 blocks and 0 scalars, got 1 arguments', contiguous, [six], [2, 3, 0, 3, 1, 0, 3, 1]],
    ['too many arguments', '2 blocks and 0 scalars, got 3 arguments', contiguous, [six, other, 1], [2, 3, 0, 3, 1, 0, 3, 1]],
    ['a number where a block belongs', 'a block for operand 0, got number', contiguous, [1, other], [2, 3, 0, 3, 1, 0, 3, 1]],
    ['a scalar', null, withScalar, [six, other, 0.5], [2, 3, 0, 3, 1, 0, 3, 1]],
    ['a block where a number belongs', 'a number for scalar 0, got object', withScalar, [six, other, ten], [2, 3, 0, 3, 1, 0, 3, 1]],
    ['dims too short', 'dims of length 8, got 7', contiguous, [six, other], [2, 3, 0, 3, 1, 0, 3]],
    ['dims too long', 'dims of length 8, got 9', contiguous, [six, other], [2, 3, 0, 3, 1, 0, 3, 1, 0]],
    ['a negative size', 'sizes of at least 0, got -1', contiguous, [six, other], [-1, 3, 0, 3, 1, 0, 3, 1]],
    ['anything goes in a custom kernel', null, { kind: 'custom', id: 'x', sources: {}, operands: [], scalars: [] }, [], [1, 2, 3]],
  ]));

describe('layouts', () =>
  launches([
    ['contiguous strides that are not', 'stride 3 along axis 0 of operand 0', contiguous, [six, other], [2, 3, 0, 1, 1, 0, 3, 1]],
    ['contiguous along axes of size 1, where strides do not matter', null, contiguous, [six, other], [1, 3, 0, 99, 1, 0, 7, 1]],
    ['broadcast strides', null, copy({ broadcast: [true, false] }), [six, other], [2, 3, 0, 0, 1, 0, 3, 1]],
    [
      'a broadcast axis with a stride',
      'stride 0 along axis 0 of operand 0',
      copy({ broadcast: [true, false] }),
      [six, other],
      [2, 3, 0, 3, 1, 0, 3, 1],
    ],
    [
      'an axis beside a broadcast one that is not dense',
      'stride 1 along axis 1 of operand 0',
      copy({ broadcast: [true, false] }),
      [six, other],
      [2, 3, 0, 0, 2, 0, 3, 1],
    ],
    ['any strides for a strided operand', null, strided, [six, other], [2, 3, 0, 1, 2, 0, 3, 1]],
    ['stride 0 when read', null, strided, [six, other], [2, 3, 0, 0, 1, 0, 3, 1]],
    ['negative strides', null, strided, [six, other], [2, 3, 5, -3, -1, 0, 3, 1]],
    ['a kept operand has strides for the kept axes', null, sum, [six, block(2)], [2, 3, 0, 3, 1, 0, 1]],
    ['and they are checked', 'stride 1 along axis 0 of operand 1', sum, [six, block(4)], [2, 3, 0, 3, 1, 0, 2]],
  ]));

describe('bounds', () =>
  launches([
    ['before the block', 'operand 0 within its block of 6 elements, got elements -1 to 5', strided, [six, other], [2, 3, 5, -4, -1, 0, 3, 1]],
    ['past the block', 'operand 1 within its block of 6 elements, got elements 1 to 6', contiguous, [ten, six], [2, 3, 0, 3, 1, 1, 3, 1]],
    ['an offset that fits', null, contiguous, [ten, six], [2, 3, 4, 3, 1, 0, 3, 1]],
    ['an empty index space touches nothing', null, contiguous, [block(0), block(0)], [0, 3, 99, 3, 1, 0, 3, 1]],
    ['an indexed operand past its block', 'operand 0 within its block of 6 elements', indexed, [six, other], [2, 3, 1, 6, 0, 3, 1]],
    ['an indexed operand of no elements', null, indexed, [block(0), other], [2, 3, 0, 0, 0, 3, 1]],
    ['an indexed operand of negative length', 'a length of at least 0 for operand 0, got -1', indexed, [six, other], [2, 3, 0, -1, 0, 3, 1]],
    [
      'a block that ends within an element',
      'operand 1 within its block of 5 elements',
      contiguous,
      [six, { byteLength: 23 }],
      [2, 3, 0, 3, 1, 0, 3, 1],
    ],
  ]));

describe('a written operand has distinct elements', () =>
  launches([
    ['transposed', null, written, [six, other], [2, 3, 0, 3, 1, 0, 1, 2]],
    ['every third', null, written, [six, block(20)], [2, 3, 0, 3, 1, 0, 9, 3]],
    ['backwards', null, written, [six, other], [2, 3, 0, 3, 1, 5, -3, -1]],
    ['strides that do not nest, yet never meet', null, written, [six, block(20)], [2, 3, 0, 3, 1, 0, 3, 2]],
    ['stride 0', 'distinct elements for distinct points of written operand 1', written, [six, other], [2, 3, 0, 3, 1, 0, 0, 1]],
    ['stride 0 along an axis of size 1', null, written, [six, other], [1, 3, 0, 3, 1, 0, 0, 1]],
    ['strides that meet', 'distinct elements for distinct points of written operand 1', written, [six, other], [2, 3, 0, 3, 1, 0, 2, 1]],
  ]));

describe('a written range overlaps no other', () =>
  launches([
    ['apart in one block', null, contiguous, [twelve, twelve], [2, 3, 0, 3, 1, 6, 3, 1]],
    ['read and written', 'operand 1, which is written, apart from operand 0', contiguous, [ten, ten], [2, 3, 0, 3, 1, 4, 3, 1]],
    [
      'read twice',
      null,
      { ...contiguous, operands: [operand('contiguous'), operand('contiguous')], outputs: [] },
      [six, six],
      [2, 3, 0, 3, 1, 0, 3, 1],
    ],
    [
      'a readWrite operand alone',
      null,
      { ...contiguous, operands: [operand('contiguous', 'readWrite')], outputs: [{ operand: 0, value: load('float32', 0) }] },
      [six],
      [2, 3, 0, 3, 1],
    ],
    [
      'a readWrite operand that another reads',
      'operand 0, which is written, apart from operand 1',
      { ...contiguous, operands: [operand('contiguous', 'readWrite'), operand('contiguous')] },
      [six, six],
      [2, 3, 0, 3, 1, 0, 3, 1],
    ],
  ]));
