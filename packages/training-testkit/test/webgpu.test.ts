/** The kit on the webgpu backend, in Node.js. */

import { webgpu } from '@gradus/backend-webgpu';
import { describe, test } from 'vitest';
import { trainingConformance } from '../src/index.ts';
import { useSwiftShader } from '../../../scripts/swiftshader.mjs';

const available = useSwiftShader();

describe.skipIf(!available)(available ? 'webgpu' : `webgpu (skipped: no software driver for ${process.platform} ${process.arch})`, () => {
  for (const check of trainingConformance(async () => webgpu())) test(check.name, check.run);
});
