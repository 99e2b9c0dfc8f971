/** Several losses as one. */

import { ArgumentError, ShapeError, add, compose, isTensor, mul, requireOptions, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, sameShape, showShape } from './arguments.ts';

/**
 * `weighted({ main: 1, hint: 0.3 })` makes a function from losses of these names, which must have one shape, to the sum of weight times loss.
 * The names are checked by the compiler as well.
 *
 * @throws ArgumentError for no weights, or one that is no finite number; the function: ArgumentError for names that differ, ShapeError
 */
export function weighted<Name extends string>(weights: Readonly<Record<Name, number>>): (losses: Readonly<Record<Name, Tensor>>) => Tensor {
  requireOptions('weighted', weights, '{ main: 1, hint: 0.3 }');
  const parts = Object.entries<number>(weights);
  if (parts.length === 0) throw new ArgumentError({ op: 'weighted', expected: 'at least one weight', got: '{}' });
  for (const [name, weight] of parts) requireNumber('weighted', `weight '${name}'`, weight);
  return (losses) => compose(() => totalOf(parts, losses));
}

function totalOf(parts: readonly [string, number][], losses: Readonly<Record<string, Tensor>>): Tensor {
  requireOptions('weighted', losses, '{ main: loss }');
  const stranger = Object.keys(losses).find((name) => !parts.some(([known]) => known === name));
  if (stranger !== undefined)
    throw new ArgumentError({ op: 'weighted', expected: `losses named ${parts.map(([name]) => name).join(', ')}`, got: `'${stranger}' as well` });
  let total: Tensor | null = null;
  for (const [name, weight] of parts) {
    const loss = losses[name];
    if (!isTensor(loss)) throw new ArgumentError({ op: 'weighted', expected: `a tensor for '${name}'`, got: showValue(loss) });
    if (total !== null && !sameShape(total.shape, loss.shape))
      throw new ShapeError({
        op: 'weighted',
        expected: `losses of one shape, such as ${showShape(total.shape)}`,
        got: `${showShape(loss.shape)} for '${name}'`,
      });
    const part: Tensor = mul(loss, weight);
    total = total === null ? part : add(total, part);
  }
  if (total === null) throw new ArgumentError({ op: 'weighted', expected: 'at least one loss', got: '{}' });
  return total;
}
