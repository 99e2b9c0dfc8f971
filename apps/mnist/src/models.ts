/** The two classifiers. Both give ten logits for an image of 28 × 28. */

import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gradus/nn';
import type { Module } from '@gradus/nn';

/** How to make a model, and what it takes. */
export interface ModelRecipe {
  readonly build: () => Module;
  /** x is rows `[N, 784]`; false: images `[N, 1, 28, 28]`. */
  readonly flatten: boolean;
  /** A good learning rate for Adam to begin with. */
  readonly lr: number;
}

/** One hidden layer: 101,770 weights, about 97.9 % of MNIST's test images right after 3 epochs. */
function mlp(): Module {
  return new Sequential(new Linear(784, 128), new ReLU(), new Linear(128, 10));
}

/** Convolution, batch norm, and pooling to half the height and width. */
function block(channelsIn: number, channelsOut: number): Module[] {
  return [new Conv2d(channelsIn, channelsOut, 3, { padding: 1 }), new BatchNorm2d(channelsOut), new ReLU(), new MaxPool2d(2)];
}

/** Two convolutions with batch norm, each halved by pooling, and two layers on top: 421,834 weights, about 99 %. */
function cnn(): Module {
  const head = [new Flatten(), new Linear(64 * 7 * 7, 128), new ReLU(), new Dropout(0.5), new Linear(128, 10)];
  return new Sequential(...block(1, 32), ...block(32, 64), ...head);
}

/** The models by name. */
export const MODELS = {
  mlp: { build: mlp, flatten: true, lr: 5e-3 },
  cnn: { build: cnn, flatten: false, lr: 1e-3 },
} as const satisfies Readonly<Record<string, ModelRecipe>>;

export type ModelName = keyof typeof MODELS;
