/** The conformance kit for backends of gradus. */

export { conformance } from './conformance.ts';
export type { Check, ConformanceOptions } from './conformance.ts';
export { describeBackend } from './describe.ts';
export { ConformanceError } from './error.ts';
export { LEVELS } from './plan.ts';
export type { Level } from './plan.ts';
export { TOLERANCES } from './tolerances.ts';
export type { FloatDType, Tolerance, Tolerances } from './tolerances.ts';
export { withChanges, withoutFastPaths } from './without-fast-paths.ts';
