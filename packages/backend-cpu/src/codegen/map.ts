/** `map` as JavaScript: the loops of its index space, with every output stored in the innermost one. */

import type { MapKernel, Output } from '@gradus/backend';

import { writeElement } from './language.ts';
import type { Language } from './language.ts';
import { Lines } from './lines.ts';
import { Nest, hoist, loadedOperands } from './nest.ts';
import type { Loop } from './nest.ts';

/** An epilogue-free kernel reads no accumulator. */
const NO_ACCUMULATOR = (): string => 'undefined';

/** The operands that outputs load from and store to. */
export function touchedOperands(outputs: readonly Output[]): Set<number> {
  const touched = loadedOperands(outputs.map((output) => output.value));
  for (const output of outputs) touched.add(output.operand);
  return touched;
}

/** The statements that store `values`, the outputs' values by name, inside the `open` loops. */
export function stores(nest: Nest, outputs: readonly Output[], values: readonly string[], open: readonly Loop[]): string[] {
  return outputs.map(({ operand, value }, i) => writeElement(`v${operand}`, nest.pointer(operand, open), values[i] ?? '', value.dtype));
}

/** The body of a function that returns the code of `kernel`. */
export function writeMap(kernel: MapKernel, language: Language): string {
  const roots = kernel.outputs.map((output) => output.value);
  const nest = new Nest(kernel, kernel.rank, kernel.rank, roots);
  const { loops } = nest;
  const touched = touchedOperands(kernel.outputs);
  const { levels, values } = hoist(nest, language, roots, loops, NO_ACCUMULATOR, 't');
  const out = new Lines();
  out.open('return function map(views, scalars, dims) {');
  out.add(...nest.declarations(), ...(levels[0] ?? []));
  loops.forEach((loop, depth) => {
    out.open(nest.head(loop, loops.slice(0, depth), touched));
    out.add(...(levels[depth + 1] ?? []));
  });
  out.add(...stores(nest, kernel.outputs, values, loops));
  out.close(loops.length + 1);
  return out.text();
}
