/** Files that a visitor picked: which of them is which part of the data set, by the names their authors gave them. */

import { GradusError } from '@gradus/backend';
import { DATA_FILES } from './choices.ts';
import type { DataFileName } from './choices.ts';

/** The files of a data set by their names; also spelled `train-images.idx3-ubyte`, also with `.gz`. @throws GradusError `MISSING_FILES` that names what is missing */
export function sortFiles<F extends { readonly name: string }>(files: readonly F[]): Record<DataFileName, F> {
  const plain = (name: string): string => name.replace(/\.gz$/, '').replace('.idx', '-idx');
  const found = DATA_FILES.map((name) => [name, files.find((file) => plain(file.name) === name)] as const);
  const missing = found.flatMap(([name, file]) => (file === undefined ? [name] : []));
  if (missing.length > 0)
    throw new GradusError('MISSING_FILES', {
      op: 'files',
      expected: 'all four files at once',
      got: `none named ${missing.join(', ')}`,
      fix: 'choose the four files together; their names say which is which.',
    });
  return Object.fromEntries(found) as Record<DataFileName, F>;
}
