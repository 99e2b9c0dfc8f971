/** `scatter` as JavaScript: the loops of its index space in row-major order, combining one value at a time into the target. */

import { emit } from '@gradus/backend';
import type { ScatterKernel } from '@gradus/backend';

import { scatterStep } from '../lowering/fold.ts';
import { integer } from './compile.ts';
import { dialectAt, readElement, writeElement } from './language.ts';
import type { Language } from './language.ts';
import { Lines } from './lines.ts';
import { Nest, hoist, loadedOperands } from './nest.ts';

/** The body of a function that returns the code of `kernel`. */
export function writeScatter(kernel: ScatterKernel, language: Language): string {
  const { position, value } = kernel;
  const roots = [position, value];
  const target = integer(kernel.target);
  const nest = new Nest(kernel, kernel.rank, kernel.rank, roots);
  const { loops } = nest;
  const old = (): string => readElement(`v${target}`, 'at', value.dtype);
  const { levels, values, known } = hoist(nest, language, roots, loops, old, 't');
  const step = emit([scatterStep(kernel)], dialectAt(language, nest.names(loops, old)), { prefix: 'w', known });

  const out = new Lines();
  out.open('return function scatter(views, scalars, dims) {');
  out.add(...nest.declarations(), ...(levels[0] ?? []));
  loops.forEach((loop, depth) => {
    out.open(nest.head(loop, loops.slice(0, depth), loadedOperands(roots)));
    out.add(...(levels[depth + 1] ?? []));
  });
  out.open(`if (${values[0]} >>> 0 < l${target}) {`);
  out.add(`const at = o${target} + ${values[0]};`, ...step.statements, writeElement(`v${target}`, 'at', step.values[0] ?? '', value.dtype));
  out.close(loops.length + 2);
  return out.text();
}
