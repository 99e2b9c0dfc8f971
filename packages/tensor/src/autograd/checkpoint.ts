/**
 * Less memory for more time: values of a forward pass that are not kept for the backward pass but calculated again there (Chen et al.
 * 2016, "Training deep nets with sublinear memory cost").
 *
 * Nodes recorded inside a *region* are on the tape like any other, but no flush keeps their values. A gradient rule that asks for one is
 * given a copy of the node, recorded anew over the region's inputs. These copies come after the gradient that the rule was given: each
 * input goes through a *fence*, which names that gradient too, and no kernel after a fence joins one before it.
 */

import { ArgumentError } from '../errors.ts';
import type { Node, Recomputation } from '../graph/node.ts';
import { currentRegion, gradientsAreOn, record, recordInto } from '../graph/record.ts';
import { FENCE } from '../lowering/item.ts';
import { compose } from '../memory/scope.ts';
import { isTensor, nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';

/** A number written into kernels: nothing is kept for it. */
const isNumber = ({ op, state, storage }: Node): boolean => op.lowering.kind === 'constant' || (state === 'ready' && storage === null);

/** What one call of a recomputed function recorded. */
class Region implements Recomputation {
  /** Copies, and fences of inputs, of the backward pass under way. */
  readonly #copies = new Map<Node, Node>();

  /** `node`, to be calculated when `after` has been. The handles on what that records are the current scope's. */
  again(node: Node, after: Tensor): Node {
    const stack = [node];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const missing = this.#copies.has(top) || !this.#isOurs(top) ? [] : top.inputs.filter((input) => !this.#copies.has(input));
      for (const input of missing) stack.push(input);
      if (missing.length > 0) continue;
      stack.pop();
      if (!this.#copies.has(top)) this.#copies.set(top, this.#copyOf(top, after));
    }
    return this.#copies.get(node) ?? node;
  }

  /** The backward pass is over. */
  forget(): void {
    this.#copies.clear();
  }

  #isOurs(node: Node): boolean {
    return node.region === this && node.state === 'pending';
  }

  #copyOf(node: Node, after: Tensor): Node {
    const { op, inputs, shape, dtype, attribute } = node;
    if (this.#isOurs(node)) {
      const copies = inputs.map((input) => this.#copies.get(input) ?? input);
      return nodeOf(record(op, copies, shape, dtype, attribute), op.name);
    }
    if (node.region !== null && node.state === 'pending') return node.region.again(node, after);
    return isNumber(node) ? node : nodeOf(record(FENCE, [node, nodeOf(after, 'checkpoint')], shape, dtype), 'checkpoint');
  }
}

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
