/** The exponential of attention: its bound, and the arguments where it has to be exact. */

import { describe, expect, test } from 'vitest';
import { v128, i32 } from '../assembler/instructions.ts';
import { SIMD_LEVELS } from '../../test/dense.ts';
import { createToolchain } from '../engine/toolchain.ts';
import { webAssembly } from '../engine/webassembly.ts';
import { vectorLanes } from '../lanes/vector.ts';
import { decay } from './decay.ts';

/** `decay` of every argument; calls come in fours. */
function powers(relaxed: boolean, args: Float32Array): Float32Array {
  const memory = new (webAssembly().Memory)({ initial: 16, maximum: 16, shared: false });
  const toolchain = createToolchain(memory, { simd: true, relaxedSimd: relaxed }, 0, null);
  const made = toolchain.build((module) => {
    const each = (code: Parameters<Parameters<typeof module.function>[2]>[0]): void => {
      const lanes = vectorLanes(code);
      code.for(
        code.parameter(2, 'i32'),
        (at) => code.effect(v128.store(at, decay(lanes, relaxed, code.let(v128.load(at))))),
        code.parameter(1, 'i32'),
        i32.const(16),
      );
    };
    module.function(['i32', 'i32', 'i32'], null, each, 'run');
  });
  const floats = new Float32Array(memory.buffer, 0, args.length);
  floats.set(args);
  made.run(0, 0, args.byteLength);
  return floats.slice();
}

describe.each(SIMD_LEVELS)('decay, %s SIMD', (simd) => {
  const relaxed = simd === 'relaxed';

  test('relative error at most 1.2e-7 in [-87, 88]', () => {
    const args = Float32Array.from({ length: 200_000 }, (_, i) => -87 + (175 * i) / 199_999);
    const worst = powers(relaxed, args).reduce((most, power, i) => {
      const exact = Math.exp(args[i] ?? NaN);
      return Math.max(most, Math.abs(power - exact) / exact);
    }, 0);
    expect(worst).toBeLessThan(1.2e-7);
    expect(worst).toBeGreaterThan(1e-8);
  });

  test('nothing is left of -Infinity and of what is far below 0; 0 gives 1; NaN stays', () => {
    const [none, far, one, nan] = powers(relaxed, Float32Array.of(-Infinity, -1000, 0, NaN));
    expect([none, far, one, nan]).toEqual([0, 0, 1, NaN]);
  });
});
