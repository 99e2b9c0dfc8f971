/** The kit on the webgpu backend, in Node.js. */

import { webgpu } from '@gradus/backend-webgpu';
import type { WebGpuDevice } from '@gradus/backend-webgpu';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { trainingConformance } from '../src/index.ts';
import { useSwiftShader } from '../../../scripts/swiftshader.mjs';

const available = useSwiftShader();

describe.skipIf(!available)(available ? 'webgpu' : `webgpu (skipped: no software driver for ${process.platform} ${process.arch})`, () => {
  let device: WebGpuDevice;
  let shared: WebGpuDevice;

  beforeAll(async () => {
    device = await webgpu({ tuning: false });
    shared = new Proxy(device, { get: (target, name) => (name === 'dispose' ? () => {} : bound(target, name)) });
  });
  afterAll(() => device.dispose());

  // The checks share one device: compiling shaders in software takes most of their time.
  for (const check of trainingConformance(() => shared)) test(check.name, check.run);
});

/** A method that goes on working with private members when it is called on a proxy. */
function bound(target: WebGpuDevice, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
