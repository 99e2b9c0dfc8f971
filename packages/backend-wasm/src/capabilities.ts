/** What the wasm backend can do, and which kernels it runs. */

import { DTYPES, hasExactFactors, isWithin } from '@gradus/backend';
import type { Capabilities, DType, DTypeCapabilities, Kernel, PoolKernel } from '@gradus/backend';
import type { Features } from './engine/features.ts';
import { MAX_BLOCK_BYTES } from './memory/block.ts';

const FULL: DTypeCapabilities = { store: true, compute: true, accumulate: true };
const STORED: DTypeCapabilities = { store: true, compute: false, accumulate: false };
const NONE: DTypeCapabilities = { store: false, compute: false, accumulate: false };

const DTYPE_CAPABILITIES: Capabilities['dtypes'] = {
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

/** The capabilities on an engine with these features. */
export function capabilitiesOf(features: Features, threads: number): Capabilities {
  return {
    dtypes: DTYPE_CAPABILITIES,
    synchronousRead: true,
    maxBindings: 64,
    maxBlockBytes: MAX_BLOCK_BYTES,
    bindingAlignment: 1,
    subBufferAliasing: true,
    threads,
    simd: features.simd,
    subgroups: false,
    deterministic: true,
    denormals: true,
  };
}

/** What maxima select, and gradients add up: dtypes whose sums 32 bits hold as they do. */
const POOLED: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'uint32'];

function pools({ mode, operands: [first, second] }: PoolKernel): boolean {
  const pooled = (mode === 'max' ? second : first)?.dtype ?? 'float64';
  return POOLED.includes(pooled) && (mode === 'max' || DTYPES[pooled].kind === 'float');
}

/** Does this backend run `kernel` on an engine with these features? */
export function supports(kernel: Kernel, features: Features): boolean {
  if (!isWithin(kernel, DTYPE_CAPABILITIES)) return false;
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
    case 'scatter':
      return true;
    case 'contract':
      return hasExactFactors(kernel);
    case 'convolution':
      return features.simd && kernel.accumulate === 'float32' && hasExactFactors(kernel);
    case 'attention':
    case 'quantizedContract':
      return features.simd;
    case 'rowwise':
    case 'optimizerStep':
    case 'argReduce':
    case 'scan':
    case 'sort':
      return true;
    case 'pool':
      return pools(kernel);
    default:
      return false;
  }
}
