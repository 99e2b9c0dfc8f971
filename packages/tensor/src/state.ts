/**
 * State: tensors whose value changes over time. Parameters, optimizer moments, running statistics.
 *
 * Assigning gives a handle a new value; nothing is overwritten before the next flush, which also sees to it that whoever still needs
 * the old value keeps it.
 */

import { ArgumentError, ShapeError } from './errors.ts';
import { NO_ATTRIBUTE, Node, claimForState, cutInputs, releaseFromHandle, retain, retainForHandle, shareValue } from './graph/node.ts';
import { ALIAS, DATA } from './graph/record.ts';
import { showDims } from './graph/shape.ts';
import { tracing } from './graph/tracing.ts';
import { flush } from './lowering/flush.ts';
import { evaluate } from './read.ts';
import { REQUIRES_GRAD, Tensor, nodeOf, requireGradable } from './tensor.ts';

/** The value of `initial`, computed and without history, for a handle that belongs to no scope. */
function valueNode(initial: Tensor, op: string): Node {
  const source = nodeOf(initial, op);
  evaluate(initial);
  const node = new Node(DATA, [], NO_ATTRIBUTE, source.shape, source.dtype, source.runtime, 0);
  shareValue(node, source);
  claimForState(node);
  return node;
}

/** A tensor that changes by assignment and belongs to no scope: it lives until it is disposed or collected. Starts as `initial`, without its history. */
export class State extends Tensor {
  constructor(initial: Tensor) {
    tracing.active?.refuseState();
    super(valueNode(initial, 'State'), false);
    nodeOf(this, 'State').cell = Tensor.weak(this);
  }
}

/** A tensor that is learned: state that requires gradients. */
export class Parameter extends State {
  /** @param options `requiresGrad: false` freezes it. @throws DTypeError for integers and bool, unless frozen */
  constructor(initial: Tensor, options: { readonly requiresGrad?: boolean } = {}) {
    const { requiresGrad = true } = options;
    if (requiresGrad) requireGradable('Parameter', nodeOf(initial, 'Parameter').dtype);
    super(initial);
    this.requiresGrad = requiresGrad;
  }
}

/** The node of a value that may stand in the place of another. */
function fitting(target: Tensor, value: Tensor, op: string): Node {
  const old = nodeOf(target, op);
  const fresh = nodeOf(value, op);
  if (fresh.shape !== old.shape) throw new ShapeError({ op, expected: `shape ${showDims(old.shape.dims)}`, got: showDims(fresh.shape.dims) });
  if (fresh.dtype !== old.dtype) throw new ArgumentError({ op, expected: `dtype ${old.dtype}`, got: fresh.dtype, fix: 'cast it with toDType(…).' });
  if (fresh.runtime !== old.runtime)
    throw new ArgumentError({
      op,
      expected: `a tensor on ${old.runtime.backend.name}`,
      got: `one on ${fresh.runtime.backend.name}`,
      fix: 'move it with `await t.to(device)`.',
    });
  return fresh;
}

/** Gives `target` the value of `value`, at the next flush; its history ends here. @throws ShapeError, ArgumentError for another shape, dtype or device */
export function assign(target: Tensor, value: Tensor): void {
  const fresh = fitting(target, value, 'assign');
  const old = nodeOf(target, 'assign');
  const node = new Node(ALIAS, [fresh], NO_ATTRIBUTE, old.shape, old.dtype, old.runtime, old.traces & REQUIRES_GRAD);
  Tensor.rebind(target, node);
  if (tracing.active !== null) return;
  if (fresh.state === 'ready') {
    shareValue(node, fresh);
    claimForState(node);
    cutInputs(node);
    return;
  }
  retain(node);
  old.runtime.states.push(node);
}

/**
 * Runs `fn`, which must not be asynchronous, with other values in place of some tensors'. Gradients go to the values. What `fn` assigns to
 * the tensors ends with it.
 *
 * @throws ShapeError, ArgumentError for a value of another shape, dtype or device than its tensor, before anything runs
 */
export function withValues<T>(values: ReadonlyMap<Tensor, Tensor>, fn: () => T): T {
  const nodes = [...values].map(([target, value]) => [target, fitting(target, value, 'withValues')] as const);
  const before = nodes.map(([target, node]) => {
    retainForHandle(node);
    return [target, Tensor.exchange(target, node)] as const;
  });
  try {
    return fn();
  } finally {
    for (const [target, node] of before.toReversed()) releaseFromHandle(Tensor.exchange(target, node));
  }
}

/** Writes assigned state on the device of `like`, and computes the losses that wait there. */
export function commit(like: Tensor): void {
  flush(nodeOf(like, 'commit').runtime, []);
}
