/** @gradus/backend-webgpu: kernels in WGSL, generated for what a program computes. */

export { webgpu } from './create.ts';
export type { TuningOptions, WebGpuDevice, WebGpuOptions } from './create.ts';
export type { WebGpuStatistics } from './backend.ts';
export type { ProductShape, TileChoice, TileName } from './product/tiles.ts';
export type { TunedProduct } from './tuning/tune.ts';
export type { GpuEntry } from './device/adapter.ts';
export { DeviceLostError, DeviceRefusedError, DeviceTimeoutError, WebGpuUnavailableError } from './errors.ts';
