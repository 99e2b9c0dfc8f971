/**
 * Reverse-mode differentiation: one walk over the tape, last node first, with one rule an op.
 *
 * A *trace* is a set of leaves that gradients are wanted for: trace 0 is everything that requires gradients, and each `grad` in
 * progress has a bit of its own. Rules are written in ops, so that what they make can be differentiated again.
 */

import { isFloat } from '@gradus/backend';
import { GradientError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { GradientContext, OpRow } from '../graph/op.ts';
import { fullLike, gradientsAreOn, withGradients } from '../graph/record.ts';
import { showDims } from '../graph/shape.ts';
import { internalError } from '../internal.ts';
import { setActiveTraces, tracesUnderWay } from '../lowering/program.ts';
import { compose } from '../memory/scope.ts';
import { add } from '../ops/arithmetic.ts';
import { aliasOf } from '../ops/convert.ts';
import { REQUIRES_GRAD, Tensor, nodeOf } from '../tensor.ts';
import type { Dims } from '../tensor.ts';

/** Nodes of a trace, inputs before those who use them. It ends at `ends`: what lies beyond may have the bit from a trace that is over. */
function tapeOf(root: Node, trace: number, ends: ReadonlySet<Node>): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [{ node: root, next: 0 }];
  seen.add(root);
  while (stack.length > 0) {
    const top = stack[stack.length - 1] as { node: Node; next: number };
    const { inputs, op } = top.node;
    if (op.gradient === null || top.node.cell !== null || top.next >= inputs.length || ends.has(top.node)) {
      order.push(top.node);
      stack.pop();
      continue;
    }
    const input = inputs[top.next++] as Node;
    if ((input.traces & trace) === 0 || seen.has(input)) continue;
    seen.add(input);
    stack.push({ node: input, next: 0 });
  }
  return order;
}

function isLeaf(node: Node): boolean {
  return node.op.gradient === null || node.inputs.length === 0 || node.cell !== null || node.op === TRACE_LEAF;
}

/** An argument of a function being differentiated: the inner trace ends here, an outer one goes through. */
const TRACE_LEAF: OpRow = /* @__PURE__ */ row({ name: 'argument', lowering: { kind: 'alias' }, gradient: (g) => [g] });

/** A second pass through what a first one has released would give wrong gradients in silence. */
function requireTape(node: Node): void {
  if (!node.consumed || node.op.gradient === null || node.inputs.length > 0) return;
  throw new GradientError({
    op: 'backward',
    expected: 'a graph that is still there',
    got: `${node.op.name}, whose graph was released by an earlier backward()`,
    fix: 'pass { retainGraph: true } to the first backward().',
  });
}

const NOWHERE: ReadonlySet<Node> = new Set();

/** Carries `seed` from `root` back to the leaves of `trace`, and no further than `ends`; `arrive` gets each leaf and its gradient. */
function walk(root: Node, seed: Tensor, trace: number, arrive: (leaf: Node, gradient: Tensor) => void, ends = NOWHERE): readonly Node[] {
  const tape = tapeOf(root, trace, ends);
  tape.forEach(requireTape);
  root.cotangent = seed;
  try {
    for (let i = tape.length - 1; i >= 0; i--) {
      const node = tape[i] as Node;
      const gradient = node.cotangent;
      node.cotangent = null;
      if (gradient === null) continue;
      if (isLeaf(node)) arrive(node, gradient);
      if (!isLeaf(node) || (node.op === TRACE_LEAF && !ends.has(node))) pass(node, gradient, trace);
    }
  } finally {
    for (const node of tape) {
      node.cotangent = null;
      node.region?.forget();
    }
  }
  return tape;
}

/** What a rule sees of its node. Handles are made only for what it asks for. */
class RuleContext implements GradientContext {
  readonly needs: (i: number) => boolean;
  readonly #node: Node;
  readonly #gradient: Tensor;
  #inputs: readonly Tensor[] | null = null;
  #output: Tensor | null = null;

  constructor(node: Node, gradient: Tensor, needs: (i: number) => boolean) {
    this.#node = node;
    this.#gradient = gradient;
    this.needs = needs;
  }

  get inputs(): readonly Tensor[] {
    this.#inputs ??= this.#node.inputs.map((input) => this.#valueOf(input));
    return this.#inputs;
  }

  get output(): Tensor {
    this.#output ??= this.#valueOf(this.#node);
    return this.#output;
  }

  get dims(): readonly Dims[] {
    return this.#node.inputs.map((input) => input.shape.dims);
  }

  get attribute(): unknown {
    return this.#node.attribute.value;
  }

  #valueOf(node: Node): Tensor {
    return new Tensor(node.region?.again(node, this.#gradient) ?? node);
  }
}

/** Applies one op's rule and adds what it gives to its inputs. */
function pass(node: Node, gradient: Tensor, trace: number): void {
  const { inputs, op } = node;
  const needs = (i: number): boolean => ((inputs[i]?.traces ?? 0) & trace) !== 0;
  const context = new RuleContext(node, gradient, needs);
  const gradients = op.gradient?.(gradient, context) ?? internalError(`${op.name} is on the tape without a rule`);
  inputs.forEach((input, i) => {
    const g = gradients[i];
    if (g === null || g === undefined || !needs(i)) return;
    const { shape } = nodeOf(g, op.name);
    if (shape !== input.shape) {
      throw new GradientError({
        op: op.name,
        expected: `a gradient shaped like input ${i}, ${showDims(input.shape.dims)}`,
        got: showDims(shape.dims),
        fix: "correct the op's gradient rule.",
      });
    }
    input.cotangent = input.cotangent === null ? g : add(input.cotangent, g);
  });
}

function seedFor(output: Node, seed: Tensor | undefined, op: string): Tensor {
  if (seed === undefined) {
    if (output.shape.size !== 1)
      throw new GradientError({
        op,
        expected: 'one number to differentiate',
        got: `shape ${showDims(output.shape.dims)}`,
        fix: 'reduce it with sum() or mean(), or pass the gradient to start from.',
      });
    return fullLike(output, 1);
  }
  const node = nodeOf(seed, op);
  if (node.shape !== output.shape)
    throw new GradientError({ op, expected: `a starting gradient of shape ${showDims(output.shape.dims)}`, got: showDims(node.shape.dims) });
  return seed;
}

/** Options of `backward`. */
export interface BackwardOptions {
  /** The gradient to start from, shaped like the tensor; 1 for a single number. */
  readonly gradient?: Tensor;
  /** Make gradients that can themselves be differentiated. Default false. */
  readonly createGraph?: boolean;
  /** Keep the graph for another `backward()`. Default: as `createGraph`. */
  readonly retainGraph?: boolean;
}

/**
 * Adds the gradient of `loss` to `grad` of every leaf that requires gradients.
 *
 * @throws GradientError when nothing it depends on requires gradients, or it is not a single number and no gradient is given
 */
export function backward(loss: Tensor, options: BackwardOptions = {}): void {
  const root = nodeOf(loss, 'backward');
  if ((root.traces & REQUIRES_GRAD) === 0) {
    throw new GradientError({
      op: 'backward',
      expected: 'a result that depends on something with requiresGrad',
      got: `one that does not (${root.op.name})`,
      fix: 'use module parameters, set requiresGrad on a leaf, and compute outside noGrad; of a compiled function, call it inside.',
    });
  }
  // One sum for each owner: a graph may hold a parameter as it was before and after an assignment.
  const found = new Map<Tensor, Tensor>();
  compose(() => {
    withGradients(options.createGraph ?? false, () => {
      const tape = walk(root, seedFor(root, options.gradient, 'backward'), REQUIRES_GRAD, (leaf, gradient) => {
        const owner = leaf.cell?.deref();
        if (owner === undefined) return;
        const before = found.get(owner) ?? owner.grad;
        found.set(owner, before === null ? gradient : add(before, gradient));
      });
      if (!(options.retainGraph ?? options.createGraph ?? false)) for (const node of tape) node.consumed = !isLeaf(node);
    });
    return [...found.values()];
  });
  // A gradient belongs to its parameter, not to the scope it was computed in. Several parameters may have the same one.
  for (const [owner, gradient] of found) Tensor.setGradient(owner, nodeOf(gradient, 'backward'));
  // The starting gradient, which may have come through unchanged, is the caller's.
  for (const gradient of found.values()) if (gradient !== options.gradient) gradient.dispose();
}

/** Bits for `grad` calls in progress; bit 0 is `requiresGrad`. */
const FIRST_TRACE = 2;
const LAST_TRACE = 2 ** 30;
let nextTrace = FIRST_TRACE;

/** A function of tensors to one number. */
export type ScalarFunction = (...args: Tensor[]) => Tensor;

/** Value and gradients, as {@link valueAndGrad} returns them: one gradient for each argument. */
export interface ValueAndGradient {
  readonly value: Tensor;
  readonly gradients: readonly Tensor[];
}

/** What {@link differentiate} is to find. */
interface Differentiation<T> {
  readonly op: string;
  readonly fn: ScalarFunction;
  readonly args: readonly Tensor[];
  /** The gradients to start from, each for a walk of its own. Default: 1, for a single number. */
  readonly seeds?: (value: Tensor) => readonly Tensor[];
  /**
   * Takes the function's value and, for each seed, the gradients of the arguments. What it returns goes through the compose that frees what
   * `fn` made: what it leaves out is freed, and what is the caller's own is not.
   */
  readonly result: (value: Tensor, gradients: readonly (readonly Tensor[])[]) => T;
}

/** Calls `fn` on its arguments as leaves of a trace of their own, and walks back from its value, once for each seed. */
export function differentiate<T>({ op, fn, args, seeds, result }: Differentiation<T>): T {
  if (nextTrace > LAST_TRACE) throw new GradientError({ op, expected: 'at most 29 nested gradients', got: 'one more' });
  const trace = nextTrace;
  nextTrace *= 2;
  const before = tracesUnderWay();
  setActiveTraces(before | trace);
  try {
    return compose(() =>
      withGradients(true, () => {
        const leaves = args.map((arg) => leafOf(arg, trace, op));
        const value = fn(...leaves);
        const root = nodeOf(value, op);
        const ends = new Set(leaves.map((leaf) => nodeOf(leaf, op)));
        const gradientsFrom = (seed: Tensor | undefined): Tensor[] => {
          const arrived = new Map<Node, Tensor>();
          if ((root.traces & trace) !== 0) walk(root, seedFor(root, seed, op), trace, (leaf, gradient) => void arrived.set(leaf, gradient), ends);
          return leaves.map((leaf) => {
            const gradient = arrived.get(nodeOf(leaf, op)) ?? fullLike(nodeOf(leaf, op), 0);
            return gradient === seed ? new Tensor(nodeOf(gradient, op)) : gradient;
          });
        };
        return result(value, (seeds?.(value) ?? [undefined]).map(gradientsFrom));
      }),
    );
  } finally {
    nextTrace = trace;
    setActiveTraces(before);
  }
}

function leafOf(arg: Tensor, trace: number, op: string): Tensor {
  const node = nodeOf(arg, op);
  if (!isFloat(node.dtype))
    throw new GradientError({ op, expected: 'floating-point arguments', got: node.dtype, fix: "cast with toDType('float32') outside the function." });
  return aliasOf(node, node.traces | trace, TRACE_LEAF);
}

const valueWithGradients = (value: Tensor, [gradients = []]: readonly (readonly Tensor[])[]): ValueAndGradient => ({ value, gradients });

/** The gradient of `fn`, with respect to its first argument. `fn` returns one number. Differentiable again: `grad(grad(fn))`. @throws GradientError */
export function grad(fn: ScalarFunction): (...args: Tensor[]) => Tensor {
  return (...args) => {
    const [first, ...rest] = args;
    if (first === undefined) throw new GradientError({ op: 'grad', expected: 'at least one argument', got: 'none' });
    return differentiate({
      op: 'grad',
      fn: (x) => fn(x, ...rest),
      args: [first],
      result: (_, [gradients]) => gradients?.[0] ?? internalError('a gradient is missing'),
    });
  };
}

/** Value and gradients of `fn` with respect to every argument. @throws GradientError */
export function valueAndGrad(fn: ScalarFunction): (...args: Tensor[]) => ValueAndGradient {
  return (...args) => differentiate({ op: 'valueAndGrad', fn, args, result: valueWithGradients });
}

/** The value of `fn`, which may have any shape, and the product of `cotangent` with its Jacobian, for every argument. @throws GradientError */
export function vjp(fn: ScalarFunction, args: readonly Tensor[], cotangent: Tensor): ValueAndGradient {
  return differentiate({ op: 'vjp', fn, args, seeds: () => [cotangent], result: valueWithGradients });
}

/** Runs `fn` without recording gradients. */
export function noGrad<T>(fn: () => T): T {
  return withGradients(false, fn);
}

/** Are gradients being recorded? False inside {@link noGrad}. */
export function isGradEnabled(): boolean {
  return gradientsAreOn();
}
