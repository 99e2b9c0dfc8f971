/**
 * Cross entropy of classes, from logits or from log probabilities.
 *
 * x is `[N, C]`, `[N, C, d…]` or `[C]`: classes lie at axis 1 (0 for rank 1). A target is class indices y (integers, shaped like x without
 * the class axis) or probabilities p (floats, shaped like x). With w the classes' weights and ε the smoothing, the loss of an example is
 * `-(1 - ε) w_y log p_y - ε/C Σ_c w_c log p_c`, or `-Σ_c w_c ((1 - ε) p_c + ε/C) log p_c`; the mean divides by Σ w_y of indices, and by the
 * number of examples of probabilities. All as in PyTorch, which has `ignoreIndex: -100` by default; here nothing is ignored unasked.
 */

import {
  ArgumentError,
  DTypeError,
  ShapeError,
  add,
  arange,
  div,
  equal,
  greaterEqual,
  less,
  logSoftmax,
  logSumExp,
  logicalAnd,
  logicalOr,
  mul,
  notEqual,
  requireIndices,
  requireOptions,
  reshape,
  showValue,
  square,
  sub,
  sum,
  toDType,
  unsqueeze,
  where,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireSameShape, requireShape, requireTensors, sameShape } from './arguments.ts';
import { inFloat32 } from './calculate.ts';
import { forLosses, requireReduction } from './reduction.ts';
import type { LossOptions } from './reduction.ts';

/** Options of {@link nll}. */
export interface NllOptions extends LossOptions {
  /** What the loss of each class is multiplied by: `[C]`. */
  readonly weight?: Tensor;
  /** The label of examples that do not count, such as PyTorch's -100. Where all are ignored the mean is NaN and the gradient 0. Default: none. */
  readonly ignoreIndex?: number;
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllOptions {
  /** Moves this share of each target to the uniform distribution. Szegedy et al., 2016. Default 0. */
  readonly labelSmoothing?: number;
  /** Adds this times `log² Σ exp(logits)` to the loss of each example. Chowdhery et al., "PaLM", 2022. Default 0. */
  readonly zLoss?: number;
}

/**
 * `-Σ_c p_c · log softmax(logits)_c` along the class axis.
 *
 * @param logits `[N, C]`, `[N, C, d…]` or `[C]`
 * @param target class indices (integers, shaped like the logits without the class axis), or probabilities (floats, shaped like the logits)
 * @throws ShapeError, DTypeError; IndexError for a label out of range, where labels can be looked at (elsewhere its loss is NaN);
 * ArgumentError for a smoothing outside [0, 1]
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const axis = requireClasses('crossEntropy', logits, target, options);
  const { labelSmoothing = 0, zLoss = 0 } = options;
  requireNumber('crossEntropy', 'labelSmoothing', labelSmoothing, { min: 0, max: 1 });
  requireNumber('crossEntropy', 'zLoss', zLoss, { min: 0 });
  return inFloat32([logits, target], (given, t) => {
    const x = neutral('crossEntropy', given, axis, options);
    const penalty = zLoss === 0 ? null : mul(square(logSumExp(x, { axis })), zLoss);
    return lossOf({ op: 'crossEntropy', logP: logSoftmax(x, { axis }), target: t, axis, smoothing: labelSmoothing, penalty }, options);
  });
}

/**
 * `-log p_y`: {@link crossEntropy} of what is log probabilities already.
 *
 * @param logProbabilities `[N, C]`, `[N, C, d…]` or `[C]`
 * @param target class indices, shaped like them without the class axis
 * @throws ShapeError, DTypeError; IndexError for a label out of range, where labels can be looked at
 */
export function nll(logProbabilities: Tensor, target: Tensor, options: NllOptions = {}): Tensor {
  const axis = requireClasses('nll', logProbabilities, target, options);
  if (!isInteger(target))
    throw new DTypeError({ op: 'nll', expected: 'class indices as integers', got: target.dtype, fix: "target.toDType('int32')" });
  return inFloat32([logProbabilities, target], (logP, t) =>
    lossOf({ op: 'nll', logP: neutral('nll', logP, axis, options), target: t, axis, smoothing: 0, penalty: null }, options),
  );
}

/** 0 in place of what the mask leaves out: NaN there would come back from softmax's gradient. */
function neutral(op: string, x: Tensor, axis: number, { mask }: NllOptions): Tensor {
  const counts = forLosses(op, 'mask', mask, withoutAxis(x.shape, axis));
  return counts === undefined ? x : where(unsqueeze(counts, axis), x, 0);
}

const withoutAxis = (shape: readonly number[], axis: number): readonly number[] => shape.filter((_, i) => i !== axis);

const isInteger = ({ dtype }: Tensor): boolean => dtype.startsWith('int') || dtype.startsWith('uint');

/** The class axis. @throws ShapeError, ArgumentError */
function requireClasses(op: string, x: Tensor, target: Tensor, options: NllOptions): number {
  requireTensors(op, x, target);
  requireOptions(op, options, "{ reduction: 'sum' }");
  requireReduction(op, options.reduction ?? 'mean');
  if (x.rank === 0) throw new ShapeError({ op, expected: 'logits with a class axis', got: '[]' });
  const axis = x.rank === 1 ? 0 : 1;
  if (options.weight !== undefined) requireShape(op, 'weight', options.weight, [x.shape[axis] ?? 0]);
  if (options.ignoreIndex !== undefined && !Number.isSafeInteger(options.ignoreIndex))
    throw new ArgumentError({ op, expected: 'a whole number for ignoreIndex', got: showValue(options.ignoreIndex) });
  return axis;
}

/** What a loss is made of. */
interface Parts {
  readonly op: string;
  /** Log probabilities. */
  readonly logP: Tensor;
  readonly target: Tensor;
  readonly axis: number;
  readonly smoothing: number;
  /** Added to the loss of each example: shaped like the logits without the class axis. */
  readonly penalty: Tensor | null;
}

/** Minus the sum over classes, reduced; classes and examples are summed in one pass. Subtracted from 0, a loss of nothing is 0, not -0. */
function lossOf({ op, logP, target, axis, smoothing, penalty }: Parts, options: NllOptions): Tensor {
  const { reduction = 'mean' } = options;
  const shape = withoutAxis(logP.shape, axis);
  const weight = options.weight === undefined ? null : alongClasses(toDType(options.weight, logP.dtype), logP, axis);
  const hard = isInteger(target);
  const chosen = hard ? isLabel(op, logP, target, axis, options.ignoreIndex) : null;
  const targeted = chosen === null ? ofProbabilities(op, logP, target, axis) : where(chosen, logP, nanOfStrangers(logP, target, axis));
  const uniform = smoothing / (logP.shape[axis] ?? 1);
  const smooth = smoothing === 0 ? targeted : add(mul(targeted, 1 - smoothing), mul(logP, uniform));
  const terms = weight === null ? smooth : mul(smooth, weight);

  // Which examples count, and how much: with the class axis, of size 1.
  const mask = forLosses(op, 'mask', options.mask, shape);
  const known = hard && options.ignoreIndex !== undefined ? notEqual(target, options.ignoreIndex) : undefined;
  const counts = mask === undefined || known === undefined ? (mask ?? known) : logicalAnd(mask, known);
  const sampleWeight = forLosses(op, 'sampleWeight', options.sampleWeight, shape);
  const weighed = (each: Tensor, at?: number): Tensor => {
    const behind = (t: Tensor): Tensor => (at === undefined ? t : unsqueeze(t, at));
    const scaled = sampleWeight === undefined ? each : mul(each, behind(toDType(sampleWeight, each.dtype)));
    return counts === undefined ? scaled : where(behind(counts), scaled, 0);
  };
  const losses = weighed(terms, axis);
  const more = penalty === null ? null : weighed(penalty);
  if (reduction === 'none') {
    const each = sub(0, sum(losses, { axis }));
    return more === null ? each : add(each, more);
  }
  const total = more === null ? sub(0, sum(losses)) : sub(sum(more), sum(losses));
  if (reduction === 'sum') return total;
  // What a mean divides by: Σ of these over the examples that count.
  const ofClass = weight === null || chosen === null || reduction === 'sumOverBatchSize' ? null : sum(where(chosen, weight, 0), { axis });
  const ofSample = reduction === 'meanWithSampleWeight' ? sampleWeight : undefined;
  const factors = [ofClass, ofSample].flatMap((factor) => (factor === null || factor === undefined ? [] : [toDType(factor, logP.dtype)]));
  const [first, second] = factors;
  const number = shape.reduce((n, size) => n * size, 1);
  if (first === undefined) return div(total, counts === undefined ? number : sharedOver(toDType(counts, logP.dtype), number));
  const share = second === undefined ? first : mul(first, second);
  return div(total, sharedOver(counts === undefined ? share : where(counts, share, 0), number));
}

/** The sum over all examples of a weight that may be given for several at once. */
function sharedOver(weights: Tensor, number: number): Tensor {
  const spread = weights.size === number ? 1 : number / Math.max(1, weights.size);
  return spread === 1 ? sum(weights) : mul(sum(weights), spread);
}

/** `[C]` with axes of size 1 around it. */
function alongClasses(values: Tensor, like: Tensor, axis: number): Tensor {
  return reshape(
    values,
    like.shape.map((size, i) => (i === axis ? size : 1)),
  );
}

/** Is it the label's class? Shaped like the log probabilities. A comparison fuses with its neighbours, unlike a gather, and so does its gradient. */
function isLabel(op: string, logP: Tensor, labels: Tensor, axis: number, ignoreIndex?: number): Tensor {
  const { shape } = logP;
  const wanted = withoutAxis(shape, axis);
  if (!sameShape(wanted, labels.shape)) {
    throw new ShapeError({
      op,
      expected: `labels of shape [${wanted.join(', ')}] for logits [${shape.join(', ')}]`,
      got: `[${labels.shape.join(', ')}]`,
      fix:
        wanted.reduce((n, size) => n * size, 1) === labels.size
          ? `target.reshape([${wanted.join(', ')}])`
          : 'class indices have no class axis; for probabilities pass floats shaped like the logits.',
    });
  }
  const classes = shape[axis] ?? 0;
  requireIndices(op, labels, { min: 0, max: classes - 1, ...(ignoreIndex !== undefined && { except: ignoreIndex }) });
  return equal(unsqueeze(labels.toDType('int32'), axis), alongClasses(arange(classes, { device: logP.device }), logP, axis));
}

/** 0, but NaN for labels that are no class: where they cannot be looked at, they must not pass for right. */
function nanOfStrangers(logP: Tensor, labels: Tensor, axis: number): Tensor {
  const label = unsqueeze(labels.toDType('int32'), axis);
  const stranger = logicalOr(less(label, 0), greaterEqual(label, logP.shape[axis] ?? 0));
  return toDType(where(stranger, NaN, 0), logP.dtype);
}

/** @throws DTypeError, ShapeError */
function ofProbabilities(op: string, logP: Tensor, target: Tensor, axis: number): Tensor {
  const rows = withoutAxis(logP.shape, axis);
  if (target.rank < logP.rank && sameShape(rows, target.shape))
    throw new DTypeError({
      op,
      expected: 'class indices as integers',
      got: `${target.dtype} [${target.shape.join(', ')}]`,
      fix: "target.toDType('int32')",
    });
  if (target.dtype === 'bool') throw new DTypeError({ op, expected: 'class indices or probabilities', got: 'bool' });
  requireSameShape(op, logP, target);
  return mul(target, logP);
}
