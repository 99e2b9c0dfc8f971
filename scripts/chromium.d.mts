import type { Browser } from 'playwright-core';

/** Starts a headless Chromium; null where none starts, with the reasons. */
export function startChromium(options?: {
  /** `software`: pages have WebGPU, computed by the processor. Default: they have no graphics card. */
  readonly graphics?: 'none' | 'software';
}): Promise<{ readonly browser: Browser | null; readonly reasons: readonly string[] }>;
