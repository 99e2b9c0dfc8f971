/** Mutants that replace methods of a whole backend. */

import type { Backend } from '@gradus/backend';
import { Wrapped } from './mutant.ts';
import type { Mutant } from './mutant.ts';

/** A mutant that is a class of its own. */
export function whole(name: string, check: string | readonly string[], create: () => Backend): Mutant {
  const checks = typeof check === 'string' ? [`storage / ${check}`] : check;
  return {
    name,
    checks,
    create: (planted) => {
      planted();
      return create();
    },
  };
}

/** A wrapped backend with some methods replaced: the functions get the right backend. */
export type Replacements = { readonly [Name in keyof Backend]?: (inner: Backend) => Backend[Name] };

export function replacing(name: string, check: string | readonly string[], replacements: Replacements): Mutant {
  return whole(name, check, () => {
    const wrapped = new Wrapped();
    for (const [key, make] of Object.entries(replacements)) {
      // A getter over the live value, since allocatedBytes changes.
      const isMethod = typeof Reflect.get(wrapped, key) === 'function' || key === 'record' || key === 'replay' || key === 'prewarm';
      const made: unknown = isMethod ? make(wrapped.inner) : undefined;
      Object.defineProperty(wrapped, key, { get: () => (isMethod ? made : make(wrapped.inner)), configurable: true });
    }
    return wrapped;
  });
}
