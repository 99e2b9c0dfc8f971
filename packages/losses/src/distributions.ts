/** Losses of distributions: divergences, and negative log likelihoods of counts and of measurements. Formulas are PyTorch's. */

import {
  ArgumentError,
  ShapeError,
  add,
  clamp,
  compose,
  detach,
  div,
  exp,
  greater,
  less,
  log,
  logSoftmax,
  movedim,
  mul,
  requireOptions,
  square,
  sub,
  sum,
  unsqueeze,
  where,
  xlogy,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireSameShape, requireTensors, sameShape, showShape } from './arguments.ts';
import { elementwiseLoss, reducedLoss } from './calculate.ts';
import type { ElementwiseOptions } from './calculate.ts';
import { requireReduction } from './reduction.ts';
import type { LossOptions, Reduction } from './reduction.ts';

/** Options of {@link klDiv}. */
export interface KlDivOptions extends Omit<ElementwiseOptions, 'reduction'> {
  /** `batchmean`, which is the divergence, divides the sum by the size of axis 0. Default `mean`, over all elements, as in PyTorch. */
  readonly reduction?: Reduction | 'batchmean';
  /** Is the target a log probability too? Default false. */
  readonly logTarget?: boolean;
}

/**
 * Kullback and Leibler's divergence, element by element: `t (log t - x)`, and 0 where t is 0.
 *
 * @param logPrediction log probabilities @param target probabilities, or their logarithms
 * @throws ShapeError, ArgumentError
 */
export function klDiv(logPrediction: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  requireOptions('klDiv', options, "{ reduction: 'batchmean' }");
  const { reduction = 'mean', logTarget = false, ...rest } = options;
  requireReduction('klDiv', reduction, ['batchmean']);
  requireTensors('klDiv', logPrediction, target);
  if (reduction === 'batchmean' && logPrediction.rank === 0)
    throw new ShapeError({ op: 'klDiv', expected: 'an axis of examples for batchmean', got: '[]' });
  const batchSize = reduction === 'batchmean' ? (logPrediction.shape[0] ?? 1) : 1;
  if (reduction === 'batchmean' && options.mask !== undefined)
    throw new ArgumentError({
      op: 'klDiv',
      expected: 'no mask beside batchmean',
      got: 'both',
      fix: "reduction: 'sum', divided by the number that counts.",
    });
  return elementwiseLoss('klDiv', logPrediction, target, { ...rest, reduction: reduction === 'batchmean' ? 'sum' : reduction }, (x, t) => {
    const each = logTarget ? mul(exp(t), sub(t, x)) : sub(xlogy(t, t), mul(t, x));
    // Divided before the sum: the sum may be too large for 16-bit floats.
    return reduction === 'batchmean' ? div(each, batchSize) : each;
  });
}

/** Options of {@link poissonNll}. */
export interface PoissonNllOptions extends ElementwiseOptions {
  /** Is the prediction the logarithm of the rate? Default true. */
  readonly logInput?: boolean;
  /** Adds Stirling's approximation of log t! where t is above 1. Default false. */
  readonly full?: boolean;
  /** Added to a rate below the logarithm, above 0. Default 1e-8. */
  readonly eps?: number;
}

/** `rate - t log rate`: of counts. @throws ShapeError, ArgumentError */
export function poissonNll(prediction: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor {
  const { logInput = true, full = false, eps = 1e-8 } = options;
  requireNumber('poissonNll', 'eps', eps, { above: 0 });
  return elementwiseLoss('poissonNll', prediction, target, options, (x, t) => {
    const each = logInput ? sub(exp(x), mul(t, x)) : sub(x, mul(t, log(add(x, eps))));
    return full ? add(each, stirling(t)) : each;
  });
}

/** `t log t - t + log(2πt) / 2` above 1, else 0. */
function stirling(t: Tensor): Tensor {
  const large = greater(t, 1);
  const safe = where(large, t, 1);
  return where(large, add(sub(mul(safe, log(safe)), safe), mul(log(mul(safe, 2 * Math.PI)), 0.5)), 0);
}

/** Options of {@link gaussianNll}. */
export interface GaussianNllOptions extends LossOptions {
  /** Adds `log(2π) / 2`. Default false. */
  readonly full?: boolean;
  /** The least variance, above 0. What is below counts as that, and its gradient is that of the least. Default 1e-6. */
  readonly eps?: number;
}

/**
 * `(log v + (x - t)² / v) / 2`: of measurements with a predicted variance. Nix and Weigend, "Estimating the mean and variance of the target
 * probability distribution", 1994.
 *
 * @param variance shaped like the prediction, or with a last axis of size 1, or without the last axis; NaN comes of negative ones
 * @throws ShapeError, ArgumentError
 */
export function gaussianNll(prediction: Tensor, target: Tensor, variance: Tensor, options: GaussianNllOptions = {}): Tensor {
  const op = 'gaussianNll';
  requireOptions(op, options, '{ full: true }');
  requireSameShape(op, prediction, target);
  requireTensors(op, variance);
  const { full = false, eps = 1e-6 } = options;
  requireNumber(op, 'eps', eps, { above: 0 });
  const { shape } = prediction;
  const ofRows = shape.slice(0, -1);
  if (![shape, [...ofRows, 1], ofRows].some((fitting) => sameShape(fitting, variance.shape)))
    throw new ShapeError({
      op,
      expected: `variance of shape ${showShape(shape)}, ${showShape([...ofRows, 1])} or ${showShape(ofRows)}`,
      got: showShape(variance.shape),
    });
  const each = (x: Tensor, t: Tensor, given: Tensor): Tensor => {
    const least = where(less(given, 0), NaN, clamp(given, { min: eps }));
    // The value of the clamped variance with the gradient of the given one, as in PyTorch.
    const clamped = add(given, detach(sub(least, given)));
    const loss = mul(add(log(clamped), div(square(sub(x, t)), clamped)), 0.5);
    return full ? add(loss, 0.5 * Math.log(2 * Math.PI)) : loss;
  };
  return compose(() => {
    const inputs = [prediction, target, variance.rank < shape.length ? unsqueeze(variance, -1) : variance];
    return reducedLoss(op, inputs, shape, options, (x, t, v) => each(x, t, v));
  });
}

/** Options of {@link distillation}. */
export interface DistillationOptions extends LossOptions {
  /** What logits are divided by, above 0. Default 1. */
  readonly temperature?: number;
}

/**
 * `T² Σ_c p_c (log p_c - log q_c)` of each example, p and q being the softmax of the teacher's and the student's logits over T: how far a
 * student is from its teacher. G. Hinton and others, "Distilling the Knowledge in a Neural Network", 2015. No gradient goes to the teacher.
 *
 * @param student logits `[N, C]` or `[N, C, d…]` @param teacher logits of the same shape
 * @throws ShapeError, ArgumentError
 */
export function distillation(student: Tensor, teacher: Tensor, options: DistillationOptions = {}): Tensor {
  const op = 'distillation';
  requireOptions(op, options, '{ temperature: 2 }');
  requireSameShape(op, student, teacher, 'student and teacher', 'teacher');
  if (student.rank < 2) throw new ShapeError({ op, expected: 'logits [N, C, …]', got: showShape(student.shape) });
  const { temperature = 1 } = options;
  requireNumber(op, 'temperature', temperature, { above: 0 });
  const shape = student.shape.filter((_, i) => i !== 1);
  return compose(() =>
    reducedLoss(op, [movedim(student, 1, -1), movedim(detach(teacher), 1, -1)], shape, options, (s, t) => {
      const logQ = logSoftmax(div(s, temperature));
      const logP = logSoftmax(div(t, temperature));
      return mul(sum(mul(exp(logP), sub(logP, logQ)), { axis: -1 }), temperature ** 2);
    }),
  );
}
