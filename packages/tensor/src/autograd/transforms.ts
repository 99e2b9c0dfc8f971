/**
 * Derivatives beyond the gradient, from reverse mode alone.
 *
 * Forward mode is reverse mode twice: u ↦ uᵀJ is linear, so its own gradient, weighed with v, is Jv at any u (Townsend 2017, "A new
 * trick for calculating Jacobian vector products"). What does not depend on u is computed once: the planner sees that it is the same.
 */

import { GradientError } from '../errors.ts';
import { differentiate, noGrad, vjp } from './backward.ts';
import type { ScalarFunction } from './backward.ts';
import { eye, zerosLike } from '../creation.ts';
import { showDims } from '../graph/shape.ts';
import { internalError } from '../internal.ts';
import { compose } from '../memory/scope.ts';
import { mul } from '../ops/arithmetic.ts';
import { sum } from '../ops/expand.ts';
import { permute, slice, stack } from '../ops/movement.ts';
import { reshape } from '../ops/reshape.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';

/** What {@link jvp} returns. */
export interface ValueAndTangent {
  readonly value: Tensor;
  /** The derivative of the value in the direction of the tangents; shaped like it. */
  readonly tangent: Tensor;
}

/**
 * The value of `fn`, which may have any shape, and its derivative in the direction of `tangents`: the product of its Jacobian with them.
 * With a gradient as `fn` it is a Hessian-vector product: `jvp(grad(f), [x], [v]).tangent`. Differentiable again.
 *
 * @throws GradientError unless there is a tangent for each argument, of its shape, and the arguments are floating-point
 */
export function jvp(fn: ScalarFunction, args: readonly Tensor[], tangents: readonly Tensor[]): ValueAndTangent {
  const shapes = [args, tangents].map((list) => list.map((t) => showDims(nodeOf(t, 'jvp').shape.dims)).join(' '));
  if (shapes[0] !== shapes[1])
    throw new GradientError({ op: 'jvp', expected: `tangents shaped like the arguments, ${shapes[0]}`, got: shapes[1] ?? 'none' });
  return compose(() => {
    const value = fn(...args);
    const pulled = (u: Tensor): Tensor =>
      vjp(fn, args, u)
        .gradients.map((g, i) => sum(mul(g, tangents[i] ?? internalError('a tangent is missing'))))
        .reduce((a, b) => a.add(b));
    const tangent = differentiate({
      op: 'jvp',
      fn: pulled,
      args: [noGrad(() => zerosLike(value))],
      result: (_, [gradients]) => gradients?.[0] ?? internalError('a tangent is missing'),
    });
    return { value, tangent };
  });
}

/** Options of {@link jacobian}. */
export interface JacobianOptions {
  /**
   * `reverse` walks back once for each element of the value, `forward` once for each element of the argument: choose it where the argument
   * is the smaller. The result is the same. Default `reverse`.
   */
  readonly mode?: 'reverse' | 'forward';
}

/** As many unit vectors as `like` has elements, each in its shape. */
function basisOf(like: Tensor): readonly Tensor[] {
  const { size, dtype, device } = like;
  const vectors = eye(size, { dtype, device });
  return Array.from({ length: size }, (_, i) => reshape(slice(vectors, [{ start: i, end: i + 1 }]), like.shape));
}

/** Rows, each in the shape `within`, as one tensor of shape `[...of, ...within]`. */
function joined(rows: readonly Tensor[], of: Dims, within: Tensor): Tensor {
  const shape = [...of, ...within.shape];
  return rows.length === 0
    ? noGrad(() => reshape(slice(reshape(zerosLike(within), [-1]), [{ start: 0, end: 0 }]), shape))
    : reshape(stack([...rows]), shape);
}

function reverseJacobian(fn: ScalarFunction, x: Tensor): Tensor {
  return differentiate({
    op: 'jacobian',
    fn,
    args: [x],
    seeds: basisOf,
    result: (value, rows) =>
      joined(
        rows.map(([row]) => row ?? internalError('a gradient is missing')),
        value.shape,
        x,
      ),
  });
}

/**
 * The Jacobian of `fn` with respect to its first argument: shape `[...value, ...argument]`. One call of `fn`, whatever the size.
 * Differentiable again.
 *
 * @throws GradientError for an argument that is not floating-point
 */
export function jacobian(fn: (...args: Tensor[]) => Tensor, options: JacobianOptions = {}): (...args: Tensor[]) => Tensor {
  return (...args) => {
    const [x, ...rest] = args;
    if (x === undefined) throw new GradientError({ op: 'jacobian', expected: 'at least one argument', got: 'none' });
    const of = (argument: Tensor): Tensor => fn(argument, ...rest);
    if (options.mode !== 'forward') return reverseJacobian(of, x);
    return compose(() => {
      const value = noGrad(() => of(x));
      const pulled = (u: Tensor): Tensor => vjp(of, [x], u).gradients[0] ?? internalError('a gradient is missing');
      // [...argument, ...value], with the argument's axes to be moved behind the value's.
      const transposed = reverseJacobian(
        pulled,
        noGrad(() => zerosLike(value)),
      );
      const axes = transposed.shape.map((_, axis) => axis);
      return permute(transposed, [...axes.slice(x.rank), ...axes.slice(0, x.rank)]);
    });
  };
}

/**
 * The Hessian of `fn`, which returns one number, with respect to its first argument: shape `[...argument, ...argument]`.
 *
 * @throws GradientError when `fn` does not return one number, or the argument is not floating-point
 */
export function hessian(fn: ScalarFunction): (...args: Tensor[]) => Tensor {
  return jacobian((x, ...rest) =>
    differentiate({
      op: 'hessian',
      fn: (y) => fn(y, ...rest),
      args: [x ?? internalError('an argument is missing')],
      result: (_, [gradients]) => gradients?.[0] ?? internalError('a gradient is missing'),
    }),
  );
}
