/**
 * Convolutions of more filters and positions than the conformance kit has, so that they take several tiles. All numbers are whole, so sums are exact.
 * The gradients are checked as adjoints: `Σ y · g = Σ x · dx = Σ w · dw` for any g.
 */

import { accumulator } from '@gradus/backend';
import type { ConvolutionKernel } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { webgpu } from '../src/index.ts';
import type { WebGpuDevice } from '../src/index.ts';
import { noDawn } from './dawn.ts';

const [IMAGES, CHANNELS, FILTERS, SIZE] = [2, 6, 70, 13];
const SIZES = { x: IMAGES * CHANNELS * SIZE * SIZE, filter: (FILTERS * CHANNELS * 9) / 2, y: IMAGES * FILTERS * 49 };
const DIMS = [IMAGES, CHANNELS, FILTERS, SIZE, SIZE, 7, 7];

function kernel(pass: ConvolutionKernel['pass']): ConvolutionKernel {
  return {
    kind: 'convolution',
    pass,
    window: { size: [3, 3], stride: [2, 2], dilation: [1, 1], padding: [1, 1] },
    groups: 2,
    accumulate: 'float32',
    operands: [
      { dtype: 'float32', access: 'read', layout: 'indexed', space: 'full' },
      { dtype: 'float32', access: 'read', layout: 'indexed', space: 'full' },
      { dtype: 'float32', access: 'write', layout: 'contiguous', space: 'kept' },
    ],
    scalars: [],
    outputs: [{ operand: 2, value: accumulator('float32') }],
  };
}

function whole(count: number, by: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => ((i * by) % 11) - 5);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

/** y, by the definition. */
function forward(x: Float32Array, filter: Float32Array): Float32Array {
  const perGroup = CHANNELS / 2;
  return Float32Array.from({ length: SIZES.y }, (_, at) => {
    const [column, row] = [at % 7, Math.floor(at / 7) % 7];
    const [o, n] = [Math.floor(at / 49) % FILTERS, Math.floor(at / 49 / FILTERS)];
    const firstChannel = o < FILTERS / 2 ? 0 : perGroup;
    let sum = 0;
    for (let tap = 0; tap < perGroup * 9; tap++) {
      const [i, j, c] = [2 * row - 1 + (Math.floor(tap / 3) % 3), 2 * column - 1 + (tap % 3), Math.floor(tap / 9)];
      if (i < 0 || j < 0 || i >= SIZE || j >= SIZE) continue;
      sum += (x[((n * CHANNELS + firstChannel + c) * SIZE + i) * SIZE + j] ?? 0) * (filter[o * perGroup * 9 + tap] ?? 0);
    }
    return sum;
  });
}

describe.skipIf(noDawn !== null)('convolutions in several tiles', () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await webgpu({ tuning: false });
  });
  afterAll(() => device.dispose());

  /** @param shape the result's */
  async function run(pass: ConvolutionKernel['pass'], a: Float32Array, b: Float32Array, shape: readonly number[]): Promise<Float32Array> {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((x, y) => x * y, 1));
    const count = shape.reduce((x, y) => x * y, 1);
    const [first, second, result] = [device.allocate(a.byteLength), device.allocate(b.byteLength), device.allocate(4 * count)];
    device.write(first, new Uint8Array(a.buffer));
    device.write(second, new Uint8Array(b.buffer));
    device.run(device.prepare(kernel(pass)), [first, second, result], Int32Array.from([...DIMS, 0, a.length, 0, b.length, 0, ...strides]));
    const bytes = await device.read(result, 0, 4 * count);
    for (const block of [first, second, result]) device.free(block);
    return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  }

  test('stride 2, padding 1, two groups', async () => {
    const [x, filter, gradient] = [whole(SIZES.x, 7), whole(SIZES.filter, 3), whole(SIZES.y, 5)];
    const y = await run('forward', x, filter, [IMAGES, FILTERS, 7, 7]);
    expect(y).toEqual(forward(x, filter));
    const dx = await run('inputGradient', gradient, filter, [IMAGES, CHANNELS, SIZE, SIZE]);
    const dw = await run('filterGradient', x, gradient, [FILTERS, CHANNELS / 2, 3, 3]);
    const expected = dot(y, gradient);
    expect(expected).not.toBe(0);
    expect(dot(x, dx)).toBe(expected);
    expect(dot(filter, dw)).toBe(expected);
  });
});
