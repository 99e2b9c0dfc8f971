/** What the cpu backend can do, and which kernels it runs. */

import { hasExactFactors, isFloat, isWithin } from '@gradus/backend';
import type { Capabilities, DTypeCapabilities, Kernel, PoolKernel } from '@gradus/backend';

import { isDense, supportsDense } from './dense/table.ts';

/** What a typed array may hold on every engine in use; `dims` address no more than 2³¹ elements. */
const MAX_BLOCK_BYTES = 2 ** 32 - 8;

const FULL: DTypeCapabilities = { store: true, compute: true, accumulate: true };
const STORED: DTypeCapabilities = { store: true, compute: false, accumulate: false };

export const CAPABILITIES: Capabilities = {
  dtypes: {
    float64: FULL,
    float32: FULL,
    float16: STORED,
    bfloat16: STORED,
    int32: FULL,
    uint32: FULL,
    int8: FULL,
    uint8: FULL,
    bool: { store: true, compute: true, accumulate: false },
  },
  synchronousRead: true,
  maxBindings: 64,
  maxBlockBytes: MAX_BLOCK_BYTES,
  bindingAlignment: 1,
  subBufferAliasing: true,
  threads: 1,
  simd: false,
  subgroups: false,
  deterministic: true,
  denormals: true,
};

/** A maximum may select values of any dtype that is not packed in 16 bits; gradients, and what is averaged, are floats. */
function pools({ mode, pass, operands }: PoolKernel): boolean {
  const [first, second] = operands;
  if (first === undefined || !CAPABILITIES.dtypes[first.dtype].accumulate) return false;
  if (mode === 'average') return isFloat(first.dtype);
  return second !== undefined && CAPABILITIES.dtypes[second.dtype].compute && (pass === 'forward' || isFloat(second.dtype));
}

/** Does this backend run `kernel`? */
export function supports(kernel: Kernel): boolean {
  if (!isWithin(kernel, CAPABILITIES.dtypes)) return false;
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
    case 'scatter':
      return true;
    case 'contract':
      return hasExactFactors(kernel);
    case 'convolution':
      return isFloat(kernel.accumulate) && hasExactFactors(kernel);
    case 'pool':
      return pools(kernel);
    default:
      return isDense(kernel) && supportsDense(kernel);
  }
}
