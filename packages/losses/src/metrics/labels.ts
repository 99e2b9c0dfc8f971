/** What metrics of classifications ask of their arguments. */

import { ShapeError, arange, equal, requireIndices, reshape, toDType, unsqueeze } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireTensors } from '../arguments.ts';

/** @throws ShapeError unless `scores` is `[N, C, …]` and the labels `[N, …]` */
export function requireLabels(op: string, what: string, scores: Tensor, labels: Tensor): void {
  requireTensors(op, scores, labels);
  const wanted = scores.shape.filter((_, i) => i !== 1);
  if (scores.rank >= 2 && String(wanted) === String(labels.shape)) return;
  throw new ShapeError({
    op,
    expected: `${what} [N, C, …] and labels [${wanted.join(', ')}]`,
    got: `[${scores.shape.join(', ')}] and [${labels.shape.join(', ')}]`,
  });
}

/** Is it the label's class? bool, shaped like the scores. @throws DTypeError, IndexError for labels that are no classes */
export function isLabel(op: string, scores: Tensor, labels: Tensor): Tensor {
  const classes = scores.shape[1] ?? 0;
  requireIndices(op, labels, { min: 0, max: classes - 1 });
  const places = reshape(
    arange(classes, { device: scores.device }),
    scores.shape.map((size, i) => (i === 1 ? size : 1)),
  );
  return equal(unsqueeze(toDType(labels, 'int32'), 1), places);
}
