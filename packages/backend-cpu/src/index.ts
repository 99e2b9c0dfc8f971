/** @gradus/backend-cpu: the reference backend of gradus. */

export { cpu } from './create.ts';
export type { CpuOptions } from './create.ts';
