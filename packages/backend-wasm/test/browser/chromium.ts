/** Finds a Chromium and opens pages in it: `CHROMIUM_PATH`, an installed one, or the one that npm brings. */

import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import packaged from '@sparticuz/chromium';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts a headless Chromium; null where none starts, with the reasons. */
export async function startChromium(): Promise<{ readonly browser: Browser | null; readonly reasons: readonly string[] }> {
  const reasons: string[] = [];
  const given = process.env['CHROMIUM_PATH'];
  const candidates = [...(given === undefined ? [] : [given]), ...INSTALLED.filter((path) => existsSync(path))];
  for (const path of [...candidates, null]) {
    try {
      const executablePath = path ?? (await packaged.executablePath());
      const browser = await chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] });
      return { browser, reasons };
    } catch (error) {
      reasons.push(`${path ?? 'the packaged one'}: ${String(error).split('\n')[0]}`);
    }
  }
  return { browser: null, reasons };
}

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
