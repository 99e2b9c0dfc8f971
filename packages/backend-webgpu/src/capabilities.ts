/** What the webgpu backend can do, and which kernels it runs. */

import { evaluationOrder, isFloat } from '@gradus/backend';
import type { Capabilities, DType, DTypeCapabilities, Expression, Kernel, PoolKernel } from '@gradus/backend';
import { MOST_HEAD_DIM } from './attention/attention.ts';
import type { Toolchain } from './device/toolchain.ts';

const FULL: DTypeCapabilities = { store: true, compute: true, accumulate: true };
const STORED: DTypeCapabilities = { store: true, compute: false, accumulate: false };
const NONE: DTypeCapabilities = { store: false, compute: false, accumulate: false };

const DTYPES: Capabilities['dtypes'] = {
  float64: NONE,
  float32: FULL,
  float16: STORED,
  bfloat16: STORED,
  int32: FULL,
  uint32: FULL,
  int8: FULL,
  uint8: FULL,
  bool: { store: true, compute: true, accumulate: false },
};

/** Elements are counted by int32: a block has no more than its smallest ones reach. */
const MOST_ELEMENTS = 2 ** 31 - 1;

/** The capabilities of a device with these limits. */
export function capabilitiesOf(toolchain: Toolchain, { maxBufferSize, maxStorageBufferBindingSize }: GPUSupportedLimits): Capabilities {
  return {
    dtypes: DTYPES,
    synchronousRead: false,
    maxBindings: toolchain.maxStorageBuffers,
    maxBlockBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize, MOST_ELEMENTS),
    bindingAlignment: 1,
    subBufferAliasing: true,
    threads: 1,
    simd: true,
    subgroups: toolchain.minSubgroupSize > 0,
    deterministic: true,
    denormals: false,
  };
}

/** The expressions of a kernel. */
function rootsOf(kernel: Kernel): Expression[] {
  const roots: Expression[] = [];
  if ('outputs' in kernel) roots.push(...kernel.outputs.map((output) => output.value));
  if (kernel.kind === 'reduce') roots.push(...kernel.folds.map((fold) => fold.value));
  if (kernel.kind === 'scatter') roots.push(kernel.position, kernel.value);
  return roots;
}

/** Are all dtypes stored here, and all operations in dtypes that are calculated in? */
function computes(kernel: Kernel): boolean {
  const named = [...kernel.operands.map((operand) => operand.dtype), ...kernel.scalars];
  if (!named.every((dtype) => DTYPES[dtype]?.store)) return false;
  return evaluationOrder(rootsOf(kernel)).every(
    (e) => DTYPES[e.dtype]?.store && (!('args' in e) || e.args.every((argument) => DTYPES[argument.dtype]?.compute)),
  );
}

/** The dtypes that operands of a product may have, by the dtype it is accumulated in: those that convert without loss. */
const FACTORS: { readonly [D in DType]?: readonly DType[] } = {
  float32: ['float32', 'float16', 'bfloat16'],
  int32: ['int32', 'uint32', 'int8', 'uint8'],
  uint32: ['int32', 'uint32', 'int8', 'uint8'],
};

function factors(kernel: Kernel, accumulate: DType): boolean {
  const [a, b] = kernel.operands;
  const allowed = FACTORS[accumulate] ?? [];
  return a !== undefined && b !== undefined && allowed.includes(a.dtype) && allowed.includes(b.dtype);
}

/** What maxima select, and gradients add up: dtypes whose sums 32 bits hold as they do. */
const POOLED: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'uint32'];

function pools({ mode, operands: [first, second] }: PoolKernel): boolean {
  const pooled = (mode === 'max' ? second : first)?.dtype ?? 'float64';
  return POOLED.includes(pooled) && (mode === 'max' || isFloat(pooled));
}

/** Does this backend run `kernel`? */
export function supports(kernel: Kernel): boolean {
  if (!computes(kernel)) return false;
  switch (kernel.kind) {
    case 'map':
    case 'scatter':
    case 'scan':
    case 'sort':
      return true;
    case 'reduce':
      return kernel.folds.every((fold) => DTYPES[fold.value.dtype].accumulate);
    case 'contract':
    case 'convolution':
      return factors(kernel, kernel.accumulate);
    case 'attention':
      return kernel.headDim <= MOST_HEAD_DIM;
    case 'rowwise':
    case 'optimizerStep':
    case 'argReduce':
    case 'quantizedContract':
      return true;
    case 'pool':
      return pools(kernel);
    default:
      return false;
  }
}
