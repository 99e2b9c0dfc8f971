/** Less memory for more time: a part of the forward pass that is calculated again in the backward pass. */

import { ArgumentError } from '../errors.ts';
import { currentRegion, gradientsAreOn, recordInto } from '../graph/record.ts';
import { Region } from '../graph/recompute.ts';
import { compose } from '../memory/scope.ts';
import { isTensor, nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';

/**
 * `fn`, without keeping what it computes on the way: the backward pass computes it again from the arguments. The values and gradients
 * are those of `fn`, parameters that it uses included, and random numbers are the same again; state that it assigns is assigned once.
 * Called for each block of a deep network, it makes memory grow with the square root of the depth, for about a third more time.
 *
 * It runs `fn` once; differentiable to any order, and compiled functions may use it. Values that `fn` keeps or reads are not computed again.
 *
 * @param fn a function of tensors to a tensor or several
 * @throws ArgumentError when `fn` returns something else
 */
export function checkpoint<Args extends readonly Tensor[], R extends Tensor | readonly Tensor[]>(fn: (...args: Args) => R): (...args: Args) => R {
  return (...args) => {
    if (!gradientsAreOn()) return fn(...args);
    const outer = currentRegion();
    const result = recordInto(new Region(), () => compose(() => fn(...args)));
    for (const value of Array.isArray(result) ? (result as readonly unknown[]) : [result]) {
      if (!isTensor(value)) {
        throw new ArgumentError({ op: 'checkpoint', expected: 'a function that returns a tensor or an array of tensors', got: typeof value });
      }
      nodeOf(value, 'checkpoint').region = outer;
    }
    return result;
  };
}
