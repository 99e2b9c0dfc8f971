/** @gradus/backend-webgpu: kernels in WGSL, generated for what a program computes. */

export { webgpu } from './create.ts';
export type { WebGpuDevice, WebGpuOptions } from './create.ts';
export type { WebGpuStatistics } from './backend.ts';
export type { GpuEntry } from './device/adapter.ts';
export { DeviceLostError, DeviceRefusedError, DeviceTimeoutError, WebGpuUnavailableError } from './errors.ts';
