/** Cross entropy of logits. */

import {
  ArgumentError,
  DTypeError,
  ShapeError,
  add,
  arange,
  compose,
  div,
  equal,
  logSoftmax,
  mul,
  requireIndices,
  requireOptions,
  reshape,
  sub,
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
  const lossOf = (wide: Tensor, wideTarget: Tensor): Tensor => {
    const logProbabilities = logSoftmax(wide, { axis });
    const terms = hard ? ofLabels(logProbabilities, wideTarget, axis) : ofProbabilities(logProbabilities, wideTarget, axis);
    const uniform = labelSmoothing / (wide.shape[axis] ?? 1);
    const smooth = labelSmoothing === 0 ? terms : add(mul(terms, 1 - labelSmoothing), mul(logProbabilities, uniform));
    return reduceTerms(smooth, axis, reduction);
  };
  return compose(() => inFloat32(logits, target, lossOf));
}

/**
 * Minus the sum over classes, reduced; classes and examples are summed in one pass. Subtracted from 0, a loss of nothing is 0, not -0.
 *
 * @throws ArgumentError for another reduction
 */
function reduceTerms(terms: Tensor, axis: number, reduction: Reduction): Tensor {
  if (reduction === 'none') return sub(0, sum(terms, { axis }));
  const total = sub(0, reduceLoss('crossEntropy', terms, reduction === 'mean' ? 'sum' : reduction));
  const count = labelShape(terms, axis).reduce((n, size) => n * size, 1);
  return reduction === 'mean' ? div(total, count) : total;
}

/** The logits' shape without the class axis. */
function labelShape(logits: Tensor, axis: number): readonly number[] {
  return logits.shape.filter((_, i) => i !== axis);
}

/** The log probability of each label at its class, and 0 at all others: unlike a gather it fuses with its neighbours, and so does its gradient. */
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
  return where(chosen, logProbabilities, 0);
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
  return mul(target, logProbabilities);
}
