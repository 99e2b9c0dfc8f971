/** What every step of the tour works with. */

import type { TourData } from './data.ts';
import type { Journal } from './journal.ts';
import type { Settings } from './options.ts';
import type { Surroundings } from '@gradus/mnist';

/** Settings, data, and where to say things. */
export interface Tour extends Pick<Surroundings, 'err' | 'now' | 'signal'> {
  readonly settings: Settings;
  readonly data: TourData;
  readonly journal: Journal;
}
