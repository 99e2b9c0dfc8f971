/** What goes wrong: no WebGPU, a lost device, no memory, a refused shader, no answer. Each is a typed error, and nothing hangs. */

import type { Backend } from '@gradus/backend';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DeviceLostError, webgpu } from '../src/index.ts';
import type { WebGpuDevice } from '../src/index.ts';
import { dawn, noDawn } from './dawn.ts';
import { INCREMENT, changedGpu, get, put, run, vectorDims } from './support.ts';

const destroy = (device: WebGpuDevice): void => (device.gpu as GPUDevice).destroy();

async function changed(change: (device: GPUDevice) => void, options: { timeoutMilliseconds?: number } = {}): Promise<WebGpuDevice> {
  return webgpu({ gpu: await changedGpu(change), ...options });
}

describe('where there is no WebGPU', () => {
  afterEach(() => {
    vi.doUnmock('webgpu');
    vi.resetModules();
  });

  test('no adapter: says what is missing, and what else there is', async () => {
    await expect(webgpu({ gpu: { requestAdapter: async () => null } })).rejects.toMatchObject({
      code: 'WEBGPU_UNAVAILABLE',
      message: expect.stringMatching(/expected an adapter: a graphics card.*got none.*@gradus\/backend-wasm/) as string,
    });
  });

  test('no device: says why', async () => {
    const adapter = { limits: {}, features: new Set(), requestDevice: async () => Promise.reject(new Error('in use elsewhere')) };
    await expect(webgpu({ gpu: { requestAdapter: async () => adapter } })).rejects.toMatchObject({
      code: 'WEBGPU_UNAVAILABLE',
      message: expect.stringContaining('in use elsewhere') as string,
    });
  });

  test('no package in Node.js: gives the line that installs it', async () => {
    vi.resetModules();
    vi.doMock('webgpu', () => {
      throw new Error('Cannot find package');
    });
    const fresh = await import('../src/create.ts');
    await expect(fresh.webgpu()).rejects.toMatchObject({
      code: 'WEBGPU_UNAVAILABLE',
      message: expect.stringContaining('Fix: npm install webgpu') as string,
    });
  });

  test('options out of range are refused', async () => {
    await expect(webgpu({ memoryLimitBytes: -1 })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(webgpu({ timeoutMilliseconds: NaN })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe.skipIf(noDawn !== null)(noDawn === null ? 'on Dawn' : `on Dawn (skipped: ${noDawn})`, () => {
  test('a lost device rejects what waits, refuses what comes, and tells who asks', async () => {
    const device = await webgpu();
    const x = put(device, 'float32', [1, 2, 3]);
    const waiting = device.read(x, 0, 12);
    destroy(device);
    await expect(device.lost).resolves.toBeInstanceOf(DeviceLostError);
    await expect(waiting.catch((error: unknown) => error)).resolves.toSatisfy(
      (found) => found instanceof DeviceLostError || (found instanceof Uint8Array && found.length === 12),
    );
    const calls: ((on: Backend) => unknown)[] = [
      (on) => on.allocate(4),
      (on) => on.write(x, new Uint8Array(4)),
      (on) => on.prepare(INCREMENT),
      (on) => on.flush(),
    ];
    for (const call of calls) expect(() => call(device)).toThrow(DeviceLostError);
    await expect(device.read(x, 0, 4)).rejects.toThrow('Fix: make a new device with webgpu()');
    await expect(device.synchronize()).rejects.toBeInstanceOf(DeviceLostError);
    device.free(x);
    expect(device.allocatedBytes).toBe(0);
    device.dispose();
  });

  test('another device works at once after a loss', async () => {
    destroy(await webgpu());
    const device = await webgpu();
    const x = put(device, 'float32', [1, 2]);
    const y = device.allocate(8);
    run(device, INCREMENT, [x, y], vectorDims(2, 0, 0));
    expect(await get(device, y, 'float32')).toEqual([2, 3]);
    device.dispose();
  });

  test('a device without room: the block is refused at its first use, and the device goes on', async () => {
    let refuse = false;
    const device = await changed((gpu) => {
      const pop = gpu.popErrorScope.bind(gpu);
      gpu.popErrorScope = async () => {
        const found = await pop();
        return refuse ? new GPUOutOfMemoryError('no room') : found;
      };
    });
    refuse = true;
    const block = device.allocate(64);
    await Promise.resolve().then(() => new Promise((resolve) => setTimeout(resolve, 20)));
    refuse = false;
    expect(() => device.write(block, new Uint8Array(4))).toThrow(/OUT_OF_MEMORY|no room/);
    await expect(device.read(block, 0, 4)).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    device.free(block);
    const other = put(device, 'float32', [5]);
    expect(await get(device, other, 'float32')).toEqual([5]);
    device.dispose();
  });

  test('a limit on memory holds at once', async () => {
    const device = await webgpu({ memoryLimitBytes: 100 });
    const block = device.allocate(60);
    expect(() => device.allocate(60)).toThrow('at most 100 bytes in all');
    device.free(block);
    device.allocate(100);
    device.dispose();
  });

  test('a refused shader: its results are never handed out, and the message is the driver’s', async () => {
    const device = await changed((gpu) => {
      const create = gpu.createShaderModule.bind(gpu);
      gpu.createShaderModule = (descriptor) => create({ ...descriptor, code: descriptor.code.replace('fn main', 'fn main nonsense') });
    });
    const x = put(device, 'float32', [1]);
    run(device, INCREMENT, [x, device.allocate(4)], vectorDims(1, 0, 0));
    await expect(device.read(x, 0, 4)).rejects.toMatchObject({ code: 'DEVICE_REFUSED', message: expect.stringContaining('nonsense') as string });
    expect(() => device.flush()).toThrow(/parsing WGSL/);
    device.dispose();
  });

  test('a device that does not answer: an error after the time that was given', async () => {
    const device = await changed(
      (gpu) => {
        const create = gpu.createBuffer.bind(gpu);
        gpu.createBuffer = (descriptor) => {
          const buffer = create(descriptor);
          buffer.mapAsync = () => new Promise(() => {});
          return buffer;
        };
      },
      { timeoutMilliseconds: 30 },
    );
    const x = put(device, 'float32', [1]);
    await expect(device.read(x, 0, 4)).rejects.toMatchObject({
      code: 'DEVICE_TIMEOUT',
      message: expect.stringContaining('an answer within 0.03 s') as string,
    });
    device.dispose();
  });

  test('reads that wait when the device is disposed are rejected', async () => {
    const device = await webgpu();
    const waiting = device.read(put(device, 'float32', [1]), 0, 4);
    device.dispose();
    await expect(waiting).rejects.toMatchObject({ code: 'BACKEND_DISPOSED' });
  });

  test('dawn gives an entry of its own', async () => {
    expect(typeof (await dawn()).requestAdapter).toBe('function');
  });
});
