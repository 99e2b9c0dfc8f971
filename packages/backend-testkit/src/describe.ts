/** A backend in a few lines of text: its capabilities, and which optional kernels it claims for which dtypes. */

import { ALL_DTYPES, accumulator, wideFloat } from '@gradus/backend';
import type { Backend, DType, Kernel, Operand, OptionalKernel, Window } from '@gradus/backend';

const square = (of: number): readonly number[] => [of, of];
const WINDOW: Window = { size: square(3), stride: square(1), dilation: square(1), padding: square(1) };

/** A plain kernel of each optional kind over one dtype: what `supports` is asked about. */
type Sample = (dtype: DType) => OptionalKernel;

function dense(dtype: DType, access: Operand['access'] = 'read'): Operand {
  return { dtype, access, layout: 'indexed', space: 'full' };
}

function result(dtype: DType): Operand {
  return { dtype, access: 'write', layout: 'contiguous', space: 'kept' };
}

/** Sums of 16-bit floats and of small integers are kept wider. */
function wide(dtype: DType): DType {
  if (dtype === 'float16' || dtype === 'bfloat16') return 'float32';
  return dtype === 'int8' || dtype === 'uint8' ? 'int32' : dtype;
}

const none = { scalars: [] as readonly DType[] };

function contract(dtype: DType): Kernel & { kind: 'contract' } {
  const read = (broadcast: readonly boolean[]): Operand => ({ dtype, access: 'read', layout: { broadcast }, space: 'full' });
  const to = wide(dtype);
  return {
    ...none,
    kind: 'contract',
    rank: 3,
    accumulate: to,
    operands: [read([false, true, false]), { dtype, access: 'read', layout: 'strided', space: 'full' }, result(to)],
    outputs: [{ operand: 2, value: accumulator(to) }],
  };
}

function convolution(pass: 'forward' | 'inputGradient' | 'filterGradient'): Sample {
  return (dtype) => {
    const to = wide(dtype);
    return {
      ...none,
      kind: 'convolution',
      pass,
      window: WINDOW,
      groups: 1,
      accumulate: to,
      operands: [dense(dtype), dense(dtype), result(to)],
      outputs: [{ operand: 2, value: accumulator(to) }],
    };
  };
}

function pool(mode: 'max' | 'average', pass: 'forward' | 'backward'): Sample {
  return (dtype) => {
    const inputs = mode === 'max' ? [dense(dtype), dense(dtype)] : [dense(dtype)];
    return {
      ...none,
      kind: 'pool',
      mode,
      pass,
      window: WINDOW,
      countPadding: true,
      operands: [...inputs, result(dtype)],
      outputs: [{ operand: inputs.length, value: accumulator(dtype) }],
    };
  };
}

const softmax: Sample = (dtype) => ({
  ...none,
  kind: 'rowwise',
  function: 'softmax',
  pass: 'forward',
  operands: [dense(dtype), dense(dtype, 'write')],
});
const layerNorm: Sample = (dtype) => ({
  kind: 'rowwise',
  function: 'layerNorm',
  pass: 'forward',
  scalars: [wideFloat(dtype)],
  operands: [dense(dtype), dense(dtype), dense(dtype), dense(dtype, 'write')],
});
const attention: Sample = (dtype) => ({
  kind: 'attention',
  pass: 'forward',
  headDim: 64,
  causal: false,
  mask: 'none',
  scalars: [wideFloat(dtype)],
  operands: [dense(dtype), dense(dtype), dense(dtype), dense(dtype, 'write'), dense(wideFloat(dtype), 'write')],
});
const adam: Sample = (dtype) => ({
  kind: 'optimizerStep',
  algorithm: 'adam',
  momentum: false,
  nesterov: false,
  scalars: Array.from({ length: 8 }, () => dtype),
  operands: [dense(dtype, 'readWrite'), dense(dtype), dense(dtype, 'readWrite'), dense(dtype, 'readWrite')],
});
const quantized: Sample = (dtype) => ({
  ...none,
  kind: 'quantizedContract',
  aBits: 8,
  bBits: 8,
  group: null,
  operands: [dense(dtype), dense('int8'), result('int32')],
  outputs: [{ operand: 2, value: accumulator('int32') }],
});
const scan: Sample = (dtype) => ({
  ...none,
  kind: 'scan',
  fold: 'sum',
  exclusive: false,
  reverse: false,
  operands: [dense(dtype), dense(dtype, 'write')],
});
const sort: Sample = (dtype) => ({
  ...none,
  kind: 'sort',
  descending: false,
  operands: [dense(dtype), dense(dtype, 'write'), dense('int32', 'write')],
});
const argReduce: Sample = (dtype) => ({ ...none, kind: 'argReduce', fold: 'max', operands: [dense(dtype), dense('int32', 'write')] });
const fft: Sample = (dtype) => ({ ...none, kind: 'fft', inverse: false, operands: [dense(dtype), dense(dtype, 'write')] });

const SAMPLES: Readonly<Record<string, Sample>> = {
  contract,
  'convolution forward': convolution('forward'),
  'convolution inputGradient': convolution('inputGradient'),
  'convolution filterGradient': convolution('filterGradient'),
  'pool max forward': pool('max', 'forward'),
  'pool max backward': pool('max', 'backward'),
  'pool average forward': pool('average', 'forward'),
  'pool average backward': pool('average', 'backward'),
  'rowwise softmax': softmax,
  'rowwise layerNorm': layerNorm,
  attention,
  'optimizerStep adam': adam,
  quantizedContract: quantized,
  scan,
  sort,
  argReduce,
  fft,
};

/** Asks about a dtype that is not stored are not made: the answer is known. */
function claimed(backend: Backend, sample: Sample): DType[] {
  return ALL_DTYPES.filter((dtype) => backend.capabilities.dtypes[dtype].store && backend.supports(sample(dtype)));
}

const mark = (yes: boolean): string => (yes ? 'yes' : '-');

/**
 * A summary for people: what the backend says of itself.
 *
 * Optional kernels are asked for with one plain sample each; a backend may still decline others of the same kind.
 */
export function describeBackend(backend: Backend): string {
  const { capabilities: c } = backend;
  const rows = ALL_DTYPES.map((dtype) => {
    const { store, compute, accumulate } = c.dtypes[dtype];
    return `  ${dtype.padEnd(10)}${mark(store).padEnd(8)}${mark(compute).padEnd(10)}${mark(accumulate)}`;
  });
  const kernels = Object.entries(SAMPLES).map(([name, sample]) => `  ${name.padEnd(28)}${claimed(backend, sample).join(', ') || '-'}`);
  const methods = (['readSync', 'prewarm', 'record', 'replay'] as const).filter((name) => backend[name] !== undefined);
  return [
    `${backend.name} (contract ${backend.contract})`,
    `  maxBindings ${c.maxBindings}, maxBlockBytes ${c.maxBlockBytes}, bindingAlignment ${c.bindingAlignment}, threads ${c.threads}`,
    `  simd ${mark(c.simd)}, subgroups ${mark(c.subgroups)}, subBufferAliasing ${mark(c.subBufferAliasing)}, deterministic ${mark(c.deterministic)}, denormals ${mark(c.denormals)}`,
    `  optional methods: ${methods.join(', ') || 'none'}`,
    '',
    '  dtype     store   compute   accumulate',
    ...rows,
    '',
    `  ${'optional kernel'.padEnd(28)}claimed for`,
    ...kernels,
  ].join('\n');
}
