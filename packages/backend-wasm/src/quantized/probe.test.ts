/** Quads are used only where their product was seen to be right; `quantized.test.ts` has the products. */

import { expect, test } from 'vitest';
import { hasExactDot } from './probe.ts';

test('an engine without relaxed SIMD has no dot product of bytes', () => {
  expect(hasExactDot({ simd: true, relaxedSimd: false })).toBe(false);
});
