/** What decides on a graphics card, counted: submits, dispatches, shaders and buffers of training steps on the webgpu backend. */

import { webgpu } from '@gradus/backend-webgpu';
import type { WebGpuDevice } from '@gradus/backend-webgpu';
import { crossEntropy } from '@gradus/losses';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { compile, manualSeed, ones, scope, setDefaultDevice, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { cpu } from '@gradus/backend-cpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useSwiftShader } from '../../../scripts/swiftshader.mjs';

const available = useSwiftShader();
const CLASSES = 4;

interface Counts {
  readonly submits: number;
  readonly dispatches: number;
  readonly shaders: number;
}

describe.skipIf(!available)(available ? 'on webgpu' : `on webgpu (skipped: no software driver for ${process.platform} ${process.arch})`, () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await webgpu({ tuning: false });
    setDefaultDevice(device);
  });
  afterAll(() => {
    setDefaultDevice(cpu());
    device.dispose();
  });

  /** What `work` adds to the device's counts. */
  async function count(work: () => unknown): Promise<Counts> {
    const before = device.statistics;
    await work();
    const after = device.statistics;
    return {
      submits: after.submits - before.submits,
      dispatches: after.dispatches - before.dispatches,
      shaders: after.shaders - before.shaders,
    };
  }

  function mlp(): (x: Tensor, y: Tensor) => Tensor {
    manualSeed(0);
    const model = new Sequential(new Linear(12, 16), new ReLU(), new Linear(16, 8), new ReLU(), new Linear(8, CLASSES));
    const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
    return (x, y) => {
      const loss = crossEntropy(model.forward(x), y);
      optimizer.minimize(loss);
      return loss;
    };
  }

  const batch = (rows: number): [Tensor, Tensor] => [
    tensor(
      Float32Array.from({ length: rows * 12 }, (_, i) => Math.sin(i)),
      { shape: [rows, 12] },
    ),
    tensor(Int32Array.from({ length: rows }, (_, i) => i % CLASSES)),
  ];

  test('a compiled Adam step of a three-layer MLP: one submit, and one to read its loss; at most 16 dispatches', async () => {
    const step = compile(mlp());
    const [x, y] = batch(8);
    for (let i = 0; i < 2; i++) await scope(async () => step(x, y).item());
    const { submits, dispatches, shaders } = await count(() => scope(async () => step(x, y).item()));
    expect(submits).toBe(2);
    expect(dispatches).toBeLessThanOrEqual(16);
    expect(shaders).toBe(0);
    expect((await count(() => step(x, y).dispose())).submits).toBe(1);
  });

  test('a plain step, too, is few submits', async () => {
    const step = mlp();
    const [x, y] = batch(8);
    for (let i = 0; i < 2; i++) await scope(async () => step(x, y).item());
    const { submits, dispatches } = await count(() => scope(async () => step(x, y).item()));
    expect(submits).toBeLessThanOrEqual(3);
    expect(dispatches).toBeLessThanOrEqual(20);
  });

  test('no shader is compiled again for a batch of another size', async () => {
    const step = compile(mlp());
    for (const rows of [8, 8, 9, 9]) await scope(async () => step(...batch(rows)).item());
    expect((await count(() => scope(async () => step(...batch(11)).item()))).shaders).toBe(0);
  });

  test('a chain of elementwise operations is one kernel', async () => {
    const x = ones([1000]);
    await x.data();
    const { dispatches, shaders } = await count(() => scope(async () => x.mul(2).add(1).exp().sub(x).tanh().data()));
    expect({ dispatches, shaders }).toEqual({ dispatches: 1, shaders: 1 });
  });

  test('buffers do not grow over a thousand steps', { timeout: 180_000 }, async () => {
    const step = compile(mlp());
    const [x, y] = batch(4);
    const one = async (): Promise<void> => void (await scope(async () => step(x, y).item()));
    for (let i = 0; i < 5; i++) await one();
    const before = device.statistics;
    const bytes = device.allocatedBytes;
    for (let i = 0; i < 1000; i++) await one();
    const { blocks, bindGroups, stagingBuffers, scratchBytes, shaders } = before;
    expect(device.statistics).toMatchObject({ blocks, bindGroups, stagingBuffers, scratchBytes, shaders });
    expect(device.allocatedBytes).toBe(bytes);
  });

  test('nor do losses that nobody reads stay on the device', { timeout: 180_000 }, async () => {
    const step = compile(mlp());
    const [x, y] = batch(4);
    const kept: Tensor[] = [];
    for (let i = 0; i < 100; i++) scope(() => void kept.push(step(x, y)));
    await device.synchronize();
    const { blocks } = device.statistics;
    for (let i = 0; i < 200; i++) {
      scope(() => void kept.push(step(x, y)));
      if (i % 50 === 49) await device.synchronize();
    }
    await device.synchronize();
    // Some wait to be read together.
    expect(device.statistics.blocks - blocks).toBeLessThan(64);
    expect(Number.isFinite(await kept[0]?.item())).toBe(true);
  });
});
