/** Random tensors. Bits and uniforms are the same on every device; normals agree to within the accuracy of its log and cos. */

import { apply, cast, constant } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { ArgumentError } from '../errors.ts';
import { row } from '../graph/op.ts';
import type { ExpressionContext, OpRow } from '../graph/op.ts';
import { numberNode, record } from '../graph/record.ts';
import { shapeOf } from '../graph/shape.ts';
import { hostEffect, hostNumber } from '../host.ts';
import { compose } from '../memory/scope.ts';
import { methodful } from '../methods.ts';
import { less } from '../ops/arithmetic.ts';
import { toDType } from '../ops/convert.ts';
import { requireFloat } from '../ops/arguments.ts';
import { expand } from '../ops/expand.ts';
import { floor } from '../ops/functions.ts';
import { runtimeFor } from '../ops/positions.ts';
import type { CreationOptions } from '../ops/positions.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { Generator, defaultGenerator } from './generator.ts';
import { threefryExpression } from './threefry.ts';

/** Options of random creation. */
export interface RandomOptions extends CreationOptions {
  /** Draw from a generator of one's own… */
  readonly generator?: Generator;
  /** …or from a new one with this seed. Default: the generator that {@link manualSeed} seeds. */
  readonly seed?: number;
}

/** Uniforms have 24 random bits: the fraction bits of float32. */
const UNIFORM_BITS = 24;

/** Both random words of a point: inputs are the words of key and counter, the point's place is added to the counter. */
function wordsAt(args: readonly Expression[], context: ExpressionContext): [Expression, Expression] {
  const [key0, key1, low, high] = args as readonly [Expression, Expression, Expression, Expression];
  const place = cast(context.position([1]), 'uint32');
  const counter = apply('add', low, place);
  const carry = cast(apply('less', counter, place), 'uint32');
  return threefryExpression([key0, key1], [counter, apply('add', high, carry)]);
}

/** `[0, 1)` in steps of 2^-24. */
function unit(bits: Expression, context: ExpressionContext): Expression {
  const dtype = context.dtype === 'float64' ? 'float64' : 'float32';
  const fraction = cast(apply('shiftRight', bits, constant('uint32', 32 - UNIFORM_BITS)), dtype);
  return apply('multiply', fraction, constant(dtype, 2 ** -UNIFORM_BITS));
}

/** Inputs: the words of key and counter, then low and the width of the interval. */
const UNIFORM: OpRow = /* @__PURE__ */ row({
  name: 'uniform',
  lowering: {
    kind: 'elementwise',
    heavy: true,
    express: (args, context) => {
      const [low, width] = args.slice(4) as [Expression, Expression];
      return apply('add', low, apply('multiply', unit(wordsAt(args, context)[0], context), width));
    },
  },
});

/** Box and Muller, 1958: `sqrt(-2 ln u) · cos(2πv)`, with u in (0, 1]. Inputs as UNIFORM, then mean and deviation. */
const NORMAL: OpRow = /* @__PURE__ */ row({
  name: 'normal',
  lowering: {
    kind: 'elementwise',
    heavy: true,
    express: (args, context) => {
      const [first, second] = wordsAt(args, context);
      const [mean, deviation] = args.slice(4) as [Expression, Expression];
      const u = apply('subtract', constant(mean.dtype, 1), unit(first, context));
      const radius = apply('sqrt', apply('multiply', constant(mean.dtype, -2), apply('log', u)));
      const angle = apply('multiply', constant(mean.dtype, 2 * Math.PI), unit(second, context));
      return apply('add', mean, apply('multiply', deviation, apply('multiply', radius, apply('cos', angle))));
    },
  },
});

/** The words as they come, all 32 bits of them. Inputs: the words of key and counter. */
const WORDS: OpRow = /* @__PURE__ */ row({
  name: 'random words',
  lowering: { kind: 'elementwise', heavy: true, express: (args, context) => wordsAt(args, context)[0] },
});

function drawInto(op: OpRow, shape: Dims, options: RandomOptions, parameters: readonly [number, number]): Tensor {
  const dtype = options.dtype ?? 'float32';
  requireFloat(op.name, dtype);
  return drawn(op, op.name, shape, options, dtype, parameters);
}

/** Uniform words of 32 bits, as uint32. @throws ShapeError naming `op` */
export function randomWords(op: string, shape: Dims, options: Omit<RandomOptions, 'dtype'>): Tensor {
  return drawn(WORDS, op, shape, options, 'uint32', []);
}

function drawn(op: OpRow, name: string, shape: Dims, options: RandomOptions, dtype: DType, parameters: readonly number[]): Tensor {
  const runtime = runtimeFor(options);
  const { size, dims } = shapeOf(shape, name);
  const generator = options.generator ?? (options.seed === undefined ? defaultGenerator : new Generator(options.seed));
  let words: readonly number[] = [];
  let before = generator.state;
  hostEffect(
    () => {
      before = generator.state;
      const { key, counter } = generator.draw(size);
      words = [...key, ...counter];
    },
    () => generator.restore(before),
  );
  const seeds = [0, 1, 2, 3].map((i) =>
    numberNode(
      hostNumber(() => words[i] ?? 0),
      'uint32',
      runtime,
    ),
  );
  const numbers = parameters.map((value) => numberNode(value, dtype, runtime));
  return compose(() => methodful(record(op, [...seeds, ...numbers], shapeOf([size]), dtype)).reshape(dims));
}

/** Uniform numbers in `[low, high)`, default `[0, 1)`. @throws ShapeError, DTypeError for a dtype that is no float */
export function uniform<const S extends Dims>(shape: S, options: RandomOptions & { readonly low?: number; readonly high?: number } = {}): Tensor<S> {
  const low = options.low ?? 0;
  return drawInto(UNIFORM, shape, options, [low, (options.high ?? 1) - low]) as Tensor<S>;
}

/** Uniform numbers in `[0, 1)`. */
export function rand<const S extends Dims>(shape: S, options: RandomOptions = {}): Tensor<S> {
  return uniform(shape, options);
}

/** Normal numbers with the given mean (0) and standard deviation (1). @throws ShapeError, DTypeError for a dtype that is no float */
export function normal<const S extends Dims>(shape: S, options: RandomOptions & { readonly mean?: number; readonly std?: number } = {}): Tensor<S> {
  return drawInto(NORMAL, shape, options, [options.mean ?? 0, options.std ?? 1]) as Tensor<S>;
}

/** Standard normal numbers. */
export function randn<const S extends Dims>(shape: S, options: RandomOptions = {}): Tensor<S> {
  return normal(shape, options);
}

/**
 * True with probability `p`, as bool; a tensor of probabilities is broadcast to the shape.
 *
 * @throws ArgumentError unless a number p is from 0 to 1; ShapeError, DTypeError
 */
export function bernoulli(shape: Dims, p: number | Tensor, options: Omit<RandomOptions, 'dtype'> = {}): Tensor {
  if (typeof p !== 'number') {
    const { dtype } = nodeOf(p, 'bernoulli');
    requireFloat('bernoulli', dtype);
    return compose(() => less(uniform(shape, options), expand(p, shape)));
  }
  if (!(p >= 0 && p <= 1)) throw new ArgumentError({ op: 'bernoulli', expected: 'a probability from 0 to 1', got: String(p) });
  return compose(() => less(uniform(shape, options), p));
}

/** Whole numbers from `low` up to, without, `high`; at most 2^24 apart. @throws ArgumentError */
export function randint(low: number, high: number, shape: Dims, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** UNIFORM_BITS) {
    throw new ArgumentError({ op: 'randint', expected: 'whole bounds, low below high and at most 2^24 apart', got: `${low} and ${high}` });
  }
  const { dtype = 'int32', ...rest } = options;
  return compose(() =>
    toDType(floor(uniform(shape, { ...rest, low: 0, high: high - low })), 'int32')
      .add(low)
      .toDType(dtype),
  );
}
