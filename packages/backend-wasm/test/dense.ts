/** Running kernels over dense operands in tests: numbers in, numbers out. */

import { DTYPES, bytesPerElement, fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { Backend, Block, DType, Kernel, Operand } from '@gradus/backend';
import { probeFeatures } from '../src/engine/features.ts';

/** The levels of SIMD that this engine has. */
export const SIMD_LEVELS: readonly ('plain' | 'relaxed')[] = probeFeatures().relaxedSimd ? ['plain', 'relaxed'] : ['plain'];

/** A dense operand. */
export function dense(dtype: DType, access: Operand['access'] = 'read'): Operand {
  return { dtype, access, layout: 'indexed', space: 'full' };
}

/** What written elements hold before a run. */
const UNTOUCHED = 77;

/** Numbers from -1 to 1 without a pattern. */
export function values(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233));
}

function put(device: Backend, dtype: DType, numbers: ArrayLike<number>): Block {
  const block = device.allocate(numbers.length * bytesPerElement(dtype));
  const view = DTYPES[dtype].view(new ArrayBuffer(block.byteLength));
  const encode = dtype === 'float16' ? toFloat16Bits : dtype === 'bfloat16' ? toBfloat16Bits : (x: number): number => x;
  for (let i = 0; i < numbers.length; i++) view[i] = encode(numbers[i] ?? 0);
  device.write(block, new Uint8Array(view.buffer));
  return block;
}

function get(device: Backend, block: Block, dtype: DType): number[] {
  if (device.readSync === undefined) throw new Error('the wasm backend reads synchronously');
  const decode = dtype === 'float16' ? fromFloat16Bits : dtype === 'bfloat16' ? fromBfloat16Bits : (x: number): number => x;
  return Array.from(DTYPES[dtype].view(device.readSync(block, 0, block.byteLength).slice().buffer), decode);
}

/**
 * What a kernel leaves in its operands: `contents` are their numbers, or how many are written. `dims` are the sizes, then an offset of 0 and the
 * length of every dense operand, then `rest`.
 */
export function runDense(
  device: Backend,
  kernel: Kernel,
  sizes: readonly number[],
  contents: readonly (readonly number[] | number)[],
  scalars: readonly number[] = [],
  rest: readonly number[] = [],
): number[][] {
  const numbers = contents.map((content) => (typeof content === 'number' ? Array.from({ length: content }, () => UNTOUCHED) : content));
  const dtypes = kernel.operands.map((operand) => operand.dtype);
  const blocks = numbers.map((own, i) => put(device, dtypes[i] ?? 'float32', own));
  const lengths = numbers.flatMap((own, i) => (kernel.operands[i]?.layout === 'indexed' ? [0, own.length] : []));
  const dims = Int32Array.from([...sizes, ...lengths, ...rest]);
  device.run(device.prepare(kernel, dims), [...blocks, ...scalars], dims);
  const results = blocks.map((block, i) => get(device, block, dtypes[i] ?? 'float32'));
  for (const block of blocks) device.free(block);
  return results;
}
