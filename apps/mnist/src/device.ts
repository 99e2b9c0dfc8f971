/** The device that computes: the fastest there is, or the one that was asked for. */

import { UnsupportedError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import { webgpu } from '@gradus/backend-webgpu';

const DEVICES = { wasm, webgpu, cpu } as const;

/** The name of a device. */
export type DeviceName = keyof typeof DEVICES;

/** The names of all devices, the default first. */
export const DEVICE_NAMES: readonly DeviceName[] = ['wasm', 'webgpu', 'cpu'];

/** What `--help` says about the default. */
export const DEFAULT_DEVICE_TEXT = 'wasm, or cpu where there is no WebAssembly';

/** Makes the named device; without a name, wasm, or cpu where the engine lacks WebAssembly, with a line that says why. */
export async function openDevice(name: DeviceName | undefined, print: (line: string) => void): Promise<Backend> {
  if (name !== undefined) return DEVICES[name]();
  try {
    return await wasm();
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    print(`computing on cpu, since wasm found ${error.got}`);
    return cpu();
  }
}
