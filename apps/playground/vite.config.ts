/** How the page is served and built: from the sources of all packages, with the images beside it, isolated from other origins. */

import { defaultClientConditions, defineConfig } from 'vite';
import { dataFiles, dataFolders } from './server/data-files.ts';
import { ISOLATION_HEADERS } from './server/isolation.ts';

/** Lowers `using`, which Safari lacks. */
const TARGET = 'es2022';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: { conditions: ['@gradus/source', ...defaultClientConditions] },
  oxc: { target: TARGET },
  build: { target: TARGET, chunkSizeWarningLimit: 1000 },
  optimizeDeps: { include: ['uplot'] }, // found at the start, so that the page is not loaded twice
  worker: { format: 'es' },
  plugins: [dataFiles(dataFolders(process.env['FASHION_MNIST_FOLDER']))],
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: ISOLATION_HEADERS },
});
