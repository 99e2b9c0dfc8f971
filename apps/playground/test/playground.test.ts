/** The built page in a real Chromium, as visitors use it. WebGPU computes on the software driver there. */

import { decodeSafetensors } from '@gradus/formats';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { createServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../../../scripts/chromium.mjs';
import { ISOLATION_HEADERS } from '../server/isolation.ts';
import { buildPage, headersOf, serve } from './serve.ts';
import { Complaints, Visit } from './visit.ts';

const { browser, reasons } = await startChromium({ graphics: 'software' });
const title = browser === null ? `the page (skipped: no Chromium starts here: ${reasons.join('; ')})` : 'the page';

/** Enough for a drawing to be recognised, and a second's work for wasm. */
const GOOD = 95;

const SEVEN = [[0.28, 0.25], [0.72, 0.25], [0.45, 0.82]] as const; // prettier-ignore
const ONE = [[0.5, 0.15], [0.5, 0.85]] as const; // prettier-ignore

describe.skipIf(browser === null)(title, () => {
  const chromium = browser as Browser;
  const complaints = new Complaints();
  const servers: Server[] = [];
  let [url, plainUrl] = ['', ''];
  let warnings: readonly string[] = [];
  let visit: Visit;

  beforeAll(async () => {
    const built = await buildPage();
    warnings = built.warnings;
    const [isolated, plain] = [await serve(built.folder, await headersOf(built.folder)), await serve(built.folder, {})];
    servers.push(isolated.server, plain.server);
    [url, plainUrl] = [isolated.url, plain.url];
    visit = await Visit.begin(chromium, url, complaints);
  });

  afterAll(async () => {
    await chromium.close();
    for (const server of servers) server.close();
  });

  test('is built without warnings', () => expect(warnings).toEqual([]));

  test('is isolated from other origins, and lacks nothing', async () => {
    expect(await visit.page.evaluate(() => crossOriginIsolated && typeof SharedArrayBuffer === 'function')).toBe(true);
    expect(await visit.page.isHidden('#notices')).toBe(true);
  });

  test('says of a network that has learned nothing that its answers are guesses', async () => {
    await visit.draw(ONE);
    await visit.says('#recognised', 'a guess: it has not learned anything yet');
  });

  test('trains until more than 90 % of the test images are right, and shows it', async () => {
    await visit.page.click('#toggle');
    await visit.says('#announcer', 'Training on wasm');
    await visit.atLeast('#test-accuracy', GOOD);
    expect(await visit.number('#speed')).toBeGreaterThan(0);
    expect(await visit.number('#loss')).toBeLessThan(0.5);
    await visit.says('#confusion-text', 'all 10,000 test images');
    const cells = await visit.page.locator('#confusion-table td').allTextContents();
    expect(cells.map(Number).reduce((a, b) => a + b)).toBeGreaterThanOrEqual(1000);
    expect(await visit.page.getAttribute('#accuracy-chart', 'aria-label')).toMatch(/^Test accuracy over images seen: from .* % to 9\d\.\d %$/);
    const coloured = await visit.page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('#accuracy-chart canvas');
      const { data = [] } = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
      return data.filter((_, i) => i % 4 === 1 && (data[i] ?? 0) > (data[i - 1] ?? 0) + 60).length; // greener than red: the line of the test
    });
    expect(coloured).toBeGreaterThan(200);
  });

  test('goes on on another device while it trains, from where it was', async () => {
    for (const device of ['cpu', 'wasm']) {
      const before = await visit.number('#seen');
      await visit.moveTo(device);
      await visit.atLeast('#seen', before + 256);
      expect(await visit.number('#loss')).toBeLessThan(0.5);
      expect(await visit.text('#toggle')).toBe('Pause');
    }
    expect(await visit.number('#test-accuracy')).toBeGreaterThan(90);
    expect(await visit.text('#failure')).toBe('');
  });

  test('recognises what is drawn', async () => {
    for (const [digit, points] of [
      ['1', ONE],
      ['7', SEVEN],
    ] as const) {
      // prettier-ignore
      await visit.page.click('#clear');
      expect(await visit.text('#recognised')).toBe('Nothing to recognise yet.');
      await visit.draw(points);
      await visit.says('#recognised', `${digit}, `);
      await visit.says('#announcer', `${digit}, `);
      expect(await visit.text('#bars .best .label')).toBe(digit);
    }
  });

  test('pauses and goes on', async () => {
    await visit.page.click('#toggle');
    await visit.says('#announcer', 'Paused after');
    const seen = await visit.number('#seen');
    expect(await visit.text('#toggle')).toBe('Go on');
    await visit.page.click('#toggle');
    await visit.atLeast('#seen', seen + 640);
    await visit.page.click('#toggle');
    await visit.says('#toggle', 'Go on');
  });

  test('gives the weights as safetensors, and takes them back', async () => {
    const [download] = await Promise.all([visit.page.waitForEvent('download'), visit.page.click('#save')]);
    expect(download.suggestedFilename()).toBe('gradus-mnist-mlp.safetensors');
    const bytes = await readFile(await download.path());
    const { tensors, metadata } = decodeSafetensors(bytes);
    const shapes = Object.entries(tensors).map(([name, t]) => [name, t.shape]);
    expect(Object.fromEntries(shapes)).toEqual({ '0.weight': [128, 784], '0.bias': [128], '2.weight': [10, 128], '2.bias': [10] });
    expect(metadata).toMatchObject({ model: 'mlp', dataset: 'mnist' });

    await visit.page.selectOption('#model', 'linear');
    await visit.says('#choice-text', '“New network” starts over with Linear on MNIST');
    await visit.page.click('#renew');
    await visit.says('#announcer', 'New network with 7,850 weights');
    await visit.page.setInputFiles('#load', { name: 'mlp.safetensors', mimeType: 'application/octet-stream', buffer: bytes });
    await visit.atLeast('#test-accuracy', GOOD - 2);
    expect(await visit.page.inputValue('#model')).toBe('mlp');
    expect(await visit.number('#seen')).toBe(0);

    await visit.page.setInputFiles('#load', { name: 'odd.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from('no weights') });
    await visit.says('#failure', 'expected');
    expect(await visit.number('#test-accuracy')).toBeGreaterThan(GOOD - 2);
  });

  test('fits a phone: 360 pixels, and nothing to scroll sideways', async () => {
    await visit.page.setViewportSize({ width: 360, height: 740 });
    await visit.page.waitForFunction(() => (document.querySelector<HTMLElement>('#loss-chart .uplot')?.offsetWidth ?? 999) < 340);
    expect(await visit.page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    const outside = await visit.page.evaluate(() =>
      [...document.querySelectorAll('button, select, label, canvas, td, th, dd')]
        .filter((each) => each.getBoundingClientRect().right > 360)
        .map((each) => each.outerHTML),
    );
    expect(outside).toEqual([]);
    await visit.page.setViewportSize({ width: 1200, height: 900 });
  });

  test('is driven by keyboard alone, and shows where the focus is', async () => {
    const { page } = visit;
    await visit.draw(ONE); // so that there is something to clear
    const stops: string[] = [];
    await page.evaluate(() => {
      document.body.tabIndex = -1;
      document.body.focus(); // from the beginning
      document.body.removeAttribute('tabindex');
    });
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab');
      const stop = await page.evaluate(() => {
        const focused = document.activeElement;
        if (focused === null || focused === document.body) return null;
        const shown = focused.matches('.segments input, .button input') ? focused.closest('label') : focused;
        const outline = shown === null ? 'none' : getComputedStyle(shown).outlineStyle;
        return { name: focused.id || focused.getAttribute('name') || focused.textContent, outline };
      });
      if (stop === null) break;
      expect(stop, JSON.stringify(stop)).toMatchObject({ outline: expect.not.stringMatching('none') });
      stops.push(stop.name ?? '');
    }
    const expected = [
      'Skip to the controls',
      'model',
      'dataset',
      'device',
      'rate',
      'batch',
      'toggle',
      'renew',
      'save',
      'load',
      'test-image',
      'clear',
      'gradus',
    ];
    expect(stops).toEqual(expected);

    await page.focus('#device input:checked');
    await page.keyboard.press('ArrowLeft');
    await visit.says('#announcer', 'Goes on on cpu');
    await page.focus('#test-image');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#pad')?.ariaLabel?.startsWith('Test image'));
    await page.focus('#clear');
    await page.keyboard.press('Space');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('test-image');
    await page.focus('#toggle');
    await page.keyboard.press('Space');
    await visit.says('#toggle', 'Pause');
    await visit.atLeast('#seen', 1);
    await page.keyboard.press('Space');
    await visit.says('#toggle', 'Go on');
  });

  test('has a name for everything that can be used', async () => {
    const nameless = await visit.page.evaluate(() =>
      [...document.querySelectorAll<HTMLInputElement>('button, select, input, a, canvas[role], [role=img], table')]
        .filter((each) => {
          const labels = 'labels' in each ? [...(each.labels ?? [])].map((label) => label.textContent).join('') : '';
          return (labels || each.textContent || each.ariaLabel || each.getAttribute('aria-labelledby') || '').trim() === '';
        })
        .map((each) => each.outerHTML),
    );
    expect(nameless).toEqual([]);
  });

  test('takes Fashion-MNIST from the visitor’s files', async () => {
    const { page } = visit;
    await page.selectOption('#dataset', 'fashion-mnist');
    expect(await page.isVisible('#files')).toBe(true);
    expect(await page.isDisabled('#renew')).toBe(true);
    const file = (name: string, header: readonly number[], body: Uint8Array): { name: string; mimeType: string; buffer: Buffer } => {
      const sizes = Buffer.alloc(4 * header.length);
      for (const [i, size] of header.entries()) sizes.writeUInt32BE(size, 4 * i);
      return { name, mimeType: '', buffer: Buffer.concat([Buffer.of(0, 0, 8, header.length), sizes, body]) };
    };
    const labels = Uint8Array.from({ length: 64 }, (_, i) => i % 10);
    // An image of class c is white down to row 2c.
    const images = Uint8Array.from({ length: 64 * 784 }, (_, i) => (Math.floor((i % 784) / 28) <= 2 * (labels[Math.floor(i / 784)] ?? 0) ? 255 : 0));
    const files = ['train', 't10k'].flatMap((part) => [
      file(`${part}-images-idx3-ubyte`, [64, 28, 28], images),
      file(`${part}-labels-idx1-ubyte`, [64], labels),
    ]);
    await page.setInputFiles('#files', files.slice(1));
    await visit.says('#failure', 'train-images-idx3-ubyte');
    await page.setInputFiles('#files', files);
    await visit.says('#announcer', 'for Fashion-MNIST');
    expect(await page.isVisible('#files')).toBe(false);
    expect(await page.locator('#bars .label').allTextContents()).toContain('Sneaker');
    await page.click('#toggle');
    await visit.atLeast('#test-accuracy', 95);
    await page.click('#toggle');
    await visit.end();
  });

  test('goes on on the graphics card and back', { timeout: 180_000 }, async () => {
    const graphics = await Visit.begin(chromium, url, complaints);
    const { page } = graphics;
    await page.selectOption('#model', 'linear'); // the card is this processor, in software
    await page.selectOption('#batch', '32');
    await graphics.says('#announcer', 'New network with 7,850 weights');
    await page.click('#toggle');
    await graphics.atLeast('#test-accuracy', 85);
    for (const device of ['webgpu', 'wasm']) {
      const before = await graphics.number('#seen');
      await graphics.moveTo(device);
      await graphics.atLeast('#seen', before + 96);
      expect(await graphics.number('#loss')).toBeLessThan(1);
    }
    await page.click('#toggle');
    await graphics.says('#announcer', 'Paused after');
    expect(await graphics.text('#failure')).toBe('');
    await graphics.end();
  });

  test('goes on on a new device when the graphics card is lost', { timeout: 180_000 }, async () => {
    const graphics = await Visit.begin(chromium, url, complaints);
    const { page } = graphics;
    const [worker] = page.workers();
    if (worker === undefined) throw new Error('the page has no worker');
    // The worker keeps its device to itself: this notes the one it asks for.
    await worker.evaluate(() => {
      // oxlint-disable-next-line typescript/unbound-method -- it is called with the adapter below
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (descriptor) {
        return ((globalThis as { device?: GPUDevice }).device = await request.call(this, descriptor));
      };
    });
    await page.selectOption('#model', 'linear');
    await page.selectOption('#batch', '32');
    await graphics.says('#announcer', 'New network with 7,850 weights');
    await page.click('#toggle');
    await graphics.atLeast('#test-accuracy', 80);
    await graphics.moveTo('webgpu');
    await graphics.atLeast('#seen', (await graphics.number('#seen')) + 96);
    await worker.evaluate(() => (globalThis as { device?: GPUDevice }).device?.destroy());
    await graphics.says('#failure', 'webgpu was lost and opened again: training goes on from ');
    await graphics.atLeast('#seen', (await graphics.number('#seen')) + 96);
    expect(await graphics.number('#loss')).toBeLessThan(1);
    expect(await graphics.text('#toggle')).toBe('Pause');
    await graphics.end();
  });

  test('says plainly what a browser lacks, and works with the rest', async () => {
    const poor = await Visit.begin(chromium, plainUrl, complaints, () => {
      delete (globalThis as { WebAssembly?: unknown }).WebAssembly;
      Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });
    });
    expect(await poor.text('#notices')).toMatch(/No WebAssembly.*This browser has no WebGPU/s);
    expect(await poor.page.locator('#device input:disabled').count()).toBe(2);
    await poor.page.selectOption('#model', 'linear'); // for the sake of cpu
    await poor.page.click('#toggle');
    await poor.atLeast('#seen', 256);
    await poor.end();
  });

  test('trains on one thread where the host sends no headers, and says so', async () => {
    const plain = await Visit.begin(chromium, plainUrl, complaints);
    expect(await plain.text('#notices')).toMatch(/one thread.*Cross-Origin-Embedder-Policy: require-corp/s);
    await plain.page.click('#toggle');
    await plain.says('#announcer', 'Training on wasm');
    await plain.atLeast('#test-accuracy', 80);
    await plain.end();
  });

  test('left nothing on the console, and asked no other host for anything', () => expect(complaints.all).toEqual([]));
});

test('is isolated while it is worked on, too: in development and preview', async () => {
  const inline = { root: join(import.meta.dirname, '..'), logLevel: 'silent', server: { port: 0, host: '127.0.0.1' } } as const;
  const development = await createServer(inline);
  await development.listen();
  const previewed = await preview({ ...inline, build: { outDir: '.' }, preview: { port: 0, host: '127.0.0.1' } });
  try {
    for (const { resolvedUrls } of [development, previewed]) {
      const { headers } = await fetch(resolvedUrls?.local[0] ?? '');
      for (const [name, value] of Object.entries(ISOLATION_HEADERS)) expect(headers.get(name)).toBe(value);
    }
    const labels = await fetch(new URL('data/mnist/t10k-labels-idx1-ubyte.gz', development.resolvedUrls?.local[0]));
    expect([...new Uint8Array(await labels.arrayBuffer()).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
  } finally {
    await development.close();
    await previewed.close();
  }
});
