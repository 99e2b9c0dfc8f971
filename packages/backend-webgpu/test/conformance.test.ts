/** The conformance kit in Node.js, on Dawn. */

import { conformance } from '@gradus/backend-testkit';
import { describe, test } from 'vitest';
import { webgpu } from '../src/index.ts';
import { noDawn } from './dawn.ts';

/** A check of attention compiles a dozen programs, seconds each where a busy machine runs the software driver. */
const PATIENCE = 240_000;

describe.skipIf(noDawn !== null)(noDawn === null ? 'webgpu' : `webgpu (skipped: ${noDawn})`, () => {
  for (const check of conformance(() => webgpu())) test(check.name, { timeout: PATIENCE }, check.run);
});
