/** Step 1: two networks. */

import { manualSeed } from '@gradus/tensor';
import type { Sequential } from '@gradus/nn';
import { lenet, mlp, weightsOf } from '../models.ts';
import type { Tour } from '../tour.ts';
import { count } from '../words.ts';

/** In MNIST. */
const TEST_IMAGES = 10_000;

/** The two networks of the tour. */
export interface Networks {
  readonly lenet: Sequential;
  readonly mlp: Sequential;
}

/** Builds both from the seed. */
export function network({ settings, data, journal }: Tour): Networks {
  journal.begin('1. Network');
  journal.say(
    `MNIST: ${count(data.train.length)} of its 60,000 images to train on, for the sake of time, ${count(data.validation.length)} others held out, ${data.test.length === TEST_IMAGES ? 'all' : `${count(data.test.length)} of the`} ${count(TEST_IMAGES)} test images.`,
  );
  manualSeed(settings.seed);
  const networks = { lenet: lenet(), mlp: mlp() };
  journal.say(`LeNet, ${count(weightsOf(networks.lenet))} weights: ${layersOf(networks.lenet)}`);
  journal.say(`MLP, ${count(weightsOf(networks.mlp))} weights: ${layersOf(networks.mlp)}`);
  return networks;
}

/** `Conv2d(1, 6, 5) → ReLU() → …` */
function layersOf(model: Sequential): string {
  return [...model.namedChildren()].map(([, layer]) => String(layer)).join(' → ');
}
