/** The conformance kit in a real Chromium, on its software adapter; tiles kept in IndexedDB; a lost device; and pages without WebGPU. */

import { conformance } from '@gradus/backend-testkit';
import type { Check, Level } from '@gradus/backend-testkit';
import { build } from 'esbuild';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../../../scripts/chromium.mjs';

/** Pages have WebGPU at this origin, which browsers trust, and not at the other. Both are answered by the test; nothing is asked for over a network. */
const TRUSTED = 'http://localhost/';
const UNTRUSTED = 'http://gradus.test/';

const PATIENCE = 600_000;

/**
 * Browsers clear the memory of workgroups, which the software driver compiles as one store for each element: seconds for a product's tile. Kernels
 * write that memory before they read it, so it is left as it is, as in Node.js: what was there before is the harder test.
 */
const FLAGS = ['--enable-dawn-features=disable_workgroup_init'];

const everything = process.env['GRADUS_WEBGPU_KIT'] === 'whole';
const { browser, reasons } = await startChromium({ graphics: 'software', flags: FLAGS });
const extent = everything ? 'the whole kit' : 'a sample of optional kernels, as they take minutes to compile there: GRADUS_WEBGPU_KIT=whole runs all';
const title = browser === null ? `webgpu in Chromium (skipped: none starts here: ${reasons.join('; ')})` : `webgpu in Chromium (${extent})`;

/** Checks run in the page; here only their names are used. */
const checks: readonly Check[] = conformance(() => {
  throw new Error('checks run in the page');
});

/** The first name of each kind of kernel and pass. */
function sample(names: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const name of names.filter((each) => !each.includes('float64'))) {
    const [, kind] = name.split(' / ');
    const [pass] = /forward|backward|inputGradient|filterGradient/.exec(name) ?? [];
    const key = [kind, pass].join();
    if (!found.has(key)) found.set(key, name);
  }
  return [...found.values()];
}

const namesOf = (level: Level): string[] => checks.filter((check) => check.level === level).map(({ name }) => name);
const KINDS = ['contract', 'convolution', 'pool', 'rowwise', 'attention', 'optimizerStep', 'quantizedContract', 'scan', 'sort', 'argReduce'];
const optional = everything ? namesOf('optional') : sample(namesOf('optional'));

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
  const script = bundle();
  let page: Page;

  /** A page of its own, with what is kept on it. */
  async function open(url: string): Promise<Page> {
    const opened = await (browser as Browser).newPage();
    await opened.route('**/*', async (route) => {
      if (route.request().url().endsWith('script.js')) return route.fulfill({ contentType: 'text/javascript', body: await script });
      return route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="script.js"></script>' });
    });
    await opened.goto(url);
    return opened;
  }

  beforeAll(async () => {
    page = await open(TRUSTED);
  });
  afterAll(() => browser?.close());

  test.each(['storage', 'map', 'reduce', 'scatter'] as const)('%s', { timeout: PATIENCE }, async (level) => {
    expect(await page.evaluate((names) => work.check(names), namesOf(level))).toEqual([]);
  });

  test.each(KINDS)('optional: %s', { timeout: PATIENCE }, async (kind) => {
    const names = optional.filter((name) => name.startsWith(`optional / ${kind} / `));
    expect(names).not.toEqual([]);
    expect(await page.evaluate((given) => work.check(given), names)).toEqual([]);
  });

  test('no kind of kernel was left out', () => {
    expect(new Set(namesOf('optional').map((name) => name.split(' / ')[1]))).toEqual(new Set(KINDS));
  });

  test('tiles are kept in IndexedDB: the next device has them, and an entry that is nonsense counts as none', async () => {
    const [before, tuned, second, third] = await page.evaluate(() => work.tune());
    expect(before).toEqual([]);
    expect(tuned).toHaveLength(1);
    expect(second).toEqual(tuned);
    expect(third).toEqual([]);
  });

  test('a lost device: whatever waits, or comes later, is told so', async () => {
    const { waiting, atOnce, later } = await page.evaluate(() => work.lose());
    // What waits may be done before the device is destroyed.
    for (const code of waiting) expect(['nothing', 'DEVICE_LOST']).toContain(code);
    expect([...atOnce, ...later]).toEqual(['DEVICE_LOST', 'DEVICE_LOST', 'DEVICE_LOST', 'DEVICE_LOST']);
  });

  test('a page that is not served by https or from localhost has no WebGPU, and is told why', async () => {
    const [code, message] = await (await open(UNTRUSTED)).evaluate(() => work.open());
    expect(code).toBe('WEBGPU_UNAVAILABLE');
    expect(message).toMatch(/navigator\.gpu is missing.*wasm\(\) from @gradus\/backend-wasm/);
  });
});
