/** What the engine that runs us can do, found out by validating tiny modules. */

import { f32, f32x4 } from '../assembler/instructions.ts';
import { ModuleWriter } from '../assembler/module.ts';
import type { V128 } from '../assembler/value.ts';
import { webAssembly } from './webassembly.ts';

/** Features of an engine. */
export interface Features {
  /** Vectors of 128 bits. */
  readonly simd: boolean;
  /** Fused multiply-add and dot products whose rounding is the machine's. */
  readonly relaxedSimd: boolean;
}

function validates(vector: () => V128): boolean {
  const module = new ModuleWriter({ shared: false, maximumPages: 1 });
  module.function([], null, (code) => void code.let(vector()));
  return webAssembly().validate(module.finish());
}

/** Asks the engine. */
export function probeFeatures(): Features {
  const zero = (): V128 => f32x4.splat(f32.const(0));
  return { simd: validates(zero), relaxedSimd: validates(() => f32x4.relaxedMadd(zero(), zero(), zero())) };
}
