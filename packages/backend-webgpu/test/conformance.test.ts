/** The conformance kit in Node.js, on Dawn. */

import { conformance } from '@gradus/backend-testkit';
import { describe, test } from 'vitest';
import { noDawn, onDawn } from './dawn.ts';

describe.skipIf(noDawn !== null)(noDawn === null ? 'webgpu' : `webgpu (skipped: ${noDawn})`, () => {
  for (const check of conformance(() => onDawn())) test(check.name, check.run);
});
