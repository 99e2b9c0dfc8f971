/** What the tests of this package share: moving numbers in and out of a device, and running one kernel. */

import { bytesPerElement, DTYPES, fromBfloat16Bits, fromFloat16Bits, load, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { Arg, Backend, Block, DType, Expression, Kernel, Layout, Operand } from '@gradus/backend';
import { createCpu } from '../src/create.ts';

/** The two ways this backend runs expressions; what holds for one has to hold for the other. */
export const WAYS = ['generated', 'interpreted'] as const;
export type Way = (typeof WAYS)[number];

/** Milliseconds for a property-based test, which may run beside many others: no result depends on time. */
export const PATIENCE = 60_000;

export function deviceOf(way: Way): Backend {
  return createCpu({ interpret: way === 'interpreted' });
}

/** A block with these numbers. */
export function put(device: Backend, dtype: DType, values: readonly number[]): Block {
  const block = device.allocate(values.length * bytesPerElement(dtype));
  const view = DTYPES[dtype].view(new ArrayBuffer(block.byteLength));
  const encode = dtype === 'float16' ? toFloat16Bits : dtype === 'bfloat16' ? toBfloat16Bits : (x: number): number => x;
  values.forEach((value, i) => {
    view[i] = encode(value);
  });
  device.write(block, new Uint8Array(view.buffer));
  return block;
}

export function bytesOf(device: Backend, block: Block): Uint8Array {
  if (device.readSync === undefined) throw new Error('the cpu backend reads synchronously');
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

/** One input of {@link compute}. */
export interface Column {
  readonly dtype: DType;
  readonly values: readonly number[];
}

/** Evaluates an expression over columns of numbers, element by element. */
export function compute(
  device: Backend,
  columns: readonly Column[],
  build: (...loads: Expression[]) => Expression,
  scalars: readonly Column[] = [],
): number[] {
  const value = build(...columns.map(({ dtype }, i) => load(dtype, i)));
  const length = columns[0]?.values.length ?? 1;
  const result = device.allocate(length * bytesPerElement(value.dtype));
  const kernel: Kernel = {
    kind: 'map',
    rank: 1,
    operands: [...columns.map(({ dtype }) => operand(dtype)), operand(value.dtype, 'write')],
    scalars: scalars.map(({ dtype }) => dtype),
    outputs: [{ operand: columns.length, value }],
  };
  const blocks = columns.map(({ dtype, values }) => put(device, dtype, values));
  run(device, kernel, [...blocks, result, ...scalars.map(({ values }) => values[0] ?? 0)], [length, ...[...blocks, result].flatMap(() => [0, 1])]);
  return get(device, result, value.dtype);
}

/** A dense operand, as the fast paths over rows have them. */
export function dense(dtype: DType, access: Operand['access'] = 'read'): Operand {
  return operand(dtype, access, 'indexed');
}

/** What a kernel over dense operands leaves in them: `contents` are their numbers, or how many are written. */
export function runDense(
  device: Backend,
  kernel: Kernel,
  sizes: readonly number[],
  contents: readonly (readonly number[] | number)[],
  scalars: readonly number[] = [],
): number[][] {
  const numbers = contents.map((content) => (typeof content === 'number' ? Array.from({ length: content }, () => 77) : content));
  const blocks = numbers.map((values, i) => put(device, kernel.operands[i]?.dtype ?? 'float32', values));
  run(device, kernel, [...blocks, ...scalars], [...sizes, ...numbers.flatMap((values) => [0, values.length])]);
  return blocks.map((block, i) => get(device, block, kernel.operands[i]?.dtype ?? 'float32'));
}
