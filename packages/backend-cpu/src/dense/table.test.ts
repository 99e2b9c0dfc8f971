/** Which fast paths over dense operands are claimed: all that the contract describes, over all dtypes that it allows, and nothing else. */

import { ALL_DTYPES, accumulator, isFloat, wideFloat } from '@gradus/backend';
import type { DType, Kernel, Operand } from '@gradus/backend';
import { expect, test } from 'vitest';

import { dense, operand } from '../../test/support.ts';
import { cpu } from '../index.ts';

const scalars = (count: number, dtype: DType): DType[] => Array.from({ length: count }, () => dtype);
const same = (dtype: DType, ...access: readonly Operand['access'][]): Operand[] => access.map((one) => dense(dtype, one));

/** A kernel of each kind over one dtype. */
const KERNELS: Readonly<Record<string, (dtype: DType) => Kernel>> = {
  softmax: (dtype) => ({ kind: 'rowwise', function: 'softmax', pass: 'backward', operands: same(dtype, 'read', 'read', 'write'), scalars: [] }),
  attention: (dtype) => ({
    kind: 'attention',
    pass: 'forward',
    headDim: 4,
    causal: true,
    mask: 'none',
    operands: [...same(dtype, 'read', 'read', 'read', 'write'), dense(wideFloat(dtype), 'write')],
    scalars: [wideFloat(dtype)],
  }),
  sgd: (dtype) => ({
    kind: 'optimizerStep',
    algorithm: 'sgd',
    momentum: false,
    nesterov: false,
    operands: same(dtype, 'readWrite', 'read'),
    scalars: scalars(2, dtype),
  }),
  quantizedContract: (dtype) => ({
    kind: 'quantizedContract',
    aBits: 8,
    bBits: 8,
    group: null,
    operands: [dense(dtype), dense('int8'), operand('int32', 'write', 'contiguous', 'kept')],
    scalars: [],
    outputs: [{ operand: 2, value: accumulator('int32') }],
  }),
  scan: (dtype) => ({ kind: 'scan', fold: 'sum', exclusive: false, reverse: false, operands: same(dtype, 'read', 'write'), scalars: [] }),
  sort: (dtype) => ({ kind: 'sort', descending: false, operands: [...same(dtype, 'read', 'write'), dense('int32', 'write')], scalars: [] }),
  argReduce: (dtype) => ({ kind: 'argReduce', fold: 'max', operands: [dense(dtype), dense('int32', 'write')], scalars: [] }),
};

const FLOATS = ALL_DTYPES.filter(isFloat);
const CLAIMED: Readonly<Record<string, readonly DType[]>> = {
  softmax: FLOATS,
  attention: FLOATS,
  sgd: ['float64', 'float32'],
  quantizedContract: ['int8', 'uint8'],
  scan: ALL_DTYPES.filter((dtype) => dtype !== 'bool'),
  sort: ALL_DTYPES,
  argReduce: ALL_DTYPES,
};

test.each(Object.keys(KERNELS))('%s', (name) => {
  const device = cpu();
  const claimed = ALL_DTYPES.filter((dtype) => {
    const kernel = KERNELS[name]?.(dtype);
    if (kernel === undefined || !device.supports(kernel)) return false;
    // What is claimed can be prepared.
    expect(device.prepare(kernel).kernel).toEqual(kernel);
    return true;
  });
  expect(claimed).toEqual(CLAIMED[name]);
});

test('what has too few operands, and kinds that are not there', () => {
  const device = cpu();
  expect(device.supports({ kind: 'sort', descending: false, operands: [dense('float32')], scalars: [] })).toBe(false);
  expect(device.supports({ kind: 'fft', inverse: false, operands: same('float32', 'read', 'write'), scalars: [] })).toBe(false);
  expect(device.supports({ kind: 'custom', id: 'x', sources: {}, operands: [], scalars: [] })).toBe(false);
});
