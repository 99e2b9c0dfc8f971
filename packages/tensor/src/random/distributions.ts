/** Random tensors of other distributions, made of uniform ones: by inversion, by the Gumbel-max trick, by sorting random words. */

import { isFloat } from '@gradus/backend';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { add, div, less, minimum, mul, neg, sub, where } from '../ops/arithmetic.ts';
import { along } from '../ops/arrangement.ts';
import { detach, toDType } from '../ops/convert.ts';
import { exp, log } from '../ops/functions.ts';
import { max } from '../ops/reduce.ts';
import { cumsum } from '../ops/scan.ts';
import { searchSorted } from '../ops/searching.ts';
import { argsort, topK } from '../ops/sort.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { normalQuantile, normalTail } from './normal-quantile.ts';
import { randomWords, uniform } from './random.ts';
import type { RandomOptions } from './random.ts';

/** Half a step of the uniforms, which have 24 bits: keeps logarithms away from 0. */
const HALF_STEP = 2 ** -25;

/** Where numbers come from, without a dtype. */
type Source = Pick<RandomOptions, 'generator' | 'seed'>;

const sourceOf = ({ generator, seed }: Source): Source => ({ ...(generator && { generator }), ...(seed !== undefined && { seed }) });

/** Exponential numbers with the given rate (default 1): `-ln(u) / rate`. @throws ShapeError, DTypeError; ArgumentError unless the rate is above 0 */
export function exponential<const S extends Dims>(shape: S, options: RandomOptions & { readonly rate?: number } = {}): Tensor<S> {
  const { rate = 1 } = options;
  if (!(rate > 0)) throw new ArgumentError({ op: 'exponential', expected: 'a rate above 0', got: showValue(rate) });
  return compose(() => div(neg(log(sub(1, uniform(shape, options)))), rate)) as Tensor<S>;
}

/** Standard Gumbel numbers, `-ln(-ln(u))`: added to logits, the largest is drawn with the probability that softmax says. @throws ShapeError, DTypeError */
export function gumbel<const S extends Dims>(shape: S, options: RandomOptions = {}): Tensor<S> {
  return compose(() => neg(log(neg(log(add(uniform(shape, options), HALF_STEP)))))) as Tensor<S>;
}

/** Options of {@link truncatedNormal}. */
export interface TruncatedNormalOptions extends RandomOptions {
  /** Of the normal distribution before it is cut. Default 0. */
  readonly mean?: number;
  /** Likewise. Default 1. */
  readonly std?: number;
  /** Smallest value, not a number of deviations. Default -2. */
  readonly low?: number;
  /** Largest value. Default 2. */
  readonly high?: number;
}

/**
 * Normal numbers that lie from `low` to `high`: the quantiles of uniform numbers between those of the ends.
 *
 * @throws ShapeError, DTypeError; ArgumentError unless std is above 0 and low below high
 */
export function truncatedNormal<const S extends Dims>(shape: S, options: TruncatedNormalOptions = {}): Tensor<S> {
  const { mean = 0, std = 1, low = -2, high = 2, ...rest } = options;
  if (!(std > 0 && low < high))
    throw new ArgumentError({ op: 'truncatedNormal', expected: 'std above 0 and low below high', got: `std ${std}, ${low} and ${high}` });
  const [a, b] = [(low - mean) / std, (high - mean) / std];
  // On the side where the tail is thin, so that probabilities do not round to 1.
  const mirrored = a > 0;
  const [from, to] = mirrored ? [normalTail(-b), normalTail(-a)] : [normalTail(a), normalTail(b)];
  return compose(() => {
    const quantile = normalQuantile(uniform(shape, { ...rest, low: from, high: to }));
    const placed = add(mul(quantile, mirrored ? -std : std), mean);
    return where(less(placed, low), low, minimum(placed, high));
  }) as Tensor<S>;
}

/**
 * The whole numbers below `count` in random order, int32: the places that sort random words. In a compiled function each call has another order.
 * On the host, for data, see {@link permutationOf}.
 *
 * @throws ArgumentError
 */
export function permutation(count: number, options: Omit<RandomOptions, 'dtype'> = {}): Tensor {
  if (!Number.isInteger(count) || count < 0)
    throw new ArgumentError({ op: 'permutation', expected: 'a whole number of at least 0', got: showValue(count) });
  return compose(() => argsort(randomWords('permutation', [count], options)));
}

/** Options of {@link categorical} and {@link multinomial}. */
export interface CategoricalOptions extends Source {
  /** May a class be drawn again? Default true for categorical, false for multinomial, as in PyTorch. */
  readonly replacement?: boolean;
}

function requireDraws(op: string, x: Tensor, count: number, replacement: boolean): void {
  const { dtype, shape } = nodeOf(x, op);
  if (!isFloat(dtype)) throw new DTypeError({ op, expected: 'a floating-point tensor', got: dtype, fix: "cast it with toDType('float32')." });
  const classes = shape.dims.at(-1) ?? 0;
  if (classes === 0) throw new ShapeError({ op, expected: 'at least one class, along the last axis', got: showDims(shape.dims) });
  if (!Number.isInteger(count) || count < 0 || (!replacement && count > classes))
    throw new ArgumentError({
      op,
      expected: `a whole number of draws${replacement ? '' : `, at most ${classes} without replacement`}`,
      got: showValue(count),
    });
}

/**
 * `count` classes drawn with the probabilities `softmax(logits)`, int32: `[..., count]`. With replacement by inversion, without by the Gumbel-top-k
 * trick: Kool, van Hoof, Welling, "Stochastic Beams and Where to Find Them", ICML 2019. -Infinity is never drawn (without replacement, not before all others).
 *
 * @param logits `[..., classes]`: logarithms of probabilities, up to a constant
 * @throws DTypeError, ShapeError, ArgumentError
 */
export function categorical(logits: Tensor, count = 1, options: CategoricalOptions = {}): Tensor {
  const { replacement = true } = options;
  requireDraws('categorical', logits, count, replacement);
  return compose(() => {
    const wide = toDType(detach(logits), nodeOf(logits, 'categorical').dtype === 'float64' ? 'float64' : 'float32');
    if (!replacement) return withoutReplacement(wide, count, options);
    return withReplacement(exp(sub(wide, max(wide, { axis: -1, keepDims: true }))), count, options);
  });
}

/**
 * `count` classes drawn with probabilities in proportion to `weights`, int32: `[..., count]`; without replacement unless asked for.
 *
 * @param weights `[..., classes]`, none negative, with a sum above 0 and, without replacement, at least `count` above 0
 * @throws as {@link categorical}
 */
export function multinomial(weights: Tensor, count: number, options: CategoricalOptions = {}): Tensor {
  const { replacement = false } = options;
  requireDraws('multinomial', weights, count, replacement);
  return compose(() => {
    const wide = toDType(detach(weights), nodeOf(weights, 'multinomial').dtype === 'float64' ? 'float64' : 'float32');
    return replacement ? withReplacement(wide, count, options) : withoutReplacement(log(wide), count, options);
  });
}

function withoutReplacement(logits: Tensor, count: number, options: Source): Tensor {
  const { dtype, runtime, shape } = nodeOf(logits, 'categorical');
  const noise = gumbel(shape.dims, { ...sourceOf(options), dtype, device: runtime.backend });
  return topK(add(logits, noise), count).indices;
}

function withReplacement(weights: Tensor, count: number, options: Source): Tensor {
  const { dtype, runtime, shape } = nodeOf(weights, 'categorical');
  const batch = shape.dims.slice(0, -1);
  const classes = shape.dims.at(-1) ?? 0;
  const running = cumsum(weights, { axis: -1 });
  const whole = along(running, shape.rank - 1, { start: classes - 1 });
  const u = uniform([...batch, count], { ...sourceOf(options), dtype, device: runtime.backend });
  const drawn = searchSorted(running, mul(u, whole), { right: true });
  // A product that was rounded up to the whole belongs to the last class that is above 0.
  return minimum(drawn, searchSorted(running, whole));
}
