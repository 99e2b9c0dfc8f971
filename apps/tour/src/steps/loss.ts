/** Step 2: the loss, of networks that know nothing yet. */

import { crossEntropy } from '@gradus/losses';
import { noGrad, scope } from '@gradus/tensor';
import { subset } from '@gradus/data';
import { wholeBatch } from '../data.ts';
import { CLASSES } from '../models.ts';
import type { Tour } from '../tour.ts';
import { count } from '../words.ts';
import type { Networks } from './network.ts';

/** Images that the loss is measured on. */
const IMAGES = 500;

/** Measures the cross entropy of both networks before any training. */
export async function loss({ data, journal }: Tour, networks: Networks): Promise<void> {
  journal.begin('2. Loss');
  const images = subset(data.validation, 0, Math.min(IMAGES, data.validation.length));
  const [before, other] = await scope(async () => {
    const [x, labels] = await wholeBatch(images);
    const of = (model: Networks[keyof Networks]): Promise<number> => noGrad(() => crossEntropy(model.forward(x), labels)).item();
    return [await of(networks.lenet), await of(networks.mlp)];
  });
  journal.say(`Cross entropy before training, on ${count(images.length)} images: LeNet ${before?.toFixed(4)}, MLP ${other?.toFixed(4)}.`);
  journal.say(`Guessing among ten classes costs ln 10 = ${Math.log(CLASSES).toFixed(4)}.`);
}
