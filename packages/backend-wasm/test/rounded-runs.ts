/** Running a kernel on plain numbers, with and without SIMD, where results are compared after rounding to their dtype. */

import { DTYPES, fromBfloat16Bits, fromFloat16Bits, operandPositions, toBfloat16Bits, toFloat16Bits, verifyKernel, verifyRun } from '@gradus/backend';
import type { Backend, DType, Kernel, Operand } from '@gradus/backend';
import { wasm } from '../src/create.ts';

/** Milliseconds for a property-based test, which may run beside many others: no result depends on time. */
export const PATIENCE = 60_000;

/** One device with vectors, one without. */
export async function devices(): Promise<readonly (readonly [name: string, device: Backend])[]> {
  return [
    ['plain', await wasm({ simd: 'plain' })],
    ['off', await wasm({ simd: 'off' })],
  ];
}

/** A dense operand. */
export function dense(dtype: DType, access: Operand['access'] = 'read'): Operand {
  return { dtype, access, layout: 'indexed', space: 'full' };
}

function encode(dtype: DType, values: readonly number[]): Uint8Array {
  const view = DTYPES[dtype].view(new ArrayBuffer(values.length * DTYPES[dtype].bytes));
  const bits = dtype === 'float16' ? toFloat16Bits : dtype === 'bfloat16' ? toBfloat16Bits : (x: number): number => x;
  values.forEach((value, i) => {
    view[i] = bits(value);
  });
  return new Uint8Array(view.buffer);
}

function decode(dtype: DType, bytes: Uint8Array): number[] {
  const number = dtype === 'float16' ? fromFloat16Bits : dtype === 'bfloat16' ? fromBfloat16Bits : (x: number): number => x;
  return Array.from(DTYPES[dtype].view(bytes.slice().buffer), number);
}

/** A number as a dtype holds it. */
export function rounded(dtype: DType, value: number): number {
  return decode(dtype, encode(dtype, [value]))[0] ?? NaN;
}

/** Elements before and after an operand's own, which nothing may touch. */
const AROUND = 3;
const UNTOUCHED = 7;

/** One argument: what it holds, and for a strided one its strides. */
export interface Contents {
  readonly values: readonly number[];
  readonly strides?: readonly number[];
}

/**
 * Runs a kernel and gives what its operands then hold. Operands lie a few elements into their blocks, among others that must stay as they are:
 * @throws Error where they do not
 */
export function runKernel(
  device: Backend,
  kernel: Kernel,
  sizes: readonly number[],
  contents: readonly Contents[],
  scalars: readonly number[] = [],
): number[][] {
  verifyKernel(kernel);
  if (device.readSync === undefined) throw new Error('wasm reads synchronously');
  const around = Array.from({ length: AROUND }, () => UNTOUCHED);
  const blocks = contents.map(({ values }, k) => {
    const bytes = encode(kernel.operands[k]?.dtype ?? 'float32', [...around, ...values, ...around]);
    const block = device.allocate(bytes.length);
    device.write(block, bytes);
    return block;
  });
  const dims = Int32Array.from([...sizes, ...contents.flatMap(({ values, strides }) => [AROUND, ...(strides ?? [values.length])])]);
  if (dims.length !== operandPositions(kernel).at(-1)) throw new Error(`dims of length ${dims.length} do not fit the kernel`);
  const args = [...blocks, ...scalars];
  verifyRun(kernel, args, dims);
  device.run(device.prepare(kernel), args, dims);
  return blocks.map((block, k) => {
    const after = decode(kernel.operands[k]?.dtype ?? 'float32', device.readSync?.(block, 0, block.byteLength) ?? new Uint8Array());
    device.free(block);
    const outside = [...after.slice(0, AROUND), ...after.slice(after.length - AROUND)];
    if (outside.some((value) => value !== UNTOUCHED)) throw new Error(`operand ${k} was written outside its range: ${outside.join()}`);
    return after.slice(AROUND, after.length - AROUND);
  });
}
