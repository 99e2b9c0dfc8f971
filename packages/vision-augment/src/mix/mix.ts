/**
 * Mixtures of images and their labels: of a batch of tensors with itself, or of two samples.
 *
 * A mixture is drawn as plain JSON, like the operations of samples: a function of the key and the size of the images alone.
 */

import { AugmentError } from '../errors.ts';
import { Stream } from '../random.ts';
import type { StreamKey } from '../random.ts';
import { requireWithin } from '../ranges.ts';
import { requireMixRecord } from '../record.ts';
import { mixBatch, sizeOfBatch } from './batch.ts';
import type { Batch, Mixed } from './batch.ts';
import { mixPair, sizeOfPair } from './pair.ts';
import type { MixedImage, Pair } from './pair.ts';
import type { MixRecord } from './record.ts';

/** Mixes batches, and pairs of samples. */
export interface Mixing {
  /**
   * The mixture of a batch with itself from the end; `index` of the key is that of the batch.
   *
   * @throws AugmentError for tensors of other shapes; DTypeError, IndexError for targets [N] that are no classes
   */
  (batch: Batch, key?: StreamKey): Mixed;
  /** The mixture of the first sample with the second; `index` of the key is that of the first. @throws AugmentError for samples that do not fit */
  (pair: Pair, key?: StreamKey): MixedImage;
  /** Mixes as a record says, drawing nothing. @throws AugmentError as above, for what is no record, and for a part outside the images */
  replay(record: MixRecord, batch: Batch): Mixed;
  replay(record: MixRecord, pair: Pair): MixedImage;
}

/** Options of {@link mixUp} and {@link cutMix}. */
export interface MixOptions {
  /** The weight is drawn from Beta(alpha, alpha). */
  readonly alpha: number;
  /** How many classes there are; only needed where labels are class indices. */
  readonly classes?: number;
}

/** λ · image + (1 - λ) · other. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018. @throws AugmentError for an alpha not above 0 */
export function mixUp(options: MixOptions): Mixing {
  return mixing('mixUp', options, (stream) => ({ op: 'mixUp', lambda: stream.beta(options.alpha, options.alpha) }));
}

/**
 * A rectangle of the other image over the image, of about 1 - λ of the area; λ is what is left after clipping. Yun et al., "CutMix:
 * Regularization Strategy to Train Strong Classifiers with Localizable Features", ICCV 2019.
 *
 * @throws AugmentError for an alpha not above 0
 */
export function cutMix(options: MixOptions): Mixing {
  return mixing('cutMix', options, (stream, width, height) => {
    const side = Math.sqrt(1 - stream.beta(options.alpha, options.alpha));
    const [x, right] = span(stream, Math.floor(width * side), width);
    const [y, bottom] = span(stream, Math.floor(height * side), height);
    return { op: 'cutMix', lambda: 1 - ((right - x) * (bottom - y)) / (width * height), x, y, width: right - x, height: bottom - y };
  });
}

/** The ends of `length` about a place below `size`, clipped. */
function span(stream: Stream, length: number, size: number): [number, number] {
  const start = stream.below(size) - Math.floor(length / 2);
  return [Math.max(0, start), Math.min(size, start + length)];
}

function mixing(op: MixRecord['op'], { alpha, classes }: MixOptions, draw: (stream: Stream, width: number, height: number) => MixRecord): Mixing {
  requireWithin(op, 'alpha', alpha, Number.MIN_VALUE, Infinity);
  if (classes !== undefined && !(Number.isSafeInteger(classes) && classes > 0))
    throw new AugmentError({ op, expected: 'classes as a whole number above 0', got: String(classes) });
  const apply = (record: MixRecord, parts: Batch | Pair): Mixed & MixedImage =>
    // The overloads of Mixing say which of the two comes out for which parts.
    (isBatch(parts) ? mixBatch(record, parts, classes) : mixPair(record, parts, classes)) as Mixed & MixedImage;
  const mix = (parts: Batch | Pair, key: StreamKey = {}): Mixed & MixedImage => {
    const [width, height] = isBatch(parts) ? sizeOfBatch(op, parts, classes) : sizeOfPair(op, parts);
    return apply(draw(Stream.of(key), width, height), parts);
  };
  const replay = (record: MixRecord, parts: Batch | Pair): Mixed & MixedImage => {
    requireMixRecord(`${op}.replay`, record);
    return apply(record, parts);
  };
  return Object.assign(mix, { replay });
}

function isBatch(parts: Batch | Pair): parts is Batch {
  return typeof parts === 'object' && parts !== null && 'images' in parts;
}
