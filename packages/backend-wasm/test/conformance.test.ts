/** The conformance kit, on every kind of engine that this one can stand in for, and on two threads with every phase shared. */

import { conformance } from '@gradus/backend-testkit';
import type { Level } from '@gradus/backend-testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WasmBackend } from '../src/backend.ts';
import { createWasm } from '../src/create.ts';
import { probeFeatures } from '../src/engine/features.ts';
import { wasm } from '../src/index.ts';

// Node 20 has relaxed SIMD behind a flag; `npm run test:matrix` runs this on engines that have it.
const kinds = probeFeatures().relaxedSimd ? (['plain', 'off', 'relaxed'] as const) : (['plain', 'off'] as const);

for (const simd of kinds)
  describe(`wasm, simd: ${simd}`, () => {
    for (const check of conformance(() => wasm({ simd }))) test(check.name, check.run);
  });

describe('wasm on two threads', () => {
  // Workers take a while to start, so the checks of kernels share one device.
  const kernels: readonly Level[] = ['map', 'reduce', 'scatter', 'optional'];
  let device: WasmBackend;

  beforeAll(async () => {
    device = createWasm({ threads: 2, shareEverything: true });
    await device.workersReady();
  });
  afterAll(() => device.dispose());

  const shared = (): WasmBackend => new Proxy(device, { get: (target, name) => (name === 'dispose' ? () => {} : bound(target, name)) });
  for (const check of conformance(shared, { level: kernels })) test(check.name, check.run);

  test('storage, on devices of its own', async () => {
    for (const check of conformance(() => wasm({ threads: 2 }), { level: 'storage' })) await check.run();
    expect(device.capabilities.threads).toBe(2);
  });
});

/** A method that goes on working with private members when it is called on a proxy. */
function bound(target: WasmBackend, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
