/** Step 3: the optimizer. Adam trains both networks; each step is one compiled function. */

import { RATES } from '../models.ts';
import { record, save } from '../record.ts';
import type { Measurement } from '../measure.ts';
import type { Tour } from '../tour.ts';
import { train } from '../training.ts';
import type { Trained } from '../training.ts';
import { count } from '../words.ts';
import type { Networks } from './network.ts';

/** Trains both, keeps their curves, saves and measures them. @returns the MLP's measurement, to compare with. @throws the signal's reason */
export async function optimizer(tour: Tour, networks: Networks): Promise<Measurement & { readonly bytes: number }> {
  const { settings, data, journal, signal } = tour;
  journal.begin('3. Optimizer');
  journal.say(
    `Adam, in compiled steps of 64 images; its rate falls to 0. Each network sees ${count(data.train.length)} images ${settings.epochs === 1 ? 'once' : `${settings.epochs} times`}.`,
  );
  const subjects = [
    { name: 'LeNet', file: 'lenet', model: networks.lenet, lr: RATES.lenet },
    { name: 'MLP', file: 'mlp', model: networks.mlp, lr: RATES.mlp },
  ] as const;
  const trained: Trained[] = [];
  for (const subject of subjects) {
    if (signal.aborted) break;
    const result = await train(tour, { ...subject, images: data.train, epochs: settings.epochs, verbose: true });
    if (result.seen > 0) trained.push(result);
    if (signal.aborted && result.seen > 0) {
      await save(tour, subject);
      journal.say(`${subject.name} was stopped after ${count(result.seen)} images, and saved as it was.`);
    }
  }
  if (trained.length > 0) {
    const curves = trained.map((each) => each.loss);
    journal.chart({ title: 'Loss in training', x: 'images seen', y: 'log', curves });
  }
  signal.throwIfAborted();
  await record(tour, subjects[0]);
  return record(tour, subjects[1]);
}
