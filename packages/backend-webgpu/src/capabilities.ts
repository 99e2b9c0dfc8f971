/** What the webgpu backend can do, and which kernels it runs. */

import { hasExactFactors, isFloat, isWithin } from '@gradus/backend';
import type { Capabilities, DType, DTypeCapabilities, Kernel, PoolKernel } from '@gradus/backend';
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

/** What maxima select, and gradients add up: dtypes whose sums 32 bits hold as they do. */
const POOLED: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'uint32'];

function pools({ mode, operands: [first, second] }: PoolKernel): boolean {
  const pooled = (mode === 'max' ? second : first)?.dtype ?? 'float64';
  return POOLED.includes(pooled) && (mode === 'max' || isFloat(pooled));
}

/** Does this backend run `kernel`? */
export function supports(kernel: Kernel): boolean {
  if (!isWithin(kernel, DTYPES)) return false;
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
    case 'scatter':
    case 'scan':
    case 'sort':
      return true;
    case 'contract':
    case 'convolution':
      return hasExactFactors(kernel);
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
