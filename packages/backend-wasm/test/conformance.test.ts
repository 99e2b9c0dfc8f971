/** The conformance kit, on every kind of engine that this one can stand in for. */

import { conformance } from '@gradus/backend-testkit';
import { describe, test } from 'vitest';
import { wasm } from '../src/index.ts';

for (const simd of ['plain', 'off'] as const)
  describe(`wasm, simd: ${simd}`, () => {
    for (const check of conformance(() => wasm({ simd }))) test(check.name, check.run);
  });
