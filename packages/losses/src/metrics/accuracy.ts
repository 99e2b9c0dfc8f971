/** Accuracy of classifications. */

import { argmax, equal, mean, noGrad } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireLabels } from './labels.ts';

/**
 * The share of rows whose largest logit is at their label, as a float32 of rank 0.
 *
 * @param logits `[N, C]`, or `[N, C, d…]` with classes at axis 1
 * @param labels class indices, shaped like the logits without the class axis
 * @throws ShapeError
 */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  requireLabels('accuracy', 'logits', logits, labels);
  return noGrad(() => mean(equal(argmax(logits, { axis: 1 }), labels)));
}
