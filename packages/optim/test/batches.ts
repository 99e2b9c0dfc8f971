/** What the tests train on: one small batch, and a small network. */

import { Linear, ReLU, Sequential } from '@gradus/nn';
import { iterationScopes, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

export const BATCH = 16;
export const FEATURES = 12;
export const CLASSES = 5;

/** The same small batch, `count` times. */
export function* batches(count: number): Generator<[Tensor, Tensor]> {
  const xs = Float32Array.from({ length: BATCH * FEATURES }, (_, i) => Math.sin(i * 1.7));
  const ys = Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES);
  for (let i = 0; i < count; i++) yield [tensor(xs, { shape: [BATCH, FEATURES] }), tensor(ys)];
}

/** The same, each iteration a scope. */
export const loop = (count: number): AsyncIterableIterator<[Tensor, Tensor]> => iterationScopes(batches(count));
export const mlp = (): Sequential => new Sequential(new Linear(FEATURES, 24), new ReLU(), new Linear(24, CLASSES));
