/** The program: opens the data, walks the six steps, and writes the report of what there is. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INTERRUPTED, exitCodeOf, openDevice } from '@gradus/mnist';
import type { Surroundings } from '@gradus/mnist';
import { setDefaultDevice } from '@gradus/tensor';
import { openData } from './data.ts';
import { Journal } from './journal.ts';
import { helpText, parseOptions } from './options.ts';
import type { Settings } from './options.ts';
import { reportPage } from './report/page.ts';
import { textTable } from './report/table.ts';
import { augmentation } from './steps/augmentation.ts';
import { compression } from './steps/compression.ts';
import { fusion } from './steps/fusion.ts';
import { loss } from './steps/loss.ts';
import { network } from './steps/network.ts';
import { optimizer } from './steps/optimizer.ts';
import type { Tour } from './tour.ts';
import { count } from './words.ts';

/** Runs the program. @returns the exit code: 0, 1 for what went wrong, 2 for a wrong command line, 130 when it was stopped */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  return exitCodeOf(async () => {
    const settings = parseOptions(args);
    if (settings !== null) return walk(settings, surroundings);
    surroundings.out.write(`${helpText()}\n`);
    return 0;
  }, surroundings.err);
}

/** Walks the tour and writes everything into `settings.out`. @returns the exit code: 0, or 130 when it was stopped */
export async function walk(settings: Settings, { out, err, signal, now }: Surroundings): Promise<number> {
  const start = now();
  await mkdir(settings.out, { recursive: true });
  const device = await openDevice(settings.backend, (line) => void out.write(`${line}\n`));
  setDefaultDevice(device);
  const journal = new Journal(out);
  await walkSteps({ settings, data: await openData(settings.sizes), journal, err, signal, now });

  const seconds = (now() - start) / 1000;
  const page = reportPage({ settings, device: device.name, journal, seconds, stopped: signal.aborted });
  const file = join(settings.out, 'report.html');
  await writeFile(file, page);
  if (journal.rows.length > 0) out.write(`\n${textTable(journal.rows)}\n`);
  out.write(`\n${signal.aborted ? 'stopped; ' : ''}wrote ${file}, ${count(Buffer.byteLength(page))} bytes, after ${seconds.toFixed(0)} s\n`);
  return signal.aborted ? INTERRUPTED : 0;
}

/** All steps, or those before the signal. */
async function walkSteps(tour: Tour): Promise<void> {
  try {
    const networks = network(tour);
    await loss(tour, networks);
    const measured = await optimizer(tour, networks);
    await augmentation(tour);
    await compression(tour, networks, measured);
    await fusion(tour, networks);
  } catch (error) {
    if (!(tour.signal.aborted && error === tour.signal.reason)) throw error;
  }
}
