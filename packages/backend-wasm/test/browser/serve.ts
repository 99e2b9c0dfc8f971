/** Serves pages to a browser. */

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Serves one page with a script on loopback: isolated from other origins at `/isolated`, and not at `/`. */
export async function servePage(script: string): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    const headers = request.url?.startsWith('/isolated') === true ? ISOLATION : {};
    if (request.url?.endsWith('script.js') === true) response.writeHead(200, { 'Content-Type': 'text/javascript', ...headers }).end(script);
    else response.writeHead(200, { 'Content-Type': 'text/html', ...headers }).end('<!doctype html><script src="script.js"></script>');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
