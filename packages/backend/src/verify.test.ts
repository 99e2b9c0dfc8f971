/** The verifier: for each written rule, a kernel that breaks it and nothing else. What it is made from passes. */

import { describe, expect, test } from 'vitest';
import { KernelError } from './errors.ts';
import { accumulator, apply, axisIndex, cast, constant, gather, load, scalar } from './expression.ts';
import type { Expression } from './expression.ts';
import type { Kernel, MapKernel, Operand, ReduceKernel, ScatterKernel } from './kernel.ts';
import type { ContractKernel, ConvolutionKernel, PoolKernel, QuantizedContractKernel } from './optional.ts';
import { verifyKernel } from './verify.ts';

const operand = (more: Partial<Operand> = {}): Operand => ({ dtype: 'float32', access: 'read', layout: 'contiguous', space: 'full', ...more });
const x = load('float32', 0);

/** y = x, and x stays. Operands: x, y. */
const map: MapKernel = {
  kind: 'map',
  rank: 2,
  operands: [operand(), operand({ access: 'write' })],
  scalars: ['float32'],
  outputs: [{ operand: 1, value: x }],
};
/** The map with another value for y. */
const value = (e: Expression): MapKernel => ({ ...map, outputs: [{ operand: 1, value: e }] });
/** The map with a third operand, and a value for y. */
const with3 = (third: Partial<Operand>, e: Expression = x): MapKernel => ({ ...value(e), operands: [...map.operands, operand(third)] });

/** y = Σ x over the last of two axes, with a bias. Operands: x, bias, y. */
const reduce: ReduceKernel = {
  kind: 'reduce',
  rank: 2,
  folded: 1,
  folds: [{ fold: 'sum', value: x }],
  operands: [operand(), operand({ space: 'kept' }), operand({ space: 'kept', access: 'write' })],
  scalars: [],
  outputs: [{ operand: 2, value: apply('add', accumulator('float32'), load('float32', 1)) }],
};
const epilogue = (e: Expression): ReduceKernel => ({ ...reduce, outputs: [{ operand: 2, value: e }] });
const fold = (e: Expression): ReduceKernel => ({
  ...reduce,
  folds: [{ fold: 'sum', value: e }],
  outputs: [{ operand: 2, value: load('float32', 1) }],
});

/** target[i] += x. Operands: target, i, x. */
const scatter: ScatterKernel = {
  kind: 'scatter',
  rank: 1,
  mode: 'add',
  target: 0,
  operands: [operand({ access: 'readWrite', layout: 'indexed' }), operand({ dtype: 'int32' }), operand()],
  scalars: [],
  position: load('int32', 1),
  value: load('float32', 2),
  deterministic: true,
};

const kept = operand({ space: 'kept', access: 'write' });
const contract: ContractKernel = {
  kind: 'contract',
  rank: 3,
  accumulate: 'float32',
  operands: [operand({ layout: { broadcast: [false, true, false] } }), operand({ layout: 'strided' }), kept],
  scalars: [],
  outputs: [{ operand: 2, value: accumulator('float32') }],
};
const dense = operand({ layout: 'indexed' });
const window = { size: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
const convolution: ConvolutionKernel = {
  kind: 'convolution',
  pass: 'forward',
  window,
  groups: 1,
  accumulate: 'float32',
  operands: [dense, dense, kept],
  scalars: [],
  outputs: contract.outputs,
};
/** Values of int32 at the places of x's maxima. */
const pool: PoolKernel = {
  kind: 'pool',
  mode: 'max',
  pass: 'forward',
  window,
  countPadding: false,
  operands: [dense, operand({ layout: 'indexed', dtype: 'int32' }), operand({ space: 'kept', access: 'write', dtype: 'int32' })],
  scalars: [],
  outputs: [{ operand: 2, value: accumulator('int32') }],
};
const average: PoolKernel = { ...pool, mode: 'average', operands: [dense, kept], outputs: [{ operand: 1, value: accumulator('float32') }] };
const quantized: QuantizedContractKernel = {
  kind: 'quantizedContract',
  aBits: 8,
  bBits: 8,
  group: null,
  operands: [
    operand({ dtype: 'int8', layout: 'indexed' }),
    operand({ dtype: 'int8', layout: 'indexed' }),
    operand({ space: 'kept', access: 'write', dtype: 'int32' }),
  ],
  scalars: [],
  outputs: [{ operand: 2, value: accumulator('int32') }],
};

const GOOD: Readonly<Record<string, Kernel>> = {
  map,
  'map, rank 0': { ...map, rank: 0 },
  'map, rank 12': { ...map, rank: 12 },
  'map with a third operand': with3({ layout: 'indexed' }, gather('float32', 2, axisIndex(1))),
  'map in place': { ...map, operands: [operand({ access: 'readWrite' })], outputs: [{ operand: 0, value: x }] },
  reduce,
  'reduce of nothing': { ...reduce, folded: 0 },
  scatter,
  'scatter of bool': {
    ...scatter,
    mode: 'set',
    value: load('bool', 2),
    operands: [operand({ access: 'readWrite', layout: 'indexed', dtype: 'bool' }), operand({ dtype: 'int32' }), operand({ dtype: 'bool' })],
  },
  contract,
  convolution,
  pool,
  'average pool': average,
  quantizedContract: quantized,
  'quantizedContract in groups': {
    ...quantized,
    group: 32,
    operands: [...quantized.operands.slice(0, 2), dense, kept],
    outputs: [{ operand: 3, value: accumulator('float32') }],
  },
  scan: {
    kind: 'scan',
    fold: 'sum',
    exclusive: false,
    reverse: false,
    operands: [dense, operand({ layout: 'indexed', access: 'write' })],
    scalars: [],
  },
  custom: { kind: 'custom', id: 'x', sources: {}, operands: [], scalars: [] },
};

test.each(Object.entries(GOOD))('%s passes', (_, kernel) => {
  expect(() => verifyKernel(kernel)).not.toThrow();
});

/** Rule, what the message says, kernel. */
type Broken = readonly [rule: string, message: string, kernel: Kernel];

const rules = (rows: readonly Broken[]): void => {
  test.each(rows)('%s', (_, message, kernel) => {
    expect(() => verifyKernel(kernel)).toThrow(KernelError);
    expect(() => verifyKernel(kernel)).toThrow(message);
  });
};

describe('index spaces', () =>
  rules([
    ['at most 12 axes', 'a rank of 0 to 12, got 13', { ...map, rank: 13 }],
    ['no fewer than 0 axes', 'a rank of 0 to 12, got -1', { ...map, rank: -1 }],
    ['a whole number of axes', 'a rank of 0 to 12, got 1.5', { ...map, rank: 1.5 }],
    ['a reduce has at most 12 axes too', 'a rank of 0 to 12', { ...reduce, rank: 13 }],
    ['so has a scatter', 'a rank of 0 to 12', { ...scatter, rank: 13 }],
    ['no more axes folded than there are', '0 to 2 folded axes, got 3', { ...reduce, folded: 3 }],
    ['no fewer than 0 axes folded', '0 to 2 folded axes, got -1', { ...reduce, folded: -1 }],
  ]));

describe('operands', () =>
  rules([
    ['one broadcast flag an axis', '2 broadcast flags for operand 2, got 1', with3({ layout: { broadcast: [true] } })],
    [
      'a kept operand has flags for the kept axes',
      '1 broadcast flags for operand 1, got 2',
      { ...reduce, operands: [operand(), operand({ space: 'kept', layout: { broadcast: [true, false] } }), kept] },
    ],
    [
      'a written operand is not broadcast',
      'operand 1 written without broadcast',
      { ...map, operands: [operand(), operand({ access: 'write', layout: { broadcast: [true, false] } })] },
    ],
  ]));

describe('outputs', () =>
  rules([
    ['go to an operand that exists', 'an output among the operands, got number 2', { ...map, outputs: [...map.outputs, { operand: 2, value: x }] }],
    ['go to a writable operand', 'operand 0 writable, got read', { ...map, outputs: [...map.outputs, { operand: 0, value: x }] }],
    ['go to an operand with strides', 'operand 1 with strides', { ...map, operands: [operand(), operand({ access: 'write', layout: 'indexed' })] }],
    [
      'of a reduce go to the kept space',
      'over the kept space',
      { ...reduce, operands: [...reduce.operands.slice(0, 2), operand({ access: 'write' })] },
    ],
    ['write each operand once', 'each operand written once', { ...map, outputs: [...map.outputs, ...map.outputs] }],
    ['have the dtype of their operand', 'a value of dtype float32 for operand 1, got int32', value(axisIndex(0))],
    ['exist for every written operand', 'a value for written operand 2', with3({ access: 'write' })],
    ['exist for every operand written in place', 'a value for written operand 2', with3({ access: 'readWrite' })],
  ]));

describe('expressions', () =>
  rules([
    ['an integer constant is within its dtype', 'a constant within int8', value(cast({ op: 'constant', dtype: 'int8', value: 128 }, 'float32'))],
    ['an integer constant is whole', 'a constant within int32', value(cast({ op: 'constant', dtype: 'int32', value: 0.5 }, 'float32'))],
    ['a scalar exists', 'scalar 1 of dtype undefined', value(scalar('float32', 1))],
    ['a scalar has its dtype', 'scalar 0 of dtype float32, got int32', value(cast(scalar('int32', 0), 'float32'))],
    ['an axis exists', 'an axis below 2, got 2', value(cast(axisIndex(2), 'float32'))],
    ['an axis is not negative', 'an axis below 2, got -1', value(cast(axisIndex(-1), 'float32'))],
    ['a loaded operand exists', 'load of operand 7', value(load('float32', 7))],
    ['a load has the dtype of its operand', 'load of operand 0 with its dtype float32, got int8', value(cast(load('int8', 0), 'float32'))],
    ['a load does not read what is only written', 'operand 1 readable', value(load('float32', 1))],
    ['a load goes through strides', 'load of an operand that is not indexed', with3({ layout: 'indexed' }, load('float32', 2))],
    ['a gather goes by position', 'gather of an operand that is indexed', value(gather('float32', 0, axisIndex(0)))],
    [
      'a gather has the dtype of its operand',
      'gather of operand 2 with its dtype int8',
      with3({ layout: 'indexed', dtype: 'int8' }, gather('float32', 2, axisIndex(0))),
    ],
    [
      'a fill is within its dtype',
      'a fill within int8, got 300',
      with3({ layout: 'indexed', dtype: 'int8' }, cast({ op: 'gather', dtype: 'int8', operand: 2, position: axisIndex(0), fill: 300 }, 'float32')),
    ],
    ['a map has no accumulators', 'accumulator 0 of 0', value(accumulator('float32'))],
    ['where takes a bool', 'where(bool, T, T)', value({ op: 'where', dtype: 'float32', condition: x, then: x, otherwise: x })],
    [
      'where has the dtype of both sides',
      'where(bool, T, T)',
      value({ op: 'where', dtype: 'float32', condition: apply('less', x, x), then: x, otherwise: axisIndex(0) }),
    ],
    [
      'a bitcast is between 32-bit types',
      'a bitcast between 32-bit types, got float64 to float32',
      with3({ dtype: 'float64' }, { op: 'bitcast', dtype: 'float32', value: load('float64', 2) }),
    ],
    ['an opcode is known', 'a known opcode', value({ op: 'cube', dtype: 'float32', args: [x] } as unknown as Expression)],
    ['an opcode has its number of arguments', '2 argument(s) of add, got 1', value({ op: 'add', dtype: 'float32', args: [x] })],
    ['an opcode accepts its arguments', 'arguments that not accepts', value({ op: 'not', dtype: 'float32', args: [x] })],
    ['both arguments have one dtype', 'arguments that add accepts', value({ op: 'add', dtype: 'float32', args: [x, axisIndex(0)] })],
    [
      'a shift is of 32-bit words',
      'arguments that shiftLeft accepts',
      value(cast({ op: 'shiftLeft', dtype: 'int8', args: [constant('int8', 1), constant('int8', 1)] }, 'float32')),
    ],
    ['a comparison gives bool', 'the result dtype of less, got float32', value({ op: 'less', dtype: 'float32', args: [x, x] })],
    [
      'other opcodes give the dtype of their arguments',
      'the result dtype of add, got float32',
      value({ op: 'add', dtype: 'float32', args: [axisIndex(0), axisIndex(0)] }),
    ],
    ['a wrong part of a deep expression is found', 'an axis below 2', value(apply('exp', apply('negate', cast(axisIndex(5), 'float32'))))],
  ]));

describe('reduce', () =>
  rules([
    ['has at least one fold', 'at least one fold', { ...reduce, folds: [], outputs: [{ operand: 2, value: load('float32', 1) }] }],
    ['folds numbers', 'a number to fold, got bool', fold(apply('less', x, x))],
    ['folds over the full space', 'a load of the full space', fold(load('float32', 1))],
    ['folds see no accumulators', 'accumulator 0 of 0', fold(accumulator('float32'))],
    ['folds do not read what is only written', 'operand 2 readable', fold(load('float32', 2))],
    ['the epilogue loads the kept space', 'a load of the kept space', epilogue(x)],
    ['the epilogue sees kept axes alone', 'an axis below 1', epilogue(cast(axisIndex(1), 'float32'))],
    ['the epilogue sees the folds there are', 'accumulator 1 of 1', epilogue(accumulator('float32', 1))],
    ["an accumulator has its fold's dtype", 'accumulator 0 of 1, got int32', epilogue(cast(accumulator('int32'), 'float32'))],
  ]));

describe('scatter', () =>
  rules([
    ['the target exists', 'a target among the operands, got number 3', { ...scatter, target: 3 }],
    [
      'the target is indexed',
      'an indexed readWrite target',
      { ...scatter, operands: [operand({ access: 'readWrite' }), ...scatter.operands.slice(1)] },
    ],
    [
      'the target is readWrite',
      'an indexed readWrite target',
      { ...scatter, operands: [operand({ access: 'write', layout: 'indexed' }), ...scatter.operands.slice(1)] },
    ],
    ['the target is not read by expressions', 'operand 0 readable', { ...scatter, value: gather('float32', 0, load('int32', 1)) }],
    ['the position is an int32', 'an int32 position, got float32', { ...scatter, position: load('float32', 2) }],
    ["the value has the target's dtype", "a value of the target's dtype, float32, got int32", { ...scatter, value: load('int32', 1) }],
    ['bool is only set', "mode 'set' for bool", { ...(GOOD['scatter of bool'] as ScatterKernel), mode: 'max' }],
    [
      'nothing else is written',
      'no written operand beside the target',
      { ...scatter, operands: [...scatter.operands, operand({ access: 'write' })] },
    ],
    [
      'expressions load the full space',
      'a load of the full space',
      { ...scatter, operands: [...scatter.operands.slice(0, 2), operand({ space: 'kept' })] },
    ],
  ]));

describe('optional kernels', () =>
  rules([
    ['a contraction has m, n and k', 'at least the axes m, n, k', { ...contract, rank: 2, operands: [operand(), operand(), kept] }],
    ['a contraction reads operand 0', 'operand 0 read over the full space', { ...contract, operands: [kept, ...contract.operands.slice(1)] }],
    [
      'a contraction reads operand 1 over the full space',
      'operand 1 read over the full space',
      { ...contract, operands: [operand(), operand({ space: 'kept' }), kept] },
    ],
    ['a contraction reads through strides', 'operand 0 with strides', { ...contract, operands: [dense, ...contract.operands.slice(1)] }],
    ['its epilogue has one accumulator', 'accumulator 1 of 1', { ...contract, outputs: [{ operand: 2, value: accumulator('float32', 1) }] }],
    ['its accumulator has the stated dtype', 'accumulator 0 of 1, got float32', { ...contract, accumulate: 'float64' }],
    ['a window has 1 to 3 axes', '1 to 3 spatial axes, got 0', { ...convolution, window: { size: [], stride: [], dilation: [], padding: [] } }],
    ['a window is complete', '2 entries in dilation, got 1', { ...convolution, window: { ...window, dilation: [1] } }],
    ['a convolution reads dense operands', 'operand 1 dense', { ...convolution, operands: [dense, operand(), kept] }],
    ['a maximum needs values', 'operand 1 read over the full space', { ...pool, operands: [dense, kept], outputs: average.outputs }],
    [
      'a maximum has the dtype of the values',
      'accumulator 0 of 1, got float32',
      { ...pool, outputs: [{ operand: 2, value: cast(accumulator('float32'), 'int32') }] },
    ],
    [
      'an average has the dtype of x',
      'accumulator 0 of 1, got int32',
      { ...average, outputs: [{ operand: 1, value: cast(accumulator('int32'), 'float32') }] },
    ],
    [
      'a quantized product without groups is an int32',
      'accumulator 0 of 1, got float32',
      { ...quantized, outputs: [{ operand: 2, value: cast(accumulator('float32'), 'int32') }] },
    ],
  ]));

test('the message names the kind of kernel', () => {
  expect(() => verifyKernel({ ...map, rank: 13 })).toThrow('[map] expected a rank of 0 to 12, got 13.');
});
