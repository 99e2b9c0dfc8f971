/** Finding WebGPU and making a device with all that its adapter allows. */

import { WebGpuUnavailableError } from '../errors.ts';
import { Device } from './device.ts';
import type { GpuEntry } from './entry.ts';
import type { Toolchain } from './toolchain.ts';

/** What browsers and Node.js have of it, typed for what is used here. */
const environment = globalThis as unknown as {
  readonly navigator?: { readonly gpu?: GPU };
  readonly process?: { readonly versions?: { readonly node?: string } };
};

const INSTALL = 'npm install webgpu';

/** Limits that are asked for at their largest: everything that bounds the size of a problem. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

const FEATURES = ['subgroups', 'timestamp-query'] as const;

/** @throws WebGpuUnavailableError */
async function findEntry(): Promise<GpuEntry> {
  const found = environment.navigator?.gpu;
  if (found !== undefined) return found;
  if (environment.process?.versions?.node === undefined)
    throw new WebGpuUnavailableError({
      op: 'webgpu',
      expected: 'a browser with WebGPU',
      got: 'one without it (navigator.gpu is missing, as it is on pages that are not served by https or from localhost)',
      fix: 'use a current Chrome, Edge, Safari or Firefox, or wasm() from @gradus/backend-wasm.',
    });
  return dawn();
}

/**
 * Kernels write shared memory before they read it, so nobody has to clear it first. Clearing takes time in every workgroup, and the software driver
 * of the tests compiles it as one store for each element: 2 seconds for a tile, against 0.07 without.
 */
const DAWN_FLAGS = 'enable-dawn-features=disable_workgroup_init';

/** Dawn's entry, made once. */
let dawnEntry: GpuEntry | null = null;

/** Every entry that was used, held for good: when Dawn's is collected, so are devices that are still in use. That keeps no process alive. */
const held: Set<GpuEntry> = new Set();

/** Dawn, the implementation of WebGPU that runs in Node.js. @throws WebGpuUnavailableError */
async function dawn(): Promise<GpuEntry> {
  if (dawnEntry !== null) return dawnEntry;
  // The name is kept from bundlers for browsers, which would look for the package.
  const name = 'webgpu';
  try {
    const { create, globals } = (await import(/* @vite-ignore */ name)) as { create(this: void, flags: string[]): GPU; globals: object };
    Object.assign(globalThis, globals);
    dawnEntry = create([DAWN_FLAGS]);
    return dawnEntry;
  } catch (cause) {
    throw new WebGpuUnavailableError(
      {
        op: 'webgpu',
        expected: 'the npm package webgpu, which brings WebGPU to Node.js',
        got: `none that loads (${String(cause).split('\n')[0]})`,
        fix: INSTALL,
      },
      { cause },
    );
  }
}

/** The limits of an adapter that a device is to have. */
function wantedLimits({ limits }: GPUAdapter): Record<string, number> {
  const wanted: Record<string, number> = {};
  for (const name of LIMITS) {
    const value = limits[name];
    if (typeof value === 'number') wanted[name] = value;
  }
  return wanted;
}

/** What the texts of programs may use. */
function toolchainOf({ limits, features }: GPUDevice, { info }: GPUAdapter): Toolchain {
  return {
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    minSubgroupSize: features.has('subgroups') ? (info.subgroupMinSize ?? 0) : 0,
  };
}

/** Opens a device. @throws WebGpuUnavailableError */
export async function openDevice(
  given: GpuEntry | undefined,
  powerPreference: 'low-power' | 'high-performance',
): Promise<{ readonly device: Device; readonly toolchain: Toolchain }> {
  const entry = given ?? (await findEntry());
  held.add(entry);
  const adapter = (await entry.requestAdapter({ powerPreference })) as GPUAdapter | null;
  if (adapter === null)
    throw new WebGpuUnavailableError({
      op: 'webgpu',
      expected: 'an adapter: a graphics card with a driver for Vulkan, Metal or Direct3D 12',
      got: 'none',
      fix: 'install or update the driver, or use wasm() from @gradus/backend-wasm.',
    });
  try {
    const gpu = await adapter.requestDevice({
      label: 'gradus',
      requiredLimits: wantedLimits(adapter),
      requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
    });
    const { description, device, architecture, vendor } = adapter.info;
    const name = [description, device, architecture, vendor].find((text) => text !== '') ?? '';
    return { device: new Device(gpu, name === '' ? 'webgpu' : `webgpu (${name})`), toolchain: toolchainOf(gpu, adapter) };
  } catch (cause) {
    throw new WebGpuUnavailableError(
      {
        op: 'webgpu',
        expected: 'a device of the adapter',
        got: String(cause).split('\n')[0] ?? '',
        fix: 'close other programs that use the graphics card.',
      },
      { cause },
    );
  }
}
