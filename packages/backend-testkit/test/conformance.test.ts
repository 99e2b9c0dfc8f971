/** Right backends pass the whole kit: the reference, compiled and interpreted, one written from the contract alone, and one that forgives nothing. */

import { beforeAll, describe, test } from 'vitest';
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

// One list for all: a check keeps its cases and the oracle's answers for the next backend of equal capabilities.
let create: () => Backend | Promise<Backend> = () => cpu();
const CHECKS = conformance(() => create());

describe.each(Object.entries(BACKENDS))('%s', (_, backend) => {
  beforeAll(() => {
    create = backend;
  });
  for (const check of CHECKS) test(check.name, check.run, 60_000);
});
