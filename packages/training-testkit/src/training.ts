/** Training runs: fifty steps of a network on a device, with what is to be compared. */

import { Adam } from '@gradus/optim';
import type { Device, Tensor } from '@gradus/tensor';
import { compile, manualSeed, scope } from '@gradus/tensor';
import { subjectOn } from './models.ts';
import type { SubjectName } from './models.ts';

export const STEPS = 50;

/** Milliseconds, as finely as the engine tells. */
const now = (): number => (globalThis as unknown as { readonly performance: { now(): number } }).performance.now();

/** How a step is run. */
export type Form = 'plain' | 'compiled';

/** What a run leaves behind. */
export interface TrainingRun {
  readonly losses: readonly number[];
  /** Bytes that the device had handed out after each step. */
  readonly bytes: readonly number[];
  /** Milliseconds of each step, reading the loss included. */
  readonly stepMs: readonly number[];
}

/** Trains a network for {@link STEPS} steps of Adam. */
export async function train(device: Device, name: SubjectName, form: Form): Promise<TrainingRun> {
  const { module, loss, inputs } = subjectOn(device, name);
  const [x, y] = inputs;
  using optimizer = new Adam(module.parameters(), { lr: 0.01 });
  const plain = (images: Tensor, targets: Tensor): Tensor => {
    const cost = loss(images, targets);
    optimizer.minimize(cost);
    return cost;
  };
  using compiled = compile(plain);
  const step = form === 'compiled' ? compiled : plain;
  const [losses, bytes, stepMs]: [number[], number[], number[]] = [[], [], []];
  manualSeed(1);
  for (let i = 0; i < STEPS; i++) {
    const start = now();
    losses.push(await scope(async () => step(x, y).item()));
    stepMs.push(now() - start);
    bytes.push(device.allocatedBytes);
  }
  module.dispose();
  x.dispose();
  y.dispose();
  return { losses, bytes, stepMs };
}
