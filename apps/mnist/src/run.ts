/** The program: reads the data, trains, says how it goes, saves. */

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fashionMnist, mnist, subset } from '@gradus/data';
import type { LabelledImages, Split } from '@gradus/data';
import { saveSafetensors } from '@gradus/formats';
import { manualSeed, setDefaultDevice } from '@gradus/tensor';
import { openDevice } from './device.ts';
import { INTERRUPTED } from './interrupt.ts';
import { MODELS } from './models.ts';
import { helpText, parseOptions } from './options.ts';
import type { Settings } from './options.ts';
import { exitCodeOf } from './program.ts';
import type { Surroundings } from './program.ts';
import { createProgress } from './progress.ts';
import { trainModel } from './train.ts';
import type { Epoch } from './train.ts';

/** Runs the program. @returns the exit code: 0, 1 for what went wrong, 2 for a wrong command line, 130 when it was stopped */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  return exitCodeOf(async () => {
    const settings = parseOptions(args);
    if (settings !== null) return train(settings, surroundings);
    surroundings.out.write(`${helpText()}\n`);
    return 0;
  }, surroundings.err);
}

async function train(settings: Settings, { out, err, signal, now }: Surroundings): Promise<number> {
  const print = (line: string): void => void out.write(`${line}\n`);
  setDefaultDevice(await openDevice(settings.device, print));
  manualSeed(settings.seed);
  const all = await openData('train', settings);
  const images = subset(all, 0, Math.min(settings.limit ?? all.length, all.length));
  const test = await openData('test', settings);
  const model = MODELS[settings.model].build();
  const weights = model.parameters().reduce((sum, { size }) => sum + size, 0);
  print(
    `${settings.model} with ${count(weights)} weights, ${settings.dataset}: ${count(images.length)} images to train on, ${count(test.length)} to test`,
  );

  let start = now();
  const onEpoch = ({ number, loss, trainAccuracy, testAccuracy }: Epoch): void => {
    const seconds = ((now() - start) / 1000).toFixed(1);
    print(
      `epoch ${number}/${settings.epochs}: loss ${loss.toFixed(4)}, accuracy ${percent(trainAccuracy)} in training, ${percent(testAccuracy)} in the test, ${seconds} s`,
    );
    start = now();
  };
  const progress = createProgress({ epochs: settings.epochs, images: images.length, stream: err, now });
  const epochs = await trainModel({ ...settings, model, train: images, test, progress, signal, onEpoch });

  const stopped = signal.aborted ? stopLine(epochs) : null;
  if (stopped !== null) print(stopped);
  else print(`test accuracy: ${percent(epochs.at(-1)?.testAccuracy ?? null)}`);
  if (epochs.some((epoch) => epoch.images > 0)) print(await save(settings, model.stateDict(), epochs));
  model.dispose();
  return stopped === null ? 0 : INTERRUPTED;
}

async function openData(split: Split, { dataset, dataDir, model }: Settings): Promise<LabelledImages> {
  const { flatten } = MODELS[model];
  if (dataset === 'fashion-mnist') return fashionMnist(split, { folder: dataDir ?? '', flatten });
  return mnist(split, { flatten, ...(dataDir === undefined ? {} : { folder: dataDir }) });
}

/** Where training was stopped, and how good the model was. */
function stopLine(epochs: readonly Epoch[]): string {
  const last = epochs.at(-1);
  if (last === undefined || last.images === 0) return 'stopped before the first batch';
  const tested = epochs.findLast((epoch) => epoch.testAccuracy !== null);
  const accuracies = [`${percent(last.trainAccuracy)} in training so far`];
  if (tested !== undefined) accuracies.push(`${percent(tested.testAccuracy)} in the test after epoch ${tested.number}`);
  return `stopped in epoch ${last.number} after ${count(last.images)} images: accuracy ${accuracies.join(', ')}`;
}

async function save(
  { out, model, dataset, seed }: Settings,
  weights: Parameters<typeof saveSafetensors>[1],
  epochs: readonly Epoch[],
): Promise<string> {
  await mkdir(dirname(out), { recursive: true });
  const metadata = { model, dataset, seed: String(seed), epochs: String(epochs.filter((epoch) => epoch.testAccuracy !== null).length) };
  const bytes = await saveSafetensors(out, weights, metadata);
  return `saved ${out}, ${count(bytes)} bytes`;
}

const count = (n: number): string => n.toLocaleString('en');

/** `97.93 %` */
function percent(share: number | null): string {
  return share === null ? 'unknown' : `${(100 * share).toFixed(2)} %`;
}
