/** A model's way into the table: saved, measured on the test images, and said. */

import { join } from 'node:path';
import { saveSafetensors } from '@gradus/formats';
import type { Module } from '@gradus/nn';
import { measure } from './measure.ts';
import type { Measurement, Output } from './measure.ts';
import type { Tour } from './tour.ts';
import { count, percent } from './words.ts';

/** A model, the name of its file without an ending, and what it puts out. */
export interface Subject {
  readonly name: string;
  readonly file: string;
  readonly model: Module;
  /** Default: logits. */
  readonly output?: Output;
}

/** A measurement, and the bytes of the model's file. */
export interface Recorded extends Measurement {
  readonly bytes: number;
}

/** Writes a model's weights into the output folder. @returns the bytes of the file */
export async function save({ settings }: Tour, { name, file, model }: Subject): Promise<number> {
  return saveSafetensors(join(settings.out, `${file}.safetensors`), model.stateDict(), { model: name, seed: String(settings.seed) });
}

/** Saves and measures a model, and gives it a row in the table. @throws the signal's reason when it is aborted */
export async function record(tour: Tour, subject: Subject): Promise<Recorded> {
  const { data, journal } = tour;
  const bytes = await save(tour, subject);
  const measured = await measure(subject.model, subject.output ?? 'logits', data.test, tour);
  const { accuracy, nll, ece, reliability, imagesPerSecond } = measured;
  journal.rows.push({ model: subject.name, accuracy, nll, ece, reliability, bytes, imagesPerSecond });
  const sure = nll === null || ece === null ? '' : `, NLL ${nll.toFixed(4)}, ECE ${percent(ece)}`;
  journal.say(
    `${subject.name}: ${percent(accuracy)} of ${count(data.test.length)} test images${sure}; ${count(bytes)} bytes, ${count(imagesPerSecond)} images/s`,
  );
  return { ...measured, bytes };
}
