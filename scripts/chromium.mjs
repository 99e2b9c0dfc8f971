// Finds a Chromium for tests that need a browser: `CHROMIUM_PATH`, an installed one, or the one that npm brings.
import { existsSync } from 'node:fs';
import packaged from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** What pages with WebGPU compute on: nothing, the software driver that Chromium brings, or the machine's graphics card. */
const GRAPHICS = {
  none: ['--disable-gpu'],
  software: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  hardware: ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--use-angle=vulkan'],
};

/** Starts a headless Chromium, with more flags if any are given; null where none starts, with the reasons. */
export async function startChromium({ graphics = 'none', flags = [] } = {}) {
  const reasons = [];
  const given = process.env.CHROMIUM_PATH;
  const candidates = [...(given === undefined ? [] : [given]), ...INSTALLED.filter((path) => existsSync(path))];
  for (const path of [...candidates, null]) {
    try {
      const executablePath = path ?? (await packaged.executablePath());
      const browser = await chromium.launch({
        executablePath,
        headless: true,
        args: ['--no-sandbox', '--no-first-run', ...GRAPHICS[graphics], ...flags],
      });
      return { browser, reasons };
    } catch (error) {
      reasons.push(`${path ?? 'the packaged one'}: ${String(error).split('\n')[0]}`);
    }
  }
  return { browser: null, reasons };
}
