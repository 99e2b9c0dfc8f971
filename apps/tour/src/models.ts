/** The two networks. Both take images `[N, 1, 28, 28]` and give logits `[N, 10]`, so that they can be fused and vote. */

import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gradus/nn';
import type { Module } from '@gradus/nn';

/** Digits. */
export const CLASSES = 10;

/** LeNet-5 as it is built today, with ReLU and max pooling: 61,706 weights. LeCun et al., "Gradient-based learning", 1998. */
export function lenet(): Sequential {
  const features = [new Conv2d(1, 6, 5, { padding: 2 }), new ReLU(), new MaxPool2d(2), new Conv2d(6, 16, 5), new ReLU(), new MaxPool2d(2)];
  const classifier = [new Linear(16 * 5 * 5, 120), new ReLU(), new Linear(120, 84), new ReLU(), new Linear(84, CLASSES)];
  return new Sequential(...features, new Flatten(), ...classifier);
}

/** A multilayer perceptron, 784-512-256-10: 535,818 weights. */
export function mlp(): Sequential {
  return new Sequential(new Flatten(), new Linear(28 * 28, 512), new ReLU(), new Linear(512, 256), new ReLU(), new Linear(256, CLASSES));
}

/** Learning rates for Adam to begin with, in batches of {@link BATCH}. */
export const RATES = { lenet: 2e-3, mlp: 2e-3 } as const;

/** Images in a step. */
export const BATCH = 64;

/** Number of weights. */
export function weightsOf(model: Module): number {
  return model.parameters().reduce((sum, { size }) => sum + size, 0);
}
