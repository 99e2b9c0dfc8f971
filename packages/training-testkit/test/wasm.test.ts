/** The kit on the wasm backend, with SIMD and without. */

import { wasm } from '@gradus/backend-wasm';
import { describe, test } from 'vitest';
import { trainingConformance } from '../src/index.ts';

describe.each(['plain', 'off'] as const)('wasm, simd: %s', (simd) => {
  for (const check of trainingConformance(() => wasm({ simd }))) test(check.name, check.run);
});
