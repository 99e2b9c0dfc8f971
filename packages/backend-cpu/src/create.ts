/** Makes the backend, with the seams that tests use: replaced operator tables and transformed source. Not part of the public surface. */

import type { Backend, Kernel } from '@gradus/backend';

import { CpuBackend } from './backend.ts';
import { canCompile } from './codegen/compile.ts';
import { LANGUAGE } from './codegen/language.ts';
import type { Language } from './codegen/language.ts';

/** Options of {@link cpu}. */
export interface CpuOptions {
  /**
   * Interpret expressions instead of generating JavaScript for them: slower, and equal to the bit.
   * Default: false, unless the environment forbids making code from text (a content-security policy without `unsafe-eval`).
   */
  readonly interpret?: boolean;
  /** Most bytes of live blocks; `allocate` throws OutOfMemoryError beyond. Default: no limit. */
  readonly memoryLimitBytes?: number;
}

/** Options for tests of tests. */
export interface InternalOptions extends CpuOptions {
  /** Entries that replace those of the operator tables. */
  readonly dialect?: Partial<Language>;
  /** Changes generated source before it is compiled. The epilogue of a fast path comes as the map that `lowering/epilogue.ts` makes of it. */
  readonly transformSource?: (source: string, kernel: Kernel) => string;
}

/** Makes a cpu backend with any of the internal seams. */
export function createCpu(options: InternalOptions = {}): Backend {
  const { interpret, memoryLimitBytes = Infinity, dialect = {}, transformSource = (source) => source } = options;
  const toolchain = { interpret: interpret ?? !canCompile(), language: { ...LANGUAGE, ...dialect }, transformSource };
  return new CpuBackend(toolchain, memoryLimitBytes);
}

/**
 * The reference backend: every kernel in plain JavaScript, exact, float64 included. Needs nothing and is ready at once.
 *
 * ```ts
 * import { cpu } from '@gradus/backend-cpu';
 *
 * const device = cpu({ memoryLimitBytes: 2 ** 30 });
 * device.dispose();
 * ```
 */
export function cpu(options: CpuOptions = {}): Backend {
  return createCpu(options);
}
