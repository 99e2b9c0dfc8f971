/** Options of `wasm()`. */

import { UnsupportedError } from '@gradus/backend';
import { expect, test } from 'vitest';
import { wasm } from './index.ts';
import type { WasmOptions } from './index.ts';

const wrong: readonly (readonly [options: unknown, message: string])[] = [
  [{ simd: 'avx' }, `[wasm] expected simd: 'relaxed', 'plain' or 'off', got "avx".`],
  [{ threads: 0 }, '[wasm] expected threads: a whole number from 1 to 256, got 0. Fix: leave it out for one thread.'],
  [{ threads: 1.5 }, 'got 1.5.'],
  [{ threads: 1000 }, 'got 1000.'],
  [{ threads: '2' }, 'got "2".'],
  [{ memoryLimitBytes: NaN }, '[wasm] expected memoryLimitBytes: a number of at least 0, got NaN. Fix: leave it out for no limit.'],
  [{ memoryLimitBytes: -1 }, 'got -1.'],
];

test.each(wrong)('%j is refused', async (options, message) => {
  const error = await wasm(options as WasmOptions).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UnsupportedError);
  expect((error as Error).message).toContain(message);
});
