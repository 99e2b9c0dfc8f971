/** Makes the backend. */

import { UnsupportedError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { WebGpuBackend } from './backend.ts';
import { openDevice } from './device/adapter.ts';
import type { GpuEntry } from './device/entry.ts';
import type { DeviceLostError } from './errors.ts';
import type { WebGpuStatistics } from './statistics.ts';
import type { ProductShape, TileChoice } from './product/tiles.ts';
import { loadTiles, openStore } from './tuning/store.ts';
import type { TunedProduct } from './tuning/tune.ts';

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
  /** Where tiles that `tune` measured are kept, or `false`: use and keep none. */
  readonly tuning?: TuningOptions | false;
}

/** Where measured tiles are kept. What is found there is used; only `tune` writes. */
export interface TuningOptions {
  /**
   * The file, in Node.js. Default `gradus/webgpu-tiles.json` in the user's cache folder. Browsers keep tiles in IndexedDB and look at no path.
   * A file that cannot be read counts as empty.
   */
  readonly path?: string;
}

/** A webgpu device: a backend, and what can be known of it. */
export interface WebGpuDevice extends Backend {
  /** The `GPUDevice` underneath. */
  readonly gpu: object;
  /** Resolves, with what happened, when the device is lost otherwise than by `dispose`. */
  readonly lost: Promise<DeviceLostError>;
  readonly statistics: WebGpuStatistics;
  /** Tiles of products that were measured on this adapter, by class of shapes: those that were kept, and those of `tune`. */
  readonly tunedTiles: ReadonlyMap<string, TileChoice>;
  /**
   * Measures how products of these shapes (by default, those of common layers) are computed fastest on this adapter, uses that from now on, and
   * keeps it for devices to come. One measurement serves all shapes of its class: those with the same powers of two below their sizes.
   * Results have the same bits with any tile: sums over k go in one order, whatever the tile. Nothing else should run meanwhile.
   *
   * @throws KernelError for sizes that are not whole numbers above 0 @throws OutOfMemoryError
   */
  tune(shapes?: readonly ProductShape[]): Promise<readonly TunedProduct[]>;
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
  const { powerPreference = 'high-performance', memoryLimitBytes = Infinity, timeoutMilliseconds = TIMEOUT_MILLISECONDS, gpu, tuning = {} } = options;
  const limits = {
    memoryLimitBytes: checked('memoryLimitBytes', memoryLimitBytes, 0),
    timeoutMilliseconds: checked('timeoutMilliseconds', timeoutMilliseconds, 1),
  };
  const opened = await openDevice(gpu, powerPreference);
  const store = tuning === false ? null : openStore(tuning.path);
  return new WebGpuBackend({ ...opened, ...limits, store, tunedTiles: await loadTiles(store, opened.device.name) });
}
