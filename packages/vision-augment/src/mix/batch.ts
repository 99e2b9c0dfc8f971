/** Mixtures of a batch of tensors with itself from the end: image i with image N - 1 - i, and their targets likewise, as in timm. */

import { flip, oneHot, requireIndices, tensor, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { AugmentError } from '../errors.ts';
import { requirePart } from './record.ts';
import type { MixRecord } from './record.ts';

/** Images and what they are. */
export interface Batch {
  /** [N, C, H, W]. */
  readonly images: Tensor;
  /** [N, classes], probabilities; or class indices [N], when the mixing knows how many `classes` there are. */
  readonly targets: Tensor;
}

/** A batch after mixing; `targets` are probabilities [N, classes]. */
export interface Mixed extends Batch {
  readonly record: MixRecord;
}

/** Width and height of the images. @throws AugmentError for tensors of other shapes */
export function sizeOfBatch(op: string, { images, targets }: Batch, classes: number | undefined): [width: number, height: number] {
  const [count, , height, width] = images.shape;
  const fits = targets.shape[0] === count && (targets.shape.length === 2 || (targets.shape.length === 1 && classes !== undefined));
  if (height !== undefined && width !== undefined && images.shape.length === 4 && fits) return [width, height];
  throw new AugmentError({
    op,
    expected: `images [N, C, H, W] and targets [N, classes]${classes === undefined ? '' : ' or [N]'}`,
    got: `[${images.shape.join(', ')}] and [${targets.shape.join(', ')}]`,
    fix: 'stack the images; and pass labels through oneHot, or say how many classes there are: { alpha, classes: 10 }',
  });
}

/**
 * The batch as a record says.
 *
 * @throws AugmentError for tensors of other shapes, and for a part outside the images; DTypeError, IndexError for targets that are no classes
 */
export function mixBatch(record: MixRecord, batch: Batch, classes: number | undefined): Mixed {
  const [width, height] = sizeOfBatch(record.op, batch, classes);
  const { images } = batch;
  const blend = (x: Tensor): Tensor => x.mul(record.lambda).add(flip(x, { axis: 0 }).mul(1 - record.lambda));
  const areIndices = classes !== undefined && batch.targets.shape.length === 1;
  if (areIndices) requireIndices(record.op, batch.targets, { min: 0, max: classes - 1 });
  const targets = blend(areIndices ? oneHot(batch.targets, classes) : batch.targets);
  if (record.op === 'mixUp') return { images: blend(images), targets, record };
  requirePart(record, width, height);
  const inside = tensor(part(record, width, height), { shape: [height, width], device: images.device }).greater(0);
  return { images: where(inside, flip(images, { axis: 0 }), images), targets, record };
}

/** 1 inside the rectangle, 0 outside. */
function part({ x, y, width: columns, height: rows }: MixRecord & { readonly op: 'cutMix' }, width: number, height: number): Float32Array {
  const values = new Float32Array(width * height);
  for (let row = y; row < y + rows; row++) values.fill(1, row * width + x, row * width + x + columns);
  return values;
}
