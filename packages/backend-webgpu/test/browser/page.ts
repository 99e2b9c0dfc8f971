/** Runs in the page: checks of the conformance kit by name, what is kept in IndexedDB, and what a lost device says. Bundled by `browser.test.ts`. */

import { GradusError } from '@gradus/backend';
import { conformance } from '@gradus/backend-testkit';
import type { Check } from '@gradus/backend-testkit';
import { webgpu } from '../../src/index.ts';
import type { TileChoice, WebGpuDevice } from '../../src/index.ts';
import { entryName, openStore } from '../../src/tuning/store.ts';
import { lent } from '../lending.ts';

/** What the page can be told to do. */
interface Work {
  /** Runs these checks; gives the failures. Checks of kernels share one device. */
  check(names: readonly string[]): Promise<readonly string[]>;
  /** Tunes one shape; the tiles that a device knows before, after, on a second device, and on one that finds nonsense in the store. */
  tune(): Promise<readonly (readonly (readonly [string, TileChoice])[])[]>;
  /** Codes of what is rejected: operations that wait when the device is destroyed, that follow at once, and that follow the news. */
  lose(): Promise<Readonly<Record<'waiting' | 'atOnce' | 'later', readonly string[]>>>;
  /** Opens a device and ends it; the code and message of what went wrong. */
  open(): Promise<readonly [code: string, message: string]>;
}

declare global {
  // oxlint-disable-next-line no-var -- what a declaration of a global has to be
  var work: Work;
}

const codeOf = (error: unknown): string => (error instanceof GradusError ? error.code : String(error));

/** `nothing` where the promise is not rejected. */
async function rejection(of: Promise<unknown>): Promise<string> {
  try {
    await of;
    return 'nothing';
  } catch (error) {
    return codeOf(error);
  }
}

let shared: Promise<WebGpuDevice> | null = null;

async function deviceFor({ level }: Pick<Check, 'level'>): Promise<WebGpuDevice> {
  if (level === 'storage') return webgpu({ tuning: false });
  return lent(await (shared ??= webgpu({ tuning: false })));
}

const checks = new Map<string, Check>();
for (const level of ['storage', 'map', 'reduce', 'scatter', 'optional'] as const)
  for (const check of conformance(() => deviceFor({ level }), { level })) checks.set(check.name, check);

globalThis.work = {
  async check(names) {
    const failures: string[] = [];
    for (const name of names) {
      try {
        const check = checks.get(name);
        if (check === undefined) throw new Error('no such check');
        await check.run();
      } catch (error) {
        failures.push(`${name}: ${String(error)}`);
      }
    }
    return failures;
  },

  async tune() {
    const device = await webgpu();
    const before = [...device.tunedTiles];
    await device.tune([{ batch: 1, m: 8, n: 8, k: 16 }]);
    const second = await webgpu();
    await openStore(undefined)?.write(entryName(device.name), '{ "webgpu');
    const third = await webgpu();
    const found = [before, [...device.tunedTiles], [...second.tunedTiles], [...third.tunedTiles]];
    for (const each of [device, second, third]) each.dispose();
    return found;
  },

  async lose() {
    const device = await webgpu({ tuning: false });
    const block = device.allocate(64);
    device.write(block, new Uint8Array(64));
    const operations = (): Promise<string>[] => [rejection(device.read(block, 0, 64)), rejection(device.synchronize())];
    const waiting = operations();
    (device.gpu as GPUDevice).destroy();
    const atOnce = operations();
    const found = { waiting: await Promise.all(waiting), atOnce: await Promise.all(atOnce) };
    await device.lost;
    const later = await Promise.all(operations());
    device.dispose();
    return { ...found, later };
  },

  async open() {
    try {
      (await webgpu()).dispose();
      return ['none', ''];
    } catch (error) {
      return [codeOf(error), String(error)];
    }
  },
};
