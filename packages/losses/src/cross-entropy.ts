/** Cross entropy of logits. */

import {
  ArgumentError,
  DTypeError,
  ShapeError,
  add,
  arange,
  equal,
  logSoftmax,
  mean,
  mul,
  neg,
  requireIndices,
  requireOptions,
  reshape,
  sum,
  unsqueeze,
  where,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { inFloat32, reduceLoss, requireSameShape, requireTensors } from './reduction.ts';
import type { Reduction } from './reduction.ts';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** Default `mean`, over the elements of the loss. */
  readonly reduction?: Reduction;
  /** Moves this share of each target to the uniform distribution. Szegedy et al., 2016. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * `-Σ_c p_c · log softmax(logits)_c` along the class axis, which is axis 1 (axis 0 for rank 1).
 *
 * @param logits `[N, C]`, `[N, C, d…]` or `[C]`
 * @param target class indices (integers, shaped like the logits without the class axis), or probabilities (floats, shaped like the logits)
 * @throws ShapeError, DTypeError; IndexError for a label out of range, where labels can be looked at; ArgumentError for a smoothing outside [0, 1]
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  requireTensors('crossEntropy', logits, target);
  requireOptions('crossEntropy', options, "{ reduction: 'sum' }");
  const { labelSmoothing = 0, reduction = 'mean' } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ArgumentError({ op: 'crossEntropy', expected: 'labelSmoothing from 0 to 1', got: String(labelSmoothing) });
  if (logits.rank === 0) throw new ShapeError({ op: 'crossEntropy', expected: 'logits with a class axis', got: '[]' });
  const axis = logits.rank === 1 ? 0 : 1;
  const hard = target.dtype.startsWith('int') || target.dtype.startsWith('uint');
  return inFloat32(logits, target, (wide, wideTarget) => {
    const logProbabilities = logSoftmax(wide, { axis });
    const likelihood = hard ? ofLabels(logProbabilities, wideTarget, axis) : ofProbabilities(logProbabilities, wideTarget, axis);
    if (labelSmoothing === 0) return reduceLoss('crossEntropy', neg(likelihood), reduction);
    const uniform = mean(logProbabilities, { axis });
    return reduceLoss('crossEntropy', neg(add(mul(likelihood, 1 - labelSmoothing), mul(uniform, labelSmoothing))), reduction);
  });
}

/** The logits' shape without the class axis. */
function labelShape(logits: Tensor, axis: number): readonly number[] {
  return logits.shape.filter((_, i) => i !== axis);
}

/** The log probability of each label: a sum over classes in which all others count 0, so that it fuses with its neighbours. */
function ofLabels(logProbabilities: Tensor, labels: Tensor, axis: number): Tensor {
  const { shape } = logProbabilities;
  const wanted = labelShape(logProbabilities, axis);
  if (String(wanted) !== String(labels.shape)) {
    throw new ShapeError({
      op: 'crossEntropy',
      expected: `labels of shape [${wanted.join(', ')}] for logits [${shape.join(', ')}]`,
      got: `[${labels.shape.join(', ')}]`,
      fix: 'class indices have no class axis; for probabilities pass floats shaped like the logits.',
    });
  }
  const classes = shape[axis] ?? 0;
  requireIndices('crossEntropy', labels, { min: 0, max: classes - 1 });
  const places = reshape(
    arange(classes, { device: logProbabilities.device }),
    shape.map((size, i) => (i === axis ? size : 1)),
  );
  const chosen = equal(unsqueeze(labels.toDType('int32'), axis), places);
  return sum(where(chosen, logProbabilities, 0), { axis });
}

function ofProbabilities(logProbabilities: Tensor, target: Tensor, axis: number): Tensor {
  if (target.rank < logProbabilities.rank && String(labelShape(logProbabilities, axis)) === String(target.shape))
    throw new DTypeError({
      op: 'crossEntropy',
      expected: 'class indices as integers',
      got: `${target.dtype} [${target.shape.join(', ')}]`,
      fix: "target.toDType('int32')",
    });
  if (target.dtype === 'bool') throw new DTypeError({ op: 'crossEntropy', expected: 'class indices or probabilities', got: 'bool' });
  requireSameShape('crossEntropy', logProbabilities, target);
  return sum(mul(target, logProbabilities), { axis });
}
