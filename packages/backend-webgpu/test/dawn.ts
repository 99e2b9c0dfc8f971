/** WebGPU for the tests: Dawn on the software driver, so that they need no graphics card. */

import { webgpu } from '../src/index.ts';
import type { WebGpuDevice, WebGpuOptions } from '../src/index.ts';
import { softwareGpu, useSwiftShader } from '../../../scripts/swiftshader.mjs';

/** Why tests on a device are skipped here; null where they run. */
export const noDawn: string | null = useSwiftShader() ? null : `no software driver for ${process.platform} ${process.arch}`;

/** Dawn's entry to WebGPU. Its constants (`GPUBufferUsage` and others) become globals, as in browsers. */
export async function dawn(): Promise<GPU> {
  return (await softwareGpu()) as GPU;
}

/** A device of this backend on it. */
export async function onDawn(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  return webgpu({ ...options, gpu: await dawn() });
}
