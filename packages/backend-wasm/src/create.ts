/** Makes the backend. */

import { UnsupportedError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { WasmBackend } from './backend.ts';
import { probeFeatures } from './engine/features.ts';
import type { Features } from './engine/features.ts';

/** Options of {@link wasm}. */
export interface WasmOptions {
  /** Use vectors (`simd`), fused multiply-add besides (`relaxed`), or neither. Default: the most that the engine has. */
  readonly simd?: 'relaxed' | 'plain' | 'off';
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
  const { memoryLimitBytes = Infinity } = options;
  return new WasmBackend(chosenFeatures(options.simd), memoryLimitBytes);
}
