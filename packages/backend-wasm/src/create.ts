/** Makes the backend. */

import { UnsupportedError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { WasmBackend } from './backend.ts';
import { SHARE_EVERYTHING, SHARE_WHERE_IT_PAYS } from './launch/launcher.ts';
import { STALL_MILLISECONDS } from './threads/pool.ts';
import { canShareMemory } from './threads/spawn.ts';
import { probeFeatures } from './engine/features.ts';
import type { Features } from './engine/features.ts';

/** Options of {@link wasm}. */
export interface WasmOptions {
  /** Use vectors (`simd`), fused multiply-add besides (`relaxed`), or neither. Default: the most that the engine has. */
  readonly simd?: 'relaxed' | 'plain' | 'off';
  /**
   * Threads that compute, the calling one included, at most 256. Default 1. Results are the same to the bit with any number. In browsers more than one needs a
   * page that is cross-origin isolated; elsewhere it stays one, with a warning.
   */
  readonly threads?: number;
  /** Most bytes of live blocks; `allocate` throws OutOfMemoryError beyond. Default: what 32-bit addresses reach, 4 GiB. */
  readonly memoryLimitBytes?: number;
}

function chosenFeatures(wish: WasmOptions['simd']): Features {
  const found = probeFeatures();
  switch (wish) {
    case undefined:
      return found;
    case 'off':
      return { simd: false, relaxedSimd: false };
    case 'plain':
    case 'relaxed': {
      const has = wish === 'plain' ? found.simd : found.relaxedSimd;
      if (has) return { simd: true, relaxedSimd: wish === 'relaxed' };
      throw new UnsupportedError({
        op: 'wasm',
        expected: `an engine with ${wish} SIMD`,
        got: 'one without it',
        fix: 'leave the option `simd` out, which takes what the engine has (Node 20 has relaxed SIMD behind --experimental-wasm-relaxed-simd).',
      });
    }
    default:
      throw new UnsupportedError({ op: 'wasm', expected: "simd: 'relaxed', 'plain' or 'off'", got: JSON.stringify(wish satisfies never) });
  }
}

/** Options for tests. */
export interface InternalOptions extends WasmOptions {
  /** How long a worker may be at one piece of work before it counts as lost. */
  readonly stallMilliseconds?: number;
  /** Share every phase that has more than one unit, however small. */
  readonly shareEverything?: boolean;
}

/** More than any machine has use for: each thread is a worker with memory of its own besides the shared one. */
const MOST_THREADS = 256;

let warned = false;

/** The threads to have: one where memory cannot be shared. */
function possibleThreads(wish: number): number {
  if (!Number.isInteger(wish) || wish < 1 || wish > MOST_THREADS) {
    const expected = `threads: a whole number from 1 to ${MOST_THREADS}`;
    throw new UnsupportedError({
      op: 'wasm',
      expected,
      got: typeof wish === 'number' ? String(wish) : JSON.stringify(wish),
      fix: 'leave it out for one thread.',
    });
  }
  if (wish === 1 || canShareMemory()) return wish;
  if (!warned) {
    warned = true;
    const { console } = globalThis as unknown as { readonly console: { warn(text: string): void } };
    console.warn(
      'gradus: wasm computes on one thread, since this page may not share memory between threads. ' +
        'Serve it with the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp".',
    );
  }
  return 1;
}

function checkedLimit(bytes: number): number {
  if (typeof bytes === 'number' && bytes >= 0) return bytes;
  throw new UnsupportedError({
    op: 'wasm',
    expected: 'memoryLimitBytes: a number of at least 0',
    got: String(bytes),
    fix: 'leave it out for no limit.',
  });
}

/** Makes a wasm backend with any of the internal seams. @throws UnsupportedError */
export function createWasm(options: InternalOptions = {}): WasmBackend {
  const { memoryLimitBytes = Infinity, threads = 1, stallMilliseconds = STALL_MILLISECONDS, shareEverything = false } = options;
  const sharing = shareEverything ? SHARE_EVERYTHING : SHARE_WHERE_IT_PAYS;
  return new WasmBackend({
    features: chosenFeatures(options.simd),
    threads: possibleThreads(threads),
    memoryLimitBytes: checkedLimit(memoryLimitBytes),
    stallMilliseconds,
    sharing,
  });
}

/**
 * The fast backend for ordinary processors: kernels generated as WebAssembly for exactly what a program computes.
 *
 * ```ts
 * import { wasm } from '@gradus/backend-wasm';
 *
 * const device = await wasm();
 * device.dispose();
 * ```
 *
 * It has every dtype but float64. @throws UnsupportedError where the engine lacks what `simd` asks for
 */
export async function wasm(options: WasmOptions = {}): Promise<Backend> {
  return createWasm(options);
}
