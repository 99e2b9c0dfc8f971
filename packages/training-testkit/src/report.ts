/** A report of speed: it judges nothing, and is for reading. */

import type { Backend } from '@gradus/backend';
import { SUBJECTS } from './models.ts';
import type { SubjectName } from './models.ts';
import { train } from './training.ts';
import type { Form } from './training.ts';

/** Steps left out: in these, plans are made and code is compiled. */
const WARM_UP = 10;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Trains every network of the kit, plain and compiled, and gives the median time of a step of each as a table. */
export async function trainingReport(create: () => Backend | Promise<Backend>): Promise<string> {
  const lines: string[] = [];
  for (const subject of Object.keys(SUBJECTS) as SubjectName[]) {
    const times: string[] = [];
    for (const form of ['plain', 'compiled'] satisfies Form[]) {
      const backend = await create();
      const { stepMs } = await train(backend, subject, form);
      backend.dispose();
      times.push(`${median(stepMs.slice(WARM_UP)).toFixed(3).padStart(10)} ms`);
    }
    lines.push(`${subject.padEnd(12)}${times.join('')}`);
  }
  return [`${'a step of'.padEnd(12)}${['plain', 'compiled'].map((form) => form.padStart(13)).join('')}`, ...lines].join('\n');
}
