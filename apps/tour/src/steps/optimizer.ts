/** Step 3: the optimizer. Adam trains both networks; each step is one compiled function. */

import type { Curve } from '../journal.ts';
import { learn } from '../learn.ts';
import { BATCH, RATES } from '../models.ts';
import type { Recorded } from '../record.ts';
import type { Tour } from '../tour.ts';
import type { Trained } from '../training.ts';
import { count } from '../words.ts';
import type { Networks } from './network.ts';

/**
 * Trains, saves and measures one after the other, and keeps their curves.
 *
 * @returns the MLP's measurement, to compare with
 * @throws the signal's reason when it is aborted, with the network in training saved as it is
 */
export async function optimizer(tour: Tour, networks: Networks): Promise<Recorded> {
  const { settings, data, journal } = tour;
  journal.begin('3. Optimizer');
  const times = settings.epochs === 1 ? 'once' : `${settings.epochs} times`;
  journal.say(`Adam, in compiled steps of ${BATCH} images; its rate falls to 0. Each network sees ${count(data.train.length)} images ${times}.`);
  const curves: Curve[] = [];
  journal.chart({ title: 'Loss in training', x: 'images seen', y: 'log', curves });
  const plan = { images: data.train, epochs: settings.epochs, verbose: true };
  const keep = ({ loss }: Trained): void => void curves.push(loss);
  await learn(tour, { name: 'LeNet', file: 'lenet', model: networks.lenet }, { ...plan, lr: RATES.lenet }, keep);
  return learn(tour, { name: 'MLP', file: 'mlp', model: networks.mlp }, { ...plan, lr: RATES.mlp }, keep);
}
