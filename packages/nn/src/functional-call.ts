/** Modules as functions of their parameters. */

import { ArgumentError, compose, withValues } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { savedState } from './module.ts';
import type { Module } from './module.ts';

/**
 * The output of `module` with other values for some of its parameters and buffers, by the keys of `stateDict()`; the module stays as it
 * is, and what it assigns to a buffer given here is lost. Gradients go to the values, so that a model can be differentiated with respect
 * to its parameters as arguments: `grad((w) => functionalCall(model, { weight: w }, x).sum())(w)`.
 *
 * @throws ArgumentError for a key that the module does not have; ShapeError or ArgumentError for a value of another shape, dtype or device
 */
export function functionalCall(module: Module, values: Readonly<Record<string, Tensor>>, ...inputs: Tensor[]): Tensor {
  const own = savedState(module, 'functionalCall');
  const pairs = Object.entries(values).map(([key, value]) => {
    const target = own.get(key);
    if (target !== undefined) return [target, value] as const;
    throw new ArgumentError({ op: 'functionalCall', expected: `keys of stateDict(): ${[...own.keys()].join(', ')}`, got: key });
  });
  return compose(() => withValues(new Map(pairs), () => module.forward(...inputs)));
}
