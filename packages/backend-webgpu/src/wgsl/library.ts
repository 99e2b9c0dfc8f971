/**
 * The functions that generated WGSL calls. Kernels are written with calls only; what they need is then found by the names in their text.
 *
 * Where they are not exact, their comments state the largest error that `accuracy.test.ts` finds, against float64 at some 400,000 arguments from
 * the whole range and around the places where a method changes.
 */

import { ARITHMETIC } from './arithmetic.ts';
import { BITS } from './bits.ts';
import { CONVERSIONS } from './conversion.ts';
import { ERROR_FUNCTION } from './erf.ts';
import { EXPONENTIALS } from './exponential.ts';
import { POWER } from './power.ts';
import { TRIGONOMETRICS } from './trigonometric.ts';

/** Source by name. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...BITS, ...CONVERSIONS, ...ARITHMETIC, ...EXPONENTIALS, ...TRIGONOMETRICS, ...ERROR_FUNCTION, ...POWER }),
);

const NAMES = /\b[a-z_]\w*/g;

/** Declarations of every library function that `source` calls, and of what these call, each once, those called before those that call them. */
export function libraryFor(source: string): string {
  const declared = new Map<string, string>();
  const visit = (text: string): void => {
    for (const [name] of text.matchAll(NAMES)) {
      const found = FUNCTIONS.get(name);
      if (found === undefined || found === text || declared.has(name)) continue;
      visit(found);
      declared.set(name, found);
    }
  };
  visit(source);
  return [...declared.values()].join('\n\n');
}
