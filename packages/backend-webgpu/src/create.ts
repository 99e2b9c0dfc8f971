/** Makes the backend. */

import { UnsupportedError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { WebGpuBackend } from './backend.ts';
import type { WebGpuStatistics } from './backend.ts';
import { openDevice } from './device/adapter.ts';
import type { GpuEntry } from './device/adapter.ts';
import type { DeviceLostError } from './errors.ts';

/** Options of {@link webgpu}. */
export interface WebGpuOptions {
  /** Which graphics card, where there are two. Default `high-performance`. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Most bytes of live blocks; `allocate` throws OutOfMemoryError beyond. Default: no limit but the device's own. */
  readonly memoryLimitBytes?: number;
  /** How long a read or `synchronize` waits for the device before it throws DeviceTimeoutError. Default 120,000; Infinity waits for ever. */
  readonly timeoutMilliseconds?: number;
  /** Another entry to WebGPU than `navigator.gpu` or, in Node.js, the package `webgpu`: what its `create([…flags])` gives. */
  readonly gpu?: GpuEntry;
}

/** A webgpu device: a backend, and what can be known of it. */
export interface WebGpuDevice extends Backend {
  /** The `GPUDevice` underneath. */
  readonly gpu: object;
  /** Resolves, with what happened, when the device is lost otherwise than by `dispose`. */
  readonly lost: Promise<DeviceLostError>;
  readonly statistics: WebGpuStatistics;
}

const TIMEOUT_MILLISECONDS = 120_000;

function checked(name: string, value: number, least: number): number {
  if (typeof value === 'number' && value >= least) return value;
  throw new UnsupportedError({
    op: 'webgpu',
    expected: `${name}: a number of at least ${least}`,
    got: String(value),
    fix: 'leave it out for the default.',
  });
}

/**
 * The backend for graphics cards, in browsers and, with the npm package `webgpu`, in Node.js.
 *
 * ```ts
 * import { webgpu } from '@gradus/backend-webgpu';
 *
 * const device = await webgpu();
 * device.dispose();
 * ```
 *
 * It has every dtype but float64, and is read asynchronously alone. @throws WebGpuUnavailableError where there is no WebGPU or no adapter
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  const { powerPreference = 'high-performance', memoryLimitBytes = Infinity, timeoutMilliseconds = TIMEOUT_MILLISECONDS, gpu } = options;
  const limits = {
    memoryLimitBytes: checked('memoryLimitBytes', memoryLimitBytes, 0),
    timeoutMilliseconds: checked('timeoutMilliseconds', timeoutMilliseconds, 1),
  };
  return new WebGpuBackend({ ...(await openDevice(gpu, powerPreference)), ...limits });
}
