/** The kernels of the conformance kit in a real Chromium: alone, on two threads, and on a page that may not share memory. */

import { build } from 'esbuild';
import { resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import type { Server } from 'node:http';
import { afterAll, describe, expect, test } from 'vitest';
import { startChromium } from '../../../scripts/chromium.mjs';
import type { Found } from './browser/page.ts';
import { servePage } from './browser/serve.ts';

const { browser, reasons } = await startChromium();
const title = browser === null ? `wasm in Chromium (skipped: none starts here: ${reasons.join('; ')})` : 'wasm in Chromium';

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [resolve(import.meta.dirname, 'browser/page.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    conditions: ['@gradus/source'],
  });
  return outputFiles[0]?.text ?? '';
}

describe.skipIf(browser === null)(title, () => {
  const page = bundle().then(servePage);

  async function check(path: string, options: object): Promise<Found> {
    const opened = await (browser as Browser).newPage();
    await opened.goto(`${(await page).url}${path}`);
    const found = await opened.evaluate((given) => (globalThis as unknown as { check(given: object): Promise<Found> }).check(given), options);
    await opened.close();
    return found;
  }

  afterAll(async () => {
    await browser?.close();
    const { server }: { server: Server } = await page;
    server.close();
  });

  test('on one thread', { timeout: 120_000 }, async () => {
    const found = await check('/isolated', {});
    expect(found.failures).toEqual([]);
    expect(found).toMatchObject({ device: 'wasm', isolated: true, warnings: [] });
    expect(found.passed).toBeGreaterThan(700);
  });

  test('on two threads, on a page that is isolated from other origins', { timeout: 120_000 }, async () => {
    const found = await check('/isolated', { threads: 2, shareEverything: true });
    expect(found.failures).toEqual([]);
    expect(found).toMatchObject({ device: 'wasm (2 threads)', isolated: true, warnings: [] });
    expect(found.passed).toBeGreaterThan(700);
  });

  test('on a page that is not, with one thread and one warning that names the headers', { timeout: 120_000 }, async () => {
    const found = await check('/', { threads: 2 });
    expect(found.failures).toEqual([]);
    expect(found).toMatchObject({ device: 'wasm', isolated: false });
    expect(found.warnings).toHaveLength(1);
    expect(found.warnings[0]).toMatch(/Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy/);
  });
});
