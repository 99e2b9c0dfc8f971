/** Makes devices by name. The only place that knows the backends, and the only one that loads them. */

import { UnsupportedError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { cpu } from '@gradus/backend-cpu'; // the core has it anyway
import type { DeviceName } from '../choices.ts';

/** More threads than this gain nothing for networks of this size. */
const MOST_THREADS = 4;

/** Threads of the wasm device: all processors but the page's own, where threads may share memory; else one. */
export function threadsFor(surroundings: { readonly isolated: boolean; readonly processors: number }): number {
  return surroundings.isolated ? Math.min(MOST_THREADS, Math.max(1, surroundings.processors - 1)) : 1;
}

/**
 * Makes a device.
 * @throws UnsupportedError where there is no WebAssembly; GradusError `WEBGPU_UNAVAILABLE` where there is no WebGPU
 */
export async function openDevice(name: DeviceName): Promise<Backend> {
  switch (name) {
    case 'cpu':
      return cpu();
    case 'wasm': {
      const isolated = globalThis.crossOriginIsolated && typeof SharedArrayBuffer === 'function';
      const { wasm } = await import('@gradus/backend-wasm');
      return wasm({ threads: threadsFor({ isolated, processors: navigator.hardwareConcurrency }) });
    }
    case 'webgpu': {
      const { webgpu } = await import('@gradus/backend-webgpu');
      return webgpu();
    }
    default:
      throw new UnsupportedError({ op: 'openDevice', expected: 'cpu, wasm or webgpu', got: JSON.stringify(name satisfies never) });
  }
}
