/** Runs the page in a Chromium: on the graphics card there is, or on one in software where there is none. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startChromium } from '../../../scripts/chromium.mjs';
import type { Timing } from '../measure.ts';
import { describe, toResult } from '../report.ts';
import type { Result } from '../report.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('../../src/browser/page.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    nodePaths: [here('../../peers/node_modules')],
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

/** Works on the page; the options are those of the command line. */
export async function benchInBrowser(only: string | undefined, software: boolean): Promise<Result[]> {
  const script = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response
      .writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html' })
      .end(isScript ? script : '<!doctype html><script src="page.js"></script>');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { browser, reasons } = await startChromium({ graphics: software ? 'software' : 'hardware' });
  try {
    if (browser === null) throw new Error(`no Chromium starts here: ${reasons.join('; ')}`);
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const { device, works } = await page.evaluate(
      (given) => (globalThis as unknown as { open(software: boolean): Promise<{ device: string; works: string[] }> }).open(given),
      software,
    );
    console.log(device);
    const chosen = works.filter((work) => only === undefined || work.includes(only));
    if (chosen.length === 0) console.log(`works: ${works.join(', ')}`);
    const results: Result[] = [];
    for (const work of chosen) {
      const timings = await page.evaluate(
        (name) => (globalThis as unknown as { bench(name: string): Promise<[string, Timing | { error: string }][]> }).bench(name),
        work,
      );
      const result = toResult(work, device, 1, new Map(timings));
      results.push(result);
      console.log(describe(result));
    }
    if (only === undefined || only === 'overhead') {
      const { kernels, msPerKernel } = await page.evaluate(() =>
        (globalThis as unknown as { overhead(): Promise<{ kernels: number; msPerKernel: number }> }).overhead(),
      );
      console.log(`${'a replayed step'.padEnd(28)} ${kernels} kernels, ${(msPerKernel * 1e3).toFixed(1)} µs of JavaScript each`);
    }
    return results;
  } finally {
    await browser?.close();
    server.close();
  }
}
