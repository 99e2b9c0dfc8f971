/** @gradus/backend-webgpu: kernels in WGSL, generated for what a program computes. */

export { webgpu } from './create.ts';
export type { TuningOptions, WebGpuDevice, WebGpuOptions } from './create.ts';
export type { WebGpuStatistics } from './statistics.ts';
export type { ProductShape, TileChoice, TileName } from './product/tiles.ts';
export type { TunedProduct } from './tuning/tune.ts';
export type { GpuEntry } from './device/entry.ts';
export { DeviceLostError, DeviceRefusedError, DeviceTimeoutError, WebGpuUnavailableError } from './errors.ts';
