/**
 * Mixtures of a batch and the same batch from the end: image i with image N - 1 - i, and their targets likewise, as in timm.
 *
 * A mixture is drawn as plain JSON, like the operations of samples: a function of the key alone.
 */

import { flip, tensor, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireWithin } from './color/apply.ts';
import { AugmentError } from './errors.ts';
import { Stream } from './random.ts';
import type { StreamKey } from './random.ts';

/** Images and what they are. */
export interface Batch {
  /** [N, C, H, W]. */
  readonly images: Tensor;
  /** [N, classes]: probabilities, such as `oneHot(labels, …)` as float32. */
  readonly targets: Tensor;
}

/** What was drawn for a batch: the weight of each image itself; of CutMix, also the part that comes from the other. */
export type MixRecord =
  | { readonly op: 'mixUp'; readonly lambda: number }
  | { readonly op: 'cutMix'; readonly lambda: number; readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** A batch after mixing. */
export interface Mixed extends Batch {
  readonly record: MixRecord;
}

/** Mixes batches. */
export interface Mixing {
  /** The mixture of a batch; `index` of the key is that of the batch. @throws AugmentError for tensors of other shapes */
  (batch: Batch, key?: StreamKey): Mixed;
  /** Mixes as a record says, drawing nothing. @throws AugmentError as above, and for a part outside the images */
  replay(record: MixRecord, batch: Batch): Mixed;
}

/** Options of {@link mixUp} and {@link cutMix}. */
export interface MixOptions {
  /** The weight is drawn from Beta(alpha, alpha). */
  readonly alpha: number;
}

/** λ · image + (1 - λ) · other. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018. */
export function mixUp({ alpha }: MixOptions): Mixing {
  requireWithin('mixUp', 'alpha', alpha, Number.MIN_VALUE, Infinity);
  return mixing('mixUp', (stream) => ({ op: 'mixUp', lambda: stream.beta(alpha, alpha) }));
}

/**
 * A rectangle of the other image over the image, of about 1 - λ of the area; λ is what is left after clipping. Yun et al., "CutMix:
 * Regularization Strategy to Train Strong Classifiers with Localizable Features", ICCV 2019.
 */
export function cutMix({ alpha }: MixOptions): Mixing {
  requireWithin('cutMix', 'alpha', alpha, Number.MIN_VALUE, Infinity);
  return mixing('cutMix', (stream, width, height) => {
    const side = Math.sqrt(1 - stream.beta(alpha, alpha));
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

function mixing(op: MixRecord['op'], draw: (stream: Stream, width: number, height: number) => MixRecord): Mixing {
  const mix = (batch: Batch, key: StreamKey = {}): Mixed => {
    const [height, width] = sizeOf(op, batch);
    return applyMix(draw(Stream.of(key), width, height), batch);
  };
  return Object.assign(mix, { replay: applyMix });
}

function applyMix(record: MixRecord, batch: Batch): Mixed {
  const [height, width] = sizeOf(record.op, batch);
  const lambda = requireWithin(record.op, 'lambda', record.lambda, 0, 1);
  const blend = (x: Tensor): Tensor => x.mul(lambda).add(flip(x, { axis: 0 }).mul(1 - lambda));
  const targets = blend(batch.targets);
  if (record.op === 'mixUp') return { images: blend(batch.images), targets, record };
  const part = partOf(record, width, height);
  const inside = tensor(part, { shape: [height, width], device: batch.images.device }).greater(0);
  return { images: where(inside, flip(batch.images, { axis: 0 }), batch.images), targets, record };
}

/** 1 inside the rectangle, 0 outside. */
function partOf(record: MixRecord & { readonly op: 'cutMix' }, width: number, height: number): Float32Array {
  const { x, y, width: columns, height: rows } = record;
  if (![x, y, columns, rows].every((value) => Number.isInteger(value) && value >= 0) || x + columns > width || y + rows > height)
    throw new AugmentError({ op: 'cutMix', expected: `a part of ${width} × ${height}`, got: `${columns} × ${rows} at (${x}, ${y})` });
  const part = new Float32Array(width * height);
  for (let row = y; row < y + rows; row++) part.fill(1, row * width + x, row * width + x + columns);
  return part;
}

function sizeOf(op: string, { images, targets }: Batch): [height: number, width: number] {
  const [count, , height, width] = images.shape;
  if (height !== undefined && width !== undefined && images.shape.length === 4 && targets.shape.length === 2 && targets.shape[0] === count)
    return [height, width];
  throw new AugmentError({
    op,
    expected: 'images [N, C, H, W] and targets [N, classes]',
    got: `[${images.shape.join(', ')}] and [${targets.shape.join(', ')}]`,
    fix: 'stack the images, and pass labels through oneHot',
  });
}
