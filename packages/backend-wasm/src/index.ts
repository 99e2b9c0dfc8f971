/** @gradus/backend-wasm: WebAssembly kernels, generated for what a program computes. */

export { wasm } from './create.ts';
export type { WasmOptions } from './create.ts';
export { WorkerLostError } from './threads/errors.ts';
