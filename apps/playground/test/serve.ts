/** Builds the page, and serves it as a static host would: with the headers of its `_headers` file, or as a host that knows nothing of them. */

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { build } from 'vite';

const root = join(import.meta.dirname, '..');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.gz': 'application/gzip',
  '.html': 'text/html',
  '.js': 'text/javascript',
};

/** Builds the page into a folder of its own, from the sources of all packages. @returns the folder, and what the build warned of */
export async function buildPage(): Promise<{ readonly folder: string; readonly warnings: readonly string[] }> {
  const folder = join(root, 'node_modules/.cache/built-for-tests');
  await rm(folder, { recursive: true, force: true });
  const warnings: string[] = [];
  await build({
    root,
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'silent',
    build: {
      outDir: folder,
      reportCompressedSize: false,
      rolldownOptions: { onwarn: ({ code, message }) => void (code === 'PLUGIN_TIMINGS' || warnings.push(message)) },
    },
  });
  return { folder, warnings };
}

/** The headers that a `_headers` file asks for. */
export async function headersOf(folder: string): Promise<Record<string, string>> {
  const lines = (await readFile(join(folder, '_headers'), 'utf8')).split('\n').filter((line) => line.startsWith(' '));
  return Object.fromEntries(lines.map((line) => line.trim().split(': ') as [string, string]));
}

/** Serves a folder on loopback. */
export async function serve(folder: string, headers: Readonly<Record<string, string>>): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = normalize(pathname).replace(/\/$/, '/index.html');
    readFile(join(folder, path)).then(
      (bytes) =>
        response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'text/plain', 'Content-Length': bytes.length, ...headers }).end(bytes),
      () => response.writeHead(404, headers).end(),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}
