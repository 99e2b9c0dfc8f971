/** The conformance kit in Node.js, on Dawn. Checks of kernels share one device; those of memory and queues have their own. */

import { conformance } from '@gradus/backend-testkit';
import type { Level } from '@gradus/backend-testkit';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { webgpu } from '../src/index.ts';
import type { WebGpuDevice } from '../src/index.ts';
import { noDawn } from './dawn.ts';
import { lent } from './lending.ts';

const KERNELS: readonly Level[] = ['map', 'reduce', 'scatter', 'optional'];
/** A check of attention compiles a dozen programs, seconds each where a busy machine runs the software driver. */
const PATIENCE = 240_000;

describe.skipIf(noDawn !== null)(noDawn === null ? 'webgpu' : `webgpu (skipped: ${noDawn})`, () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await webgpu({ tuning: false });
  });
  afterAll(() => device.dispose());

  for (const check of conformance(() => webgpu(), { level: 'storage' })) test(check.name, check.run);
  for (const check of conformance(() => lent(device), { level: KERNELS })) test(check.name, { timeout: PATIENCE }, check.run);
});
