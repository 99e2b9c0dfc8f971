/** Training as the steps do it: the loop of `@gradus/mnist`, with its curves kept. */

import { createProgress, trainModel } from '@gradus/mnist';
import type { LabelledImages } from '@gradus/data';
import type { Module } from '@gradus/nn';
import type { Curve } from './journal.ts';
import { BATCH } from './models.ts';
import type { Tour } from './tour.ts';
import { percent } from './words.ts';

/** Points of a loss curve: each is the mean of as many steps. */
const POINTS = 60;

/** What to train, and how long. */
export interface Plan {
  readonly name: string;
  readonly model: Module;
  readonly images: LabelledImages;
  readonly epochs: number;
  /** Of Adam, falling in a straight line to 0. */
  readonly lr: number;
  /** Images in a step. Default 64. */
  readonly batchSize?: number;
  /** Say a line after each epoch. Default: only after the last. */
  readonly verbose?: boolean;
  /** Called after each epoch with its number, from 1. */
  readonly onEpoch?: ((number: number) => void) | undefined;
}

/** What came of it. */
export interface Trained {
  /** Loss by images seen. */
  readonly loss: Curve;
  /** Share of validation images that are right by epochs. */
  readonly accuracy: Curve;
  /** Images seen: 0 when it was stopped before the first batch. */
  readonly seen: number;
}

/** Trains a model on batches, validating after each epoch. Stops, without an error, when the signal says so. */
export async function train({ settings, data, journal, signal, err, now }: Tour, plan: Plan): Promise<Trained> {
  const { name, images, epochs, batchSize = BATCH, verbose = false } = plan;
  const losses: (readonly [number, number])[] = [];
  const accuracies: (readonly [number, number])[] = [];
  let [finished, start, seen] = [0, now(), 0];
  await trainModel({
    ...plan,
    train: images,
    test: data.validation,
    batchSize,
    seed: settings.seed,
    progress: createProgress({ name, epochs, images: images.length, lines: verbose ? 4 : 1, stream: err, now }),
    signal,
    onStep: (done, loss) => {
      seen = finished * images.length + done;
      losses.push([seen, loss]);
    },
    onEpoch: ({ number, loss, testAccuracy }) => {
      finished = number;
      accuracies.push([number, testAccuracy ?? NaN]);
      if (verbose || number === epochs) {
        const seconds = ((now() - start) / 1000).toFixed(1);
        journal.say(
          `${name}, epoch ${number}/${epochs}: loss ${loss.toFixed(4)}, ${percent(testAccuracy ?? NaN)} of held-out images right, ${seconds} s`,
        );
        start = now();
      }
      plan.onEpoch?.(number);
    },
  });
  return { loss: { name, points: averaged(losses) }, accuracy: { name, points: accuracies }, seen };
}

/** At most {@link POINTS} points, each the mean y of its neighbours at their last x. */
function averaged(points: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const step = Math.ceil(points.length / POINTS);
  return Array.from({ length: Math.ceil(points.length / Math.max(step, 1)) }, (_, i) => {
    const block = points.slice(i * step, (i + 1) * step);
    return [block.at(-1)?.[0] ?? 0, block.reduce((sum, [, y]) => sum + y, 0) / block.length] as const;
  });
}
