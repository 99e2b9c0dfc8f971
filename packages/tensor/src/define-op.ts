/** Ops of one's own. */

import type { DType, Expression } from '@gradus/backend';
import { ArgumentError } from './errors.ts';
import { row } from './graph/op.ts';
import type { GradientRule, OpRow } from './graph/op.ts';
import { promote } from './graph/promotion.ts';
import { record, withGradients } from './graph/record.ts';
import { broadcastShapes, shapeOf, showDims } from './graph/shape.ts';
import { compose } from './memory/scope.ts';
import { castNode } from './ops/convert.ts';
import { nodeOf } from './tensor.ts';
import type { Dims, Tensor } from './tensor.ts';

/** Shape of the result from the shapes of the inputs. */
export type ShapeRule = (shapes: readonly Dims[]) => Dims;

/** The result has the shape of input number `i`. */
export function sameAs(i: number): ShapeRule {
  return (shapes) => shapes[i] ?? [];
}

/** The result has the shape that all inputs broadcast to. */
export const broadcast: ShapeRule = (shapes) => shapes.reduce((a, b) => broadcastShapes('defineOp', shapeOf(a), shapeOf(b)).dims);

/** An op made of other ops; its gradient is theirs, unless it has one of its own. */
export interface CompositeDefinition<Args extends readonly Tensor[]> {
  readonly name: string;
  /** Checked against what `decompose` gives. */
  readonly shape: ShapeRule;
  readonly decompose: (...args: Args) => Tensor;
  /** Gradients of the inputs, given that of the result; null where there is none. Written in ops, it differentiates again. */
  readonly grad?: (gradient: Tensor, inputs: Args, output: Tensor) => readonly (Tensor | null)[];
}

/** An elementwise op with a scalar expression of its own: fused like any other. */
export interface ElementwiseDefinition<Args extends readonly Tensor[]> {
  readonly name: string;
  /** Inputs broadcast to the result. */
  readonly shape?: ShapeRule;
  /** The dtype of the result; default that of the promoted inputs. The expression's value is cast to it. */
  readonly dtype?: (inputs: readonly DType[]) => DType;
  /** The result at a point, from the inputs there, which have been promoted to one dtype. */
  readonly lower: (...args: { [I in keyof Args]: Expression }) => Expression;
  readonly grad?: (gradient: Tensor, inputs: Args, output: Tensor) => readonly (Tensor | null)[];
}

/**
 * Defines an op: differentiable, fused, on every backend.
 *
 * With `decompose` it is made of other ops; with `lower` it is one scalar expression (see `@gradus/backend`).
 * @throws ArgumentError when it is used with a result of another shape than `shape` says
 */
export function defineOp<Args extends readonly Tensor[]>(
  definition: CompositeDefinition<Args> | ElementwiseDefinition<Args>,
): (...args: Args) => Tensor {
  return 'decompose' in definition ? defineComposite(definition) : defineElementwise(definition);
}

function ruleOf<Args extends readonly Tensor[]>(grad: CompositeDefinition<Args>['grad']): GradientRule | undefined {
  return grad && ((g, { inputs, output }) => grad(g, inputs as unknown as Args, output));
}

function defineElementwise<Args extends readonly Tensor[]>(definition: ElementwiseDefinition<Args>): (...args: Args) => Tensor {
  const { name, lower, shape = broadcast } = definition;
  const gradient = ruleOf(definition.grad);
  const op = row({
    name,
    residuals: 'both',
    ...(gradient && { gradient }),
    lowering: { kind: 'elementwise', express: (args) => lower(...(args as { [I in keyof Args]: Expression })) },
  });
  return (...args) => {
    const nodes = args.map((t) => nodeOf(t, name));
    const [first] = nodes;
    if (first === undefined) throw new ArgumentError({ op: name, expected: 'at least one tensor', got: 'none' });
    const common = nodes.reduce((d, node) => promote(name, d, node.dtype), first.dtype);
    const dtype = definition.dtype?.(nodes.map((n) => n.dtype)) ?? common;
    return record(
      op,
      nodes.map((n) => castNode(n, common)),
      shapeOf(shape(nodes.map((n) => n.shape.dims)), name),
      dtype,
    );
  };
}

/**
 * A value with a gradient rule of its own. Inputs: the value, then what it was made from, for the rule.
 * The rule is the attribute, with the number of no attribute: it is not part of what a kernel computes, so plans do not depend on it.
 */
const CUSTOM: OpRow = /* @__PURE__ */ row({
  name: 'customGradient',
  residuals: 'both',
  lowering: { kind: 'view', apply: (view) => view },
  gradient: (g, { inputs, output, attribute, needs }) => {
    const rule = attribute as CustomRule;
    return [null, ...rule(g, inputs.slice(1), output, (i) => needs(i + 1))];
  },
});

/** Gradients of the inputs, given that of the value; null where there is none, or where it is not needed. */
export type CustomRule = (gradient: Tensor, inputs: readonly Tensor[], output: Tensor, needs: (i: number) => boolean) => readonly (Tensor | null)[];

/** `value`, made of `args` by other means than ops on the tape, with a gradient rule of its own. */
export function withRule(value: Tensor, args: readonly Tensor[], rule: CustomRule): Tensor {
  const nodes = [value, ...args].map((t) => nodeOf(t, 'customGradient'));
  const [first] = nodes;
  if (first === undefined) throw new ArgumentError({ op: 'customGradient', expected: 'a value', got: 'none' });
  return record(CUSTOM, nodes, first.shape, first.dtype, { id: 0, value: rule });
}

/** What {@link customGradient}'s function returns. */
export interface ValueWithGradient {
  readonly value: Tensor;
  /** Gradients of the arguments, given that of the value; null where there is none. */
  readonly gradient: (gradient: Tensor) => readonly (Tensor | null)[];
}

/** A function with a gradient of its own: `fn` returns its value and how gradients pass through it. */
export function customGradient<Args extends readonly Tensor[]>(fn: (...args: Args) => ValueWithGradient): (...args: Args) => Tensor {
  return (...args) =>
    compose(() => {
      const { value, gradient } = withGradients(false, () => fn(...args));
      return withRule(value, args, (g) => gradient(g));
    });
}

function defineComposite<Args extends readonly Tensor[]>(definition: CompositeDefinition<Args>): (...args: Args) => Tensor {
  const { name, shape, decompose, grad } = definition;
  return (...args) =>
    compose(() => {
      const result =
        grad === undefined
          ? decompose(...args)
          : withRule(
              withGradients(false, () => decompose(...args)),
              args,
              (g, inputs, output) => grad(g, inputs as unknown as Args, output),
            );
      const expected = shapeOf(shape(args.map((t) => nodeOf(t, name).shape.dims)), name);
      const got = nodeOf(result, name).shape;
      if (got !== expected)
        throw new ArgumentError({
          op: name,
          expected: `a result of shape ${showDims(expected.dims)}, as its shape rule says`,
          got: showDims(got.dims),
        });
      return result;
    });
}
