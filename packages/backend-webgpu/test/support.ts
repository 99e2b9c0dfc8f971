/** What the tests of this package share: devices on Dawn, moving numbers in and out, and kernels to run. */

import { DTYPES, apply, axisIndex, bytesPerElement, cast, constant, load } from '@gradus/backend';
import type { Arg, Backend, Block, DType, Kernel, Layout, MapKernel, Operand } from '@gradus/backend';
import { dawn } from './dawn.ts';

/** A block with these numbers, of a dtype whose elements are plain numbers. */
export function put(device: Backend, dtype: DType, values: ArrayLike<number>): Block {
  const block = device.allocate(values.length * bytesPerElement(dtype));
  const view = DTYPES[dtype].view(new ArrayBuffer(block.byteLength));
  view.set(values);
  device.write(block, new Uint8Array(view.buffer));
  return block;
}

/** The numbers in a block. */
export async function get(device: Backend, block: Block, dtype: DType): Promise<number[]> {
  const bytes = await device.read(block, 0, block.byteLength);
  return Array.from(DTYPES[dtype].view(bytes.buffer));
}

export function operand(dtype: DType, access: Operand['access'] = 'read', layout: Layout = 'contiguous', space: Operand['space'] = 'full'): Operand {
  return { dtype, access, layout, space };
}

export function run(device: Backend, kernel: Kernel, args: readonly Arg[], dims: readonly number[]): void {
  const array = Int32Array.from(dims);
  device.run(device.prepare(kernel, array), args, array);
}

/** y = x + 1 on vectors. */
export const INCREMENT: MapKernel = {
  kind: 'map',
  rank: 1,
  operands: [operand('float32'), operand('float32', 'write')],
  scalars: [],
  outputs: [{ operand: 1, value: apply('add', load('float32', 0), constant('float32', 1)) }],
};

/** The dims of a map over vectors of `length`, with these offsets. */
export const vectorDims = (length: number, ...offsets: readonly number[]): number[] => [length, ...offsets.flatMap((offset) => [offset, 1])];

/** y[i] = i. */
export const COUNTING: MapKernel = {
  kind: 'map',
  rank: 1,
  operands: [operand('float32', 'write')],
  scalars: [],
  outputs: [{ operand: 0, value: cast(axisIndex(0), 'float32') }],
};

/** An entry to WebGPU whose devices are changed by `change` when they are made: for failures that a healthy driver does not show. */
export async function changedGpu(change: (device: GPUDevice) => void): Promise<{ requestAdapter(): Promise<object | null> }> {
  const gpu = await dawn();
  return {
    async requestAdapter() {
      const adapter = await gpu.requestAdapter();
      if (adapter === null) return null;
      const request = adapter.requestDevice.bind(adapter);
      Object.defineProperty(adapter, 'requestDevice', {
        value: async (descriptor: GPUDeviceDescriptor) => {
          const device = await request(descriptor);
          change(device);
          return device;
        },
      });
      // As long as the adapter is in use, so is what it came from.
      Object.defineProperty(adapter, 'entry', { value: gpu });
      return adapter;
    },
  };
}
