/**
 * The contract between gradus and its backends, version 1.
 *
 * What a backend implements ({@link Backend}), what it is given to run ({@link Kernel}, {@link Expression}), how it turns expressions
 * into code ({@link emit}), what it may not do ({@link verifyKernel}), and how it complains ({@link GradusError}).
 */

export * from './abilities.ts';
export * from './attention.ts';
export * from './backend.ts';
export * from './dense.ts';
export * from './dims.ts';
export * from './dtype.ts';
export * from './errors.ts';
export * from './expression.ts';
export * from './float16.ts';
export * from './kernel.ts';
export { kernelKey } from './key.ts';
export * from './opcodes.ts';
export * from './optimizer-map.ts';
export * from './optimizer-step.ts';
export * from './optional.ts';
export * from './rows.ts';
export * from './verify.ts';
export * from './walk.ts';
