/** The networks. All give ten logits for an image of 28 × 28. */

import type { ModelRecipe } from '@gradus/mnist/models';
import { MODELS as TRAINER } from '@gradus/mnist/models';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import type { ModelName } from '../choices.ts';

/** Softmax regression. */
function linear(): Module {
  return new Sequential(new Linear(784, 10));
}

/** Two convolutions, each halved by pooling, and one layer on top: small enough for a device without fast paths. */
function smallCnn(): Module {
  const block = (channelsIn: number, channelsOut: number): Module[] => [
    new Conv2d(channelsIn, channelsOut, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
  ];
  return new Sequential(...block(1, 8), ...block(8, 16), new Flatten(), new Linear(16 * 7 * 7, 10));
}

/** The networks by name; `mlp` and `cnn` are those of `npm start`, so that each reads the other's files. */
export const MODELS: Readonly<Record<ModelName, Omit<ModelRecipe, 'lr'>>> = {
  linear: { build: linear, flatten: true },
  mlp: TRAINER.mlp,
  'cnn-small': { build: smallCnn, flatten: false },
  cnn: TRAINER.cnn,
};
