/** Where data sets lie on this computer, in Node.js. Its modules are imported when a function is called, so that the package loads in browsers. */

/** Where packages are looked for: as seen from the working directory, from the program that was started, and from this package. */
export async function searchPlaces(): Promise<string[]> {
  const path = await import('node:path');
  return [path.join(process.cwd(), '/'), ...process.argv.slice(1, 2), import.meta.url];
}

/** The folder of an npm package as seen from the first of these files, or folders ending in a slash, that sees it; null if none does. */
export async function findPackage(name: string, places: readonly string[]): Promise<string | null> {
  const { createRequire } = await import('node:module');
  const path = await import('node:path');
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
  const { readFile } = await import('node:fs/promises');
  const path = await import('node:path');
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
