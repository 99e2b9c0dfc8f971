/** Networks that classify digits, and steps of their training: what training is measured with, in Node.js and in browsers. */

import { crossEntropy } from '@gradus/losses';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gradus/nn';
import type { Module, Parameter } from '@gradus/nn';
import type { Optimizer } from '@gradus/optim';
import { compile, manualSeed } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

export const BATCH = 64;
export const SIZES = [784, 512, 256, 10] as const;
export const CLASSES = SIZES[3];

/** Forward and both backward products of each layer; the first layer has no input gradient. */
export const MLP_FLOPS = 2 * BATCH * (3 * (784 * 512 + 512 * 256 + 256 * 10) - 784 * 512);
/** The same of the CNN's convolutions and layers. */
export const CNN_FLOPS = 2 * BATCH * (2 * 676 * 9 * 32 + 3 * 576 * 288 * 64 + 3 * (9216 * 128 + 128 * 10));

/** So small that a batch seen a thousand times is not learned by heart: gradients would become denormal numbers, slow on every toolkit. */
export const RATE = 1e-7;

export const labels = (count: number, classes: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i % classes);

export function mlp(): Module {
  const [first, second, third, last] = SIZES;
  return new Sequential(new Linear(first, second), new ReLU(), new Linear(second, third), new ReLU(), new Linear(third, last));
}

export function cnn(): Module {
  const head = [new Flatten(), new Linear(9216, 128), new ReLU(), new Linear(128, CLASSES)];
  return new Sequential(new Conv2d(1, 32, 3), new ReLU(), new Conv2d(32, 64, 3), new ReLU(), new MaxPool2d(2), ...head);
}

export type MakeOptimizer = (parameters: readonly Parameter[]) => Optimizer;

/** A step of one model on a batch, compiled or as a plain loop does it; gives the loss. */
export function trainingStep(build: () => Module, make: MakeOptimizer, compiled: boolean): (x: Tensor, y: Tensor) => Tensor {
  manualSeed(0);
  const model = build();
  const optimizer = make(model.parameters());
  const plain = (images: Tensor, targets: Tensor): Tensor => {
    const logits = model.forward(images);
    const loss = crossEntropy(logits.reshape([-1, logits.shape.at(-1) ?? 1]), targets.reshape([-1]));
    optimizer.minimize(loss);
    return loss;
  };
  return compiled ? compile(plain) : plain;
}

/** The same labels as rows with a 1 each. */
export function oneHotLabels(): Float32Array {
  const oneHot = new Float32Array(BATCH * CLASSES);
  labels(BATCH, CLASSES).forEach((label, i) => (oneHot[i * CLASSES + label] = 1));
  return oneHot;
}
