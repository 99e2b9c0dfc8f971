/** @gradus/backend-webgpu: kernels in WGSL, generated for what a program computes. */

export {};
