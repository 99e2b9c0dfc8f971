/** Routines: functions without a result whose parameters are integers (addresses and counts), known by their names. */

import type { Callable, Code, Local } from './code.ts';
import type { ModuleWriter } from './module.ts';

/** The parameters of a routine, by name. */
export type Parameters<N extends string> = { readonly [Name in N]: Local<'i32'> };

/** Adds a routine; callers pass arguments in the order of `names`. */
export function routine<N extends string>(
  module: ModuleWriter,
  names: readonly N[],
  write: (code: Code, parameters: Parameters<N>) => void,
): Callable {
  return module.function(
    names.map(() => 'i32' as const),
    null,
    (code) => write(code, Object.fromEntries(names.map((name, index) => [name, code.parameter(index, 'i32')])) as Parameters<N>),
  );
}
