/** Accuracy of classifications. */

import { ShapeError, argmax, equal, mean, noGrad } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireTensors } from '../reduction.ts';

/**
 * The share of rows whose largest logit is at their label, as a float32 of rank 0.
 *
 * @param logits `[N, C]`, or `[N, C, d…]` with classes at axis 1
 * @param labels class indices, shaped like the logits without the class axis
 * @throws ShapeError
 */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  requireTensors('accuracy', logits, labels);
  const wanted = logits.shape.filter((_, i) => i !== 1);
  if (logits.rank < 2 || String(wanted) !== String(labels.shape)) {
    throw new ShapeError({
      op: 'accuracy',
      expected: `logits [N, C, …] and labels [${wanted.join(', ')}]`,
      got: `[${logits.shape.join(', ')}] and [${labels.shape.join(', ')}]`,
    });
  }
  return noGrad(() => mean(equal(argmax(logits, { axis: 1 }), labels)));
}
