/** Right backends pass the whole kit: the reference, compiled and interpreted, and one written from the contract alone. */

import { describe, test } from 'vitest';
import { cpu } from '@gradus/backend-cpu';
import type { Backend } from '@gradus/backend';
import { conformance } from '@gradus/backend-testkit';
import { minimalBackend } from './minimal-backend.ts';
import { strictBackend } from './strict-backend.ts';

const BACKENDS: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  cpu: () => cpu(),
  'cpu, interpreted': () => cpu({ interpret: true }),
  minimal: () => minimalBackend(),
  'strict, made asynchronously': async () => strictBackend(),
};

describe.each(Object.entries(BACKENDS))('%s', (_, create) => {
  for (const check of conformance(create)) test(check.name, check.run);
});
