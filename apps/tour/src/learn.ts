/** A network's way through a step: trained, saved, measured. */

import { record, save } from './record.ts';
import type { Recorded, Subject } from './record.ts';
import type { Tour } from './tour.ts';
import { train } from './training.ts';
import type { Plan, Trained } from './training.ts';
import { count } from './words.ts';

/**
 * Trains a network, hands its curves to `keep`, saves it, and gives it a row in the table.
 *
 * @throws the signal's reason when it is aborted; a network that has seen some images is saved as it is before
 */
export async function learn(tour: Tour, subject: Subject, plan: Omit<Plan, 'name' | 'model'>, keep: (trained: Trained) => void): Promise<Recorded> {
  const { journal, signal } = tour;
  const trained = await train(tour, { ...subject, ...plan });
  keep(trained);
  if (signal.aborted && trained.seen > 0) {
    await save(tour, subject);
    journal.say(`${subject.name} was stopped after ${count(trained.seen)} images, and saved as it was.`);
  }
  signal.throwIfAborted();
  return record(tour, subject);
}
