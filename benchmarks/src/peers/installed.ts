/** Peers of `benchmarks/peers`, which is no part of the workspace: `npm run bench` installs them there. */

import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('../../peers/', import.meta.url));

/** Imports a package from there. @throws where it is missing */
export async function importPeer(name: string): Promise<unknown> {
  const path = createRequire(`${folder}package.json`).resolve(name);
  return import(pathToFileURL(path).href);
}
