/** The verifier of kernels with dense operands: one good kernel a kind, then for each written rule one that breaks it and nothing else. */

import { describe, expect, test } from 'vitest';
import type { AttentionKernel } from './attention.ts';
import type { Arg, Block } from './backend.ts';
import type { DType } from './dtype.ts';
import { KernelError } from './errors.ts';
import { accumulator } from './expression.ts';
import type { Kernel, Operand } from './kernel.ts';
import type { ConvolutionKernel, PoolKernel, QuantizedContractKernel } from './optional.ts';
import type { OptimizerStepKernel } from './optimizer-step.ts';
import type { ArgReduceKernel, RowwiseKernel, ScanKernel, SortKernel } from './rows.ts';
import { verifyKernel, verifyRun } from './verify.ts';

const dense = (dtype: DType, access: Operand['access'] = 'read'): Operand => ({ dtype, access, layout: 'indexed', space: 'full' });
const kept = (dtype: DType): Operand => ({ dtype, access: 'write', layout: 'contiguous', space: 'kept' });
const [r, w, rw] = [dense('float32'), dense('float32', 'write'), dense('float32', 'readWrite')];

const rowwise = (name: RowwiseKernel['function'], pass: RowwiseKernel['pass'], operands: readonly Operand[], eps?: DType): RowwiseKernel => ({
  kind: 'rowwise',
  function: name,
  pass,
  operands,
  scalars: eps === undefined ? [] : [eps],
});
const softmax = rowwise('softmax', 'forward', [r, w]);
const layerNorm = rowwise('layerNorm', 'forward', [r, r, r, w], 'float32');
const attention: AttentionKernel = {
  kind: 'attention',
  pass: 'forward',
  headDim: 4,
  causal: false,
  mask: 'none',
  operands: [r, r, r, w, w],
  scalars: ['float32'],
};
const masked: AttentionKernel = { ...attention, mask: 'bool', operands: [r, r, r, dense('bool'), w, w] };
const gradient: AttentionKernel = { ...attention, pass: 'backward', operands: [r, r, r, r, r, r, w, w, w] };
const sgd: OptimizerStepKernel = {
  kind: 'optimizerStep',
  algorithm: 'sgd',
  momentum: false,
  nesterov: false,
  operands: [rw, r],
  scalars: ['float32', 'float32'],
};
const momentum: OptimizerStepKernel = { ...sgd, momentum: true, operands: [rw, r, rw], scalars: [...sgd.scalars, ...sgd.scalars] };
const adam: OptimizerStepKernel = { ...sgd, algorithm: 'adam', operands: [rw, r, rw, rw], scalars: Array.from({ length: 8 }, () => 'float32') };
const quantized: QuantizedContractKernel = {
  kind: 'quantizedContract',
  aBits: 8,
  bBits: 8,
  group: null,
  operands: [dense('uint8'), dense('int8'), kept('int32')],
  scalars: [],
  outputs: [{ operand: 2, value: accumulator('int32') }],
};
const grouped: QuantizedContractKernel = {
  ...quantized,
  bBits: 4,
  group: 32,
  operands: [dense('int8'), dense('uint8'), r, kept('float32')],
  outputs: [{ operand: 3, value: accumulator('float32') }],
};
const scan: ScanKernel = { kind: 'scan', fold: 'sum', exclusive: false, reverse: false, operands: [r, w], scalars: [] };
const sort: SortKernel = { kind: 'sort', descending: false, operands: [r, w, dense('int32', 'write')], scalars: [] };
const argReduce: ArgReduceKernel = { kind: 'argReduce', fold: 'max', operands: [dense('bool'), dense('int32', 'write')], scalars: [] };
const half = dense('float16');

const GOOD: Readonly<Record<string, Kernel>> = {
  softmax,
  'softmax backward': rowwise('softmax', 'backward', [r, r, w]),
  'logSoftmax of float16': rowwise('logSoftmax', 'forward', [half, dense('float16', 'write')]),
  'logSumExp backward': rowwise('logSumExp', 'backward', [r, r, r, w]),
  layerNorm,
  'layerNorm of float64': rowwise(
    'layerNorm',
    'forward',
    [0, 1, 2, 3].map((i) => dense('float64', i === 3 ? 'write' : 'read')),
    'float64',
  ),
  'rmsNorm of float16, with a float32 eps': rowwise('rmsNorm', 'forward', [half, half, dense('float16', 'write')], 'float32'),
  'rmsNorm backward': rowwise('rmsNorm', 'backward', [r, r, r, w], 'float32'),
  attention,
  'masked attention': masked,
  'attention with something added': { ...masked, mask: 'additive', operands: [r, r, r, r, w, w] },
  'attention of float16 keeps its log-sum-exp in float32': { ...attention, operands: [half, half, half, dense('float16', 'write'), w] },
  'attention backward': gradient,
  sgd,
  momentum,
  nesterov: { ...momentum, nesterov: true },
  adam,
  adamw: { ...adam, algorithm: 'adamw' },
  quantized,
  grouped,
  scan,
  'scan of uint8': { ...scan, operands: [dense('uint8'), dense('uint8', 'write')] },
  sort,
  argReduce,
};

test.each(Object.entries(GOOD))('%s passes', (_, kernel) => {
  expect(() => verifyKernel(kernel)).not.toThrow();
});

/** Rule, what the message says, kernel. */
type Broken = readonly [rule: string, message: string, kernel: Kernel];

describe('kernels', () => {
  test.each<Broken>([
    ['all operands are there', 'operand 1 (result), got 1 operands', { ...softmax, operands: [r] }],
    ['and no others', 'expected 2 operands, got 3', { ...softmax, operands: [r, w, r] }],
    [
      'operands are dense',
      'operand 0 (x) dense (indexed, full), got "contiguous", full',
      { ...softmax, operands: [{ ...r, layout: 'contiguous' }, w] },
    ],
    ['operands have the full space', 'operand 1 (result) dense (indexed, full)', { ...softmax, operands: [r, { ...w, space: 'kept' }] }],
    ['x is read', 'operand 0 (x) read, got readWrite', { ...softmax, operands: [rw, w] }],
    ['the result is written', 'operand 1 (result) write, got read', { ...softmax, operands: [r, r] }],
    ['rows are normalised as floats', 'for operand 0 (x), got int32', { ...softmax, operands: [dense('int32'), dense('int32', 'write')] }],
    ['in one dtype', 'expected float32 for operand 1 (weight), got float16', { ...layerNorm, operands: [r, half, r, w] }],
    ['a norm has an eps', 'the scalars eps float32, got none', { ...layerNorm, scalars: [] }],
    ['which is not a 16-bit float', 'the scalars eps float32, got float16', { ...layerNorm, scalars: ['float16'] }],
    ['a softmax has none', 'the scalars (none), got float32', { ...softmax, scalars: ['float32'] }],
    ['heads have dimensions', 'a headDim of at least 1, got 0', { ...attention, headDim: 0 }],
    ['attention has a scale', 'the scalars scale float32, got none', { ...attention, scalars: [] }],
    ['a mask is an operand', 'operand 3 (mask) read, got write', { ...masked, operands: attention.operands }],
    ['a mask of bool', 'expected bool for operand 3 (mask), got float32', { ...masked, operands: [r, r, r, r, w, w] }],
    ['what is added has the dtype of q', 'expected float32 for operand 3 (mask), got bool', { ...masked, mask: 'additive' }],
    ['no mask, no operand', 'operand 3 (y) write, got read', { ...masked, mask: 'none' }],
    [
      'the log-sum-exp is not a 16-bit float',
      'expected float32 for operand 4 (lse)',
      { ...attention, operands: [half, half, half, dense('float16', 'write'), dense('float16', 'write')] },
    ],
    ['parameters are read and written', 'operand 0 (parameters) readWrite, got write', { ...sgd, operands: [w, r] }],
    ['so is the state', 'operand 3 (second moment) readWrite, got write', { ...adam, operands: [rw, r, rw, w] }],
    ['a step is not in 16-bit floats', 'expected float64, float32 for operand 0', { ...sgd, operands: [dense('float16', 'readWrite'), half] }],
    ['scalars have the dtype of the parameters', 'lr float32, weightDecay float32', { ...sgd, scalars: ['float64', 'float64'] }],
    ['momentum takes more scalars', 'momentum float32, share float32, got float32, float32', { ...momentum, scalars: sgd.scalars }],
    ['nesterov needs momentum', 'nesterov only with momentum', { ...sgd, nesterov: true }],
    ['momentum is for sgd', 'no momentum option for adam', { ...adam, momentum: true }],
    ['a has 8 or 7 bits', 'aBits of 8 or 7, got 4', { ...quantized, aBits: 4 as 7 }],
    ['b has 8 or 4 bits', 'bBits of 8 or 4, got 7', { ...quantized, bBits: 7 as 8 }],
    ['a group has members', 'a group of at least 1, or null, got 0', { ...grouped, group: 0 }],
    ['a group of 4-bit values ends with a byte', 'an even group of 4-bit values, got 5', { ...grouped, group: 5 }],
    ['a is 8 bits wide', 'int8, uint8 for operand 0 (a), got int32', { ...quantized, operands: [dense('int32'), ...quantized.operands.slice(1)] }],
    ['b is signed', 'int8 for operand 1 (b), got uint8', { ...quantized, operands: [dense('int8'), dense('uint8'), kept('int32')] }],
    ['packed values are bytes', 'uint8 for operand 1 (b), got int8', { ...grouped, operands: [dense('int8'), dense('int8'), r, kept('float32')] }],
    [
      'groups have scales',
      'operand 2 (scales) dense',
      {
        ...grouped,
        operands: [dense('int8'), dense('uint8'), kept('float32')],
        outputs: [{ operand: 2, value: accumulator('float32') }],
      },
    ],
    ['bool is not folded', 'for operand 0 (x), got bool', { ...scan, operands: [dense('bool'), dense('bool', 'write')] }],
    ['a scan keeps the dtype', 'float32 for operand 1 (result), got float64', { ...scan, operands: [r, dense('float64', 'write')] }],
    ['places are int32', 'int32 for operand 2 (places), got float32', { ...sort, operands: [r, w, w] }],
    ['so are those of extremes', 'int32 for operand 1 (places), got float32', { ...argReduce, operands: [r, w] }],
  ])('%s', (_, message, kernel) => {
    expect(() => verifyKernel(kernel)).toThrow(KernelError);
    expect(() => verifyKernel(kernel)).toThrow(message);
  });
});

const window = { size: [3], stride: [2], dilation: [1], padding: [1] };
const convolution = (pass: ConvolutionKernel['pass']): ConvolutionKernel => ({
  kind: 'convolution',
  pass,
  window,
  groups: 2,
  accumulate: 'float32',
  operands: [r, r, kept('float32')],
  scalars: [],
  outputs: [{ operand: 2, value: accumulator('float32') }],
});
const pool = (pass: PoolKernel['pass'], mode: PoolKernel['mode'] = 'max'): PoolKernel => ({
  kind: 'pool',
  mode,
  pass,
  window,
  countPadding: false,
  operands: mode === 'max' ? [r, r, kept('float32')] : [r, kept('float32')],
  scalars: [],
  outputs: [{ operand: mode === 'max' ? 2 : 1, value: accumulator('float32') }],
});

/** Sizes of a kernel, and the lengths of its dense operands at them; whatever follows stands as it is. */
type Sized = readonly [name: string, kernel: Kernel, sizes: readonly number[], lengths: readonly number[], rest?: readonly number[]];

// Convolution: N 2, C 4, O 6, input 5, output 3. Pool: N 2, C 4, input 5, output 3. Attention: B 2, heads 6, keyHeads 3, T 5, S 7, headDim 4.
const SIZED: readonly Sized[] = [
  ['convolution', convolution('forward'), [2, 4, 6, 5, 3], [40, 36], [0, 18, 3, 1]],
  ['convolution, gradient of its input', convolution('inputGradient'), [2, 4, 6, 5, 3], [36, 36], [0, 20, 5, 1]],
  ['convolution, gradient of its filter', convolution('filterGradient'), [2, 4, 6, 5, 3], [40, 36], [0, 6, 3, 1]],
  ['maximum of windows', pool('forward'), [2, 4, 5, 3], [40, 40], [0, 12, 3, 1]],
  ['gradient of maxima', pool('backward'), [2, 4, 5, 3], [40, 24], [0, 20, 5, 1]],
  ['average of windows', pool('forward', 'average'), [2, 4, 5, 3], [40], [0, 12, 3, 1]],
  ['gradient of averages', pool('backward', 'average'), [2, 4, 5, 3], [24], [0, 20, 5, 1]],
  ['softmax', softmax, [3, 5], [15, 15]],
  ['softmax of no rows', softmax, [0, 5], [0, 0]],
  ['softmax backward', rowwise('softmax', 'backward', [r, r, w]), [3, 5], [15, 15, 15]],
  ['logSumExp', rowwise('logSumExp', 'forward', [r, w]), [3, 5], [15, 3]],
  ['logSumExp of no columns', rowwise('logSumExp', 'forward', [r, w]), [3, 0], [0, 3]],
  ['logSumExp backward', rowwise('logSumExp', 'backward', [r, r, r, w]), [3, 5], [15, 3, 3, 15]],
  ['layerNorm', layerNorm, [3, 5], [15, 5, 5, 15]],
  ['rmsNorm', rowwise('rmsNorm', 'forward', [r, r, w], 'float32'), [3, 5], [15, 5, 15]],
  ['rmsNorm backward', rowwise('rmsNorm', 'backward', [r, r, r, w], 'float32'), [3, 5], [15, 5, 15, 15]],
  ['attention', attention, [2, 6, 3, 5, 7], [240, 168, 168, 240, 60]],
  ['masked attention', masked, [2, 6, 3, 5, 7], [240, 168, 168, 70, 240, 60]],
  ['attention backward', gradient, [2, 6, 3, 5, 7], [240, 168, 168, 240, 60, 240, 240, 168, 168]],
  ['attention without heads', attention, [2, 0, 0, 5, 7], [0, 0, 0, 0, 0]],
  ['momentum', momentum, [9], [9, 9, 9]],
  ['adam', adam, [9], [9, 9, 9, 9]],
  ['quantized product', quantized, [3, 5, 7], [21, 35], [0, 5, 1]],
  ['quantized product of 4 bits in groups', grouped, [3, 5, 65], [195, 165, 15], [0, 5, 1]],
  ['scan', scan, [3, 5], [15, 15]],
  ['sort', sort, [3, 5], [15, 15, 15]],
  ['argReduce', argReduce, [3, 5], [15, 3]],
];

const ROOM: Block = { byteLength: 4096 };

function run(kernel: Kernel, sizes: readonly number[], lengths: readonly number[], rest: readonly number[] = []): void {
  const args: Arg[] = [...kernel.operands.map(() => ({ ...ROOM })), ...kernel.scalars.map(() => 1)];
  verifyRun(kernel, args, Int32Array.of(...sizes, ...lengths.flatMap((length) => [0, length]), ...rest));
}

describe('runs', () => {
  for (const [name, kernel, sizes, lengths, rest] of SIZED) {
    test(`${name}: lengths are those of the sizes`, () => {
      expect(() => run(kernel, sizes, lengths, rest)).not.toThrow();
      lengths.forEach((length, i) => {
        for (const wrong of [length + 1, length - 1].filter((n) => n >= 0))
          expect(() => run(kernel, sizes, lengths.with(i, wrong), rest)).toThrow(
            new RegExp(`a length of ${length} .* for operand ${i} .*got ${wrong}`),
          );
      });
    });
  }

  test('heads are a multiple of the key heads', () => {
    expect(() => run(attention, [2, 5, 3, 5, 7], [200, 168, 168, 200, 50])).toThrow('heads a multiple of keyHeads, got 5 and 3');
    expect(() => run(attention, [2, 5, 0, 5, 7], [200, 0, 0, 200, 50])).toThrow('heads a multiple of keyHeads, got 5 and 0');
  });

  test('an extreme is chosen among something, unless there are no rows', () => {
    expect(() => run(argReduce, [3, 0], [0, 3])).toThrow('at least one column to choose from, got none');
    expect(() => run(argReduce, [0, 0], [0, 0])).not.toThrow();
  });

  test('arguments are counted', () => {
    expect(() => verifyRun(layerNorm, [ROOM, ROOM, ROOM, ROOM], Int32Array.of(1, 1, 0, 1, 0, 1, 0, 1, 0, 1))).toThrow('4 blocks and 1 scalars');
    expect(() => verifyRun(softmax, [ROOM, { ...ROOM }], Int32Array.of(1, 1, 0, 1, 0))).toThrow('dims of length 6, got 5');
  });

  test('what is written is apart from what is read', () => {
    expect(() => verifyRun(softmax, [ROOM, ROOM], Int32Array.of(1, 4, 0, 4, 2, 4))).toThrow('operand 1, which is written, apart from operand 0');
  });
});
