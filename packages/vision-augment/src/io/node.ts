/** What Node.js has for files. It is found when it is needed and not imported, so that bundles for browsers hold nothing of it. */

import type * as FileSystem from 'node:fs/promises';
import { ImageError } from '../errors.ts';

/** Node.js's file system, and the path of a file URL. @throws ImageError where there is no Node.js */
export function nodeFiles(op: string): typeof FileSystem & { readonly pathOf: (target: string | URL) => string } {
  const { process } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  if (process?.getBuiltinModule === undefined)
    throw new ImageError({
      op,
      expected: 'Node.js 20.19 or newer, which has files',
      got: 'something else',
      fix: 'decode the picture by the means of the platform, and pass its bytes to createImage',
    });
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  return {
    ...process.getBuiltinModule('node:fs/promises'),
    pathOf: (target) => (typeof target === 'string' ? target : fileURLToPath(target)),
  };
}
