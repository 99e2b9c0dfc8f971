/** Runs in the page: the conformance kit, and what a page is told about threads. Bundled by `browser.test.ts`. */

import { conformance } from '@gradus/backend-testkit';
import type { Level } from '@gradus/backend-testkit';
import type { WasmBackend } from '../../src/backend.ts';
import { createWasm } from '../../src/create.ts';

/** What a run of the kit found. */
export interface Found {
  readonly device: string;
  readonly isolated: boolean;
  readonly passed: number;
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
}

const KERNELS: readonly Level[] = ['map', 'reduce', 'scatter', 'optional'];

async function check(options: Parameters<typeof createWasm>[0]): Promise<Found> {
  const warnings: string[] = [];
  const page = globalThis as unknown as { console: { warn: (text: string) => void }; crossOriginIsolated: boolean };
  page.console.warn = (text) => warnings.push(text);
  const device = createWasm(options);
  await device.workersReady();
  const methods = (target: WasmBackend, name: string | symbol): unknown => {
    if (name === 'dispose') return () => {};
    const value: unknown = Reflect.get(target, name, target);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  const failures: string[] = [];
  let passed = 0;
  for (const { name, run } of conformance(() => new Proxy(device, { get: methods }), { level: KERNELS })) {
    try {
      await run();
      passed++;
    } catch (error) {
      failures.push(`${name}: ${String(error)}`);
    }
  }
  createWasm(options).dispose();
  device.dispose();
  return { device: device.name, isolated: page.crossOriginIsolated, passed, failures, warnings };
}

Object.assign(globalThis, { check });
