/** Running kernels over dense operands of 32-bit floats and integers in tests: numbers in, numbers out. */

import { DTYPES } from '@gradus/backend';
import type { Backend, DType, Kernel, Operand } from '@gradus/backend';

/** A dense operand. */
export function dense(dtype: DType, access: Operand['access'] = 'read'): Operand {
  return { dtype, access, layout: 'indexed', space: 'full' };
}

/** Numbers from -1 to 1 without a pattern, as float32 holds them. */
export function values(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(Math.sin((i + 1) * 12.9898 + seed * 78.233)));
}

/** What a kernel leaves in its operands. `contents` are their numbers, or how many are written; `sizes` are what `dims` begins with. */
export async function runDense(
  device: Backend,
  kernel: Kernel,
  sizes: readonly number[],
  contents: readonly (ArrayLike<number> | number)[],
  scalars: readonly number[] = [],
): Promise<number[][]> {
  const operands = contents.map((content, i) => {
    const { view, bytes } = DTYPES[kernel.operands[i]?.dtype ?? 'float32'];
    const length = typeof content === 'number' ? content : content.length;
    const block = device.allocate(length * bytes);
    if (typeof content !== 'number') {
      const elements = view(new ArrayBuffer(length * bytes));
      elements.set(content);
      device.write(block, new Uint8Array(elements.buffer));
    }
    return { block, length, view };
  });
  const dims = Int32Array.from([...sizes, ...operands.flatMap(({ length }) => [0, length])]);
  device.run(device.prepare(kernel, dims), [...operands.map(({ block }) => block), ...scalars], dims);
  const results: number[][] = [];
  for (const { block, view } of operands) {
    const bytes = await device.read(block, 0, block.byteLength);
    results.push(Array.from(view(bytes.slice().buffer)));
    device.free(block);
  }
  return results;
}
