import type { Browser } from 'playwright-core';

/** Starts a headless Chromium; null where none starts, with the reasons. */
export function startChromium(options?: {
  /** What pages with WebGPU compute on: `software` is the processor, `hardware` the machine's graphics card. Default: none. */
  readonly graphics?: 'none' | 'software' | 'hardware';
  /** More flags of Chromium's. */
  readonly flags?: readonly string[];
}): Promise<{ readonly browser: Browser | null; readonly reasons: readonly string[] }>;
