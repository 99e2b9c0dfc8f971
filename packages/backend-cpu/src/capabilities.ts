/** What the cpu backend can do, and which kernels it runs. */

import { evaluationOrder, isFloat } from '@gradus/backend';
import type { Capabilities, DType, DTypeCapabilities, Expression, Kernel, PoolKernel } from '@gradus/backend';

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

function stores(dtype: DType): boolean {
  return Object.hasOwn(CAPABILITIES.dtypes, dtype);
}

/** The expressions of a kernel. */
function rootsOf(kernel: Kernel): Expression[] {
  const roots: Expression[] = [];
  if ('outputs' in kernel) roots.push(...kernel.outputs.map((output) => output.value));
  if (kernel.kind === 'reduce') roots.push(...kernel.folds.map((fold) => fold.value));
  if (kernel.kind === 'scatter') roots.push(kernel.position, kernel.value);
  return roots;
}

/** Are all operations in dtypes that this backend calculates in? Loads, stores, casts and choices may be in any. */
function computes(roots: readonly Expression[]): boolean {
  return evaluationOrder(roots).every((e) => stores(e.dtype) && (!('args' in e) || e.args.every((a) => CAPABILITIES.dtypes[a.dtype].compute)));
}

/** The dtypes that operands of a product may have, by the dtype it is accumulated in: those that convert without loss. */
const FACTORS: { readonly [D in DType]?: readonly DType[] } = {
  float64: ['float64', 'float32', 'float16', 'bfloat16'],
  float32: ['float32', 'float16', 'bfloat16'],
  int32: ['int32', 'uint32', 'int8', 'uint8'],
  uint32: ['int32', 'uint32', 'int8', 'uint8'],
};

function factors(kernel: Kernel, accumulate: DType): boolean {
  const [a, b] = kernel.operands;
  const allowed = FACTORS[accumulate] ?? [];
  return a !== undefined && b !== undefined && allowed.includes(a.dtype) && allowed.includes(b.dtype);
}

/** A maximum may select values of any dtype that is not packed in 16 bits; gradients, and what is averaged, are floats. */
function pools({ mode, pass, operands }: PoolKernel): boolean {
  const [first, second] = operands;
  if (first === undefined || !CAPABILITIES.dtypes[first.dtype].accumulate) return false;
  if (mode === 'average') return isFloat(first.dtype);
  return second !== undefined && CAPABILITIES.dtypes[second.dtype].compute && (pass === 'forward' || isFloat(second.dtype));
}

/** Does this backend run `kernel`? */
export function supports(kernel: Kernel): boolean {
  if (![...kernel.operands.map((o) => o.dtype), ...kernel.scalars].every(stores) || !computes(rootsOf(kernel))) return false;
  switch (kernel.kind) {
    case 'map':
    case 'scatter':
      return true;
    case 'reduce':
      return kernel.folds.every((fold) => CAPABILITIES.dtypes[fold.value.dtype].accumulate);
    case 'contract':
      return factors(kernel, kernel.accumulate);
    case 'convolution':
      return isFloat(kernel.accumulate) && factors(kernel, kernel.accumulate);
    case 'pool':
      return pools(kernel);
    default:
      return isDense(kernel) && supportsDense(kernel);
  }
}
