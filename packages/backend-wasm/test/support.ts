/** What the tests of this package share: moving numbers in and out of a device, and running one kernel. */

import { DTYPES, bytesPerElement, fromBfloat16Bits, fromFloat16Bits, load, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { Arg, Backend, Block, DType, Expression, Kernel, Layout, MapKernel, Operand } from '@gradus/backend';
import { probeFeatures } from '../src/engine/features.ts';

/** With vectors, and without: what computes element by element gives equal bits on both. */
export const WIDTHS = ['plain', 'off'] as const;

/** The kinds of engine that this one can stand in for. Relaxed SIMD, where there is any, rounds products and sums differently. */
export const ENGINES: readonly ('plain' | 'off' | 'relaxed')[] = [...WIDTHS, ...(probeFeatures().relaxedSimd ? (['relaxed'] as const) : [])];

/** A block with these numbers. */
export function put(device: Backend, dtype: DType, values: ArrayLike<number>): Block {
  const block = device.allocate(values.length * bytesPerElement(dtype));
  const view = DTYPES[dtype].view(new ArrayBuffer(block.byteLength));
  const encode = dtype === 'float16' ? toFloat16Bits : dtype === 'bfloat16' ? toBfloat16Bits : (x: number): number => x;
  for (let i = 0; i < values.length; i++) view[i] = encode(values[i] ?? 0);
  device.write(block, new Uint8Array(view.buffer));
  return block;
}

export function bytesOf(device: Backend, block: Block): Uint8Array {
  if (device.readSync === undefined) throw new Error('the wasm backend reads synchronously');
  return device.readSync(block, 0, block.byteLength);
}

/** The numbers in a block. */
export function get(device: Backend, block: Block, dtype: DType): number[] {
  const decode = dtype === 'float16' ? fromFloat16Bits : dtype === 'bfloat16' ? fromBfloat16Bits : (x: number): number => x;
  return Array.from(DTYPES[dtype].view(bytesOf(device, block).buffer), decode);
}

export function operand(dtype: DType, access: Operand['access'] = 'read', layout: Layout = 'contiguous', space: Operand['space'] = 'full'): Operand {
  return { dtype, access, layout, space };
}

export function run(device: Backend, kernel: Kernel, args: readonly Arg[], dims: readonly number[]): void {
  const array = Int32Array.from(dims);
  device.run(device.prepare(kernel, array), args, array);
}

/** Evaluates an expression over columns of numbers, element by element; gives the bytes of the result. */
export function compute(
  device: Backend,
  columns: readonly { readonly dtype: DType; readonly values: ArrayLike<number> }[],
  build: (...loads: Expression[]) => Expression,
): ArrayBuffer {
  const value = build(...columns.map(({ dtype }, i) => load(dtype, i)));
  const length = columns[0]?.values.length ?? 1;
  const blocks = columns.map(({ dtype, values }) => put(device, dtype, values));
  const result = device.allocate(length * bytesPerElement(value.dtype));
  const kernel: MapKernel = {
    kind: 'map',
    rank: 1,
    operands: [...columns.map(({ dtype }) => operand(dtype)), operand(value.dtype, 'write')],
    scalars: [],
    outputs: [{ operand: columns.length, value }],
  };
  run(device, kernel, [...blocks, result], [length, ...[...blocks, result].flatMap(() => [0, 1])]);
  const bytes = bytesOf(device, result);
  for (const block of [...blocks, result]) device.free(block);
  return bytes.slice().buffer;
}

/** The numbers of a float32 function over many arguments. */
export function floatsOf(device: Backend, args: readonly Float32Array[], build: (...loads: Expression[]) => Expression): Float32Array {
  return new Float32Array(
    compute(
      device,
      args.map((values) => ({ dtype: 'float32' as const, values })),
      build,
    ),
  );
}

/** One number, many times. */
export const filled = (length: number, value: number): number[] => Array.from({ length }, () => value);

/** The number of points of a grid. */
export const product = (sizes: readonly number[]): number => sizes.reduce((p, s) => p * s, 1);

/** Row-major strides. */
export function rowMajor(sizes: readonly number[]): number[] {
  return sizes.map((_, axis) => product(sizes.slice(axis + 1)));
}

/** Calls `visit` with every point of a grid, row-major. */
export function each(sizes: readonly number[], visit: (point: readonly number[]) => void, point: readonly number[] = []): void {
  const size = sizes[point.length];
  if (size === undefined) visit(point);
  else for (let i = 0; i < size; i++) each(sizes, visit, [...point, i]);
}

/** Where two runs of numbers first differ, zeros told apart by sign and any NaN equal to any other; null where they do not. */
export function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): string | null {
  if (actual.length !== expected.length) return `${actual.length} elements, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(actual[i], expected[i])) return `element ${i}: ${String(actual[i])}, expected ${String(expected[i])}`;
  return null;
}
