/**
 * Focal losses: cross entropy in which what is right already counts less, times `(1 - p)^γ` with p the probability of the truth. Lin and others,
 * "Focal Loss for Dense Object Detection", 2017. α weighs classes, and nothing is weighed unless it is given.
 */

import {
  add,
  arange,
  equal,
  exp,
  logSoftmax,
  mul,
  neg,
  pow,
  requireIndices,
  requireOptions,
  sigmoid,
  sub,
  sum,
  toDType,
  unsqueeze,
  where,
} from '@gradus/tensor';
import { DTypeError, ShapeError } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireShape, requireTensors, showShape } from './arguments.ts';
import { bceOfLogits } from './binary.ts';
import { elementwiseLoss, inFloat32, reducedLoss } from './calculate.ts';
import type { ElementwiseOptions } from './calculate.ts';
import type { LossOptions } from './reduction.ts';

/** Options of {@link binaryFocal}. */
export interface BinaryFocalOptions extends ElementwiseOptions {
  /** How much less what is right counts, at least 0. Default 2. */
  readonly gamma?: number;
  /** What positives count, from 0 to 1; negatives count `1 - alpha`. The paper has 0.25. Default: both count 1. */
  readonly alpha?: number;
}

/** The focal loss of each logit, its target (0 or 1) shaped like it. @throws ShapeError, ArgumentError */
export function binaryFocal(logits: Tensor, target: Tensor, options: BinaryFocalOptions = {}): Tensor {
  const { gamma = 2, alpha } = options;
  requireNumber('binaryFocal', 'gamma', gamma, { min: 0 });
  if (alpha !== undefined) requireNumber('binaryFocal', 'alpha', alpha, { min: 0, max: 1 });
  return elementwiseLoss('binaryFocal', logits, target, options, (x, t) => {
    // 1 - p_t, as one sigmoid where t is 0 or 1: nothing cancels.
    const wrong = add(mul(t, sigmoid(neg(x))), mul(sub(1, t), sigmoid(x)));
    const each = mul(bceOfLogits(x, t), pow(wrong, gamma));
    return alpha === undefined ? each : mul(each, add(mul(t, alpha), mul(sub(1, t), 1 - alpha)));
  });
}

/** Options of {@link focal}. */
export interface FocalOptions extends LossOptions {
  /** How much less what is right counts, at least 0. Default 2. */
  readonly gamma?: number;
  /** What each class counts: `[C]`. Default 1. The mean is over examples, not over α. */
  readonly alpha?: Tensor;
}

/**
 * The focal loss of classes, `-α_y (1 - p_y)^γ log p_y`.
 *
 * @param logits `[N, C]` or `[N, C, d…]` @param target class indices, shaped like them without the class axis
 * @throws ShapeError, DTypeError, ArgumentError; IndexError for a label out of range, where labels can be looked at
 */
export function focal(logits: Tensor, target: Tensor, options: FocalOptions = {}): Tensor {
  const op = 'focal';
  requireOptions(op, options, '{ gamma: 2 }');
  requireTensors(op, logits, target);
  if (logits.rank < 2) throw new ShapeError({ op, expected: 'logits [N, C, …]', got: showShape(logits.shape) });
  requireShape(
    op,
    'target',
    target,
    logits.shape.filter((_, i) => i !== 1),
  );
  if (!target.dtype.startsWith('int') && !target.dtype.startsWith('uint'))
    throw new DTypeError({ op, expected: 'class indices as integers', got: target.dtype, fix: "target.toDType('int32')" });
  const classes = logits.shape[1] ?? 0;
  requireIndices(op, target, { min: 0, max: classes - 1 });
  const { gamma = 2, alpha } = options;
  requireNumber(op, 'gamma', gamma, { min: 0 });
  if (alpha !== undefined) requireShape(op, 'alpha', alpha, [classes]);
  const along = (values: Tensor): Tensor => values.reshape(logits.shape.map((size, i) => (i === 1 ? size : 1)));
  return inFloat32([logits, target], (x, labels) => {
    const logP = logSoftmax(x, { axis: 1 });
    const chosen = equal(unsqueeze(toDType(labels, 'int32'), 1), along(arange(classes, { device: logits.device })));
    const wrong = sum(where(chosen, 0, exp(logP)), { axis: 1 });
    const own = sum(where(chosen, logP, 0), { axis: 1 });
    const weight = alpha === undefined ? null : sum(where(chosen, along(toDType(alpha, logP.dtype)), 0), { axis: 1 });
    const known = sum(toDType(chosen, 'int32'), { axis: 1 });
    return reducedLoss(op, weight === null ? [own, wrong, known] : [own, wrong, known, weight], target.shape, options, (l, w, k, a) => {
      const each = mul(neg(l), pow(w, gamma));
      return where(equal(k, 1), a === undefined ? each : mul(each, a), NaN);
    });
  });
}
