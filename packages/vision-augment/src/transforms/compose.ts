/** Pipelines: transforms one after another, or one of several. */

import { showValue } from '@gradus/tensor';
import { applyRecord, sizeAfter } from '../apply.ts';
import type { Augmented } from '../apply.ts';
import { AugmentError } from '../errors.ts';
import type { AugmentRecord, Operation } from '../operations.ts';
import { Stream } from '../random.ts';
import type { StreamKey } from '../random.ts';
import { requireOperations } from '../record.ts';
import { requireSample } from '../sample.ts';
import type { Sample } from '../sample.ts';
import { withProbability } from './transform.ts';
import type { Geometry, Transform, TransformOptions } from './transform.ts';

/** A pipeline: a function of samples, and itself a transform. */
export interface Augmentation extends Transform {
  /**
   * The sample after the pipeline, and the record of what was drawn: a function of the sample and the key alone.
   *
   * @throws AugmentError for a sample that is not right, and for a crop larger than the image
   */
  (sample: Sample, key?: StreamKey): Augmented;
  /** Does to a sample what a record says, drawing nothing. @throws AugmentError as above, and for what is no record */
  replay(record: AugmentRecord, sample: Sample): Augmented;
}

/**
 * Transforms one after another. Neighbouring ones that move pixels are resampled together.
 *
 * @throws AugmentError for what is no list of transforms; when called, also for a transform that draws what is no operation
 */
export function compose(transforms: readonly Transform[]): Augmentation {
  requireTransforms('compose', transforms);
  const draw = (stream: Stream, geometry: Geometry): readonly Operation[] => {
    let current = geometry;
    return transforms.flatMap((transform, place) => {
      const operations = transform.draw(stream.child(place), current);
      requireOperations('augment', operations);
      current = { ...sizeAfter(operations, current), channels: geometry.channels };
      return operations;
    });
  };
  const augment = (sample: Sample, key: StreamKey = {}): Augmented => {
    requireSample('augment', sample);
    return applyRecord({ version: 1, operations: draw(Stream.of(key), sample.image) }, sample);
  };
  return Object.assign(augment, { draw, replay: applyRecord });
}

function requireTransforms(op: string, transforms: unknown): void {
  const odd = Array.isArray(transforms) ? transforms.findIndex((each: Partial<Transform> | null) => typeof each?.draw !== 'function') : -1;
  if (Array.isArray(transforms) && odd < 0) return;
  throw new AugmentError({
    op,
    expected: 'a list of transforms, each with draw',
    got: Array.isArray(transforms) ? `${showValue(transforms[odd])} at place ${odd}` : showValue(transforms),
    fix: 'pass [horizontalFlip(), resize([32, 32])]',
  });
}

/** One of the transforms, each as likely as the others. @throws AugmentError without any */
export function oneOf(transforms: readonly Transform[], options: TransformOptions = {}): Transform {
  requireTransforms('oneOf', transforms);
  if (transforms.length === 0) throw new AugmentError({ op: 'oneOf', expected: 'at least one transform', got: 'none' });
  return withProbability('oneOf', options, (stream, geometry) => {
    const place = stream.below(transforms.length);
    return transforms[place]?.draw(stream.child(place), geometry) ?? [];
  });
}
