/** WebGPU for the tests: Dawn on the software driver, so that they need no graphics card. */

import { useSwiftShader } from '../../../scripts/swiftshader.mjs';

/** Why tests on a device are skipped here; null where they run. */
export const noDawn: string | null = useSwiftShader() ? null : `no software driver for ${process.platform} ${process.arch}`;

let entry: GPU | null = null;

/** Dawn's entry to WebGPU, one for a process. Its constants (`GPUBufferUsage` and others) become globals, as in browsers. */
export async function dawn(): Promise<GPU> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  entry ??= create([]);
  return entry;
}
