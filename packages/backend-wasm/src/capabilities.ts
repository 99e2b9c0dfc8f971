/** What the wasm backend can do, and which kernels it runs. */

import { DTYPES, evaluationOrder } from '@gradus/backend';
import type { Capabilities, DType, DTypeCapabilities, Expression, Kernel, PoolKernel } from '@gradus/backend';
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
  if (!named.every((dtype) => DTYPE_CAPABILITIES[dtype]?.store)) return false;
  return evaluationOrder(rootsOf(kernel)).every(
    (e) => DTYPE_CAPABILITIES[e.dtype]?.store && (!('args' in e) || e.args.every((argument) => DTYPE_CAPABILITIES[argument.dtype]?.compute)),
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
  return POOLED.includes(pooled) && (mode === 'max' || DTYPES[pooled].kind === 'float');
}

/** Does this backend run `kernel` on an engine with these features? */
export function supports(kernel: Kernel, features: Features): boolean {
  if (!computes(kernel)) return false;
  switch (kernel.kind) {
    case 'map':
    case 'scatter':
      return true;
    case 'reduce':
      return kernel.folds.every((fold) => DTYPE_CAPABILITIES[fold.value.dtype].accumulate);
    case 'contract':
      return factors(kernel, kernel.accumulate);
    case 'convolution':
      return features.simd && kernel.accumulate === 'float32' && factors(kernel, kernel.accumulate);
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
