/**
 * Where data sets lie on this computer, in Node.js. Its modules are found when a function is called and not imported, so that the package loads in
 * browsers, and bundles for them hold nothing of it.
 */

import { DataNotFoundError } from '../errors.ts';

/** Node.js itself. @throws DataNotFoundError where there is none: no data sets lie there */
function node(): NodeJS.Process {
  const { process } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  if (process?.getBuiltinModule !== undefined) return process as NodeJS.Process;
  throw new DataNotFoundError({
    op: 'mnist',
    expected: 'Node.js 20.19 or newer, which has files',
    got: 'something else',
    fix: 'fetch the files, and use readIdx and labelledImages, which work on bytes.',
  });
}

/** Where packages are looked for: as seen from the working directory, from the program that was started, and from this package. */
export function searchPlaces(): string[] {
  const process = node();
  return [process.getBuiltinModule('node:path').join(process.cwd(), '/'), ...process.argv.slice(1, 2), import.meta.url];
}

/** The folder of an npm package as seen from the first of these files, or folders ending in a slash, that sees it; null if none does. */
export function findPackage(name: string, places: readonly string[]): string | null {
  const { createRequire } = node().getBuiltinModule('node:module');
  const path = node().getBuiltinModule('node:path');
  for (const place of places) {
    try {
      return path.dirname(createRequire(place).resolve(`${name}/package.json`));
    } catch {
      // Not here; the next place may have it.
    }
  }
  return null;
}

/** The bytes of the first of these files that is in `folder`; null if none is. @throws the system's error for one that cannot be read */
export async function readFirst(folder: string, names: readonly string[]): Promise<Uint8Array | null> {
  const { readFile } = node().getBuiltinModule('node:fs/promises');
  const path = node().getBuiltinModule('node:path');
  for (const name of names) {
    try {
      return await readFile(path.join(folder, name));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return null;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
