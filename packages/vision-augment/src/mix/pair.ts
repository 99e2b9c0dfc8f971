/** Mixtures of two samples, for pipelines that have no batch yet: the first with the second, and their labels likewise. */

import { showValue } from '@gradus/tensor';
import { AugmentError } from '../errors.ts';
import { createImage, requireImage } from '../image.ts';
import type { Image } from '../image.ts';
import { requirePart } from './record.ts';
import type { MixRecord } from './record.ts';

/** An image and what it is. */
export interface LabelledImage {
  readonly image: Image;
  /** A probability for each class: one-hot or soft. Or the index of its class, when the mixing knows how many `classes` there are. */
  readonly label: number | readonly number[];
}

/** Two samples of one size, one number of channels and the same classes. */
export type Pair = readonly [own: LabelledImage, other: LabelledImage];

/** A sample after mixing. */
export interface MixedImage extends LabelledImage {
  /** A probability for each class. */
  readonly label: readonly number[];
  readonly record: MixRecord;
}

/** Width and height of the images. @throws AugmentError for images that are not whole, or differ in size or channels */
export function sizeOfPair(op: string, pair: Pair): [width: number, height: number] {
  const given: unknown = pair;
  if (!Array.isArray(given) || given.length !== 2 || given.some((each) => typeof each !== 'object' || each === null))
    throw new AugmentError({ op, expected: 'two samples { image, label }', got: showValue(given), fix: 'pass [sample, other]' });
  const [{ image }, { image: other }] = pair;
  requireImage(op, image);
  requireImage(op, other, 'another image');
  if (image.width === other.width && image.height === other.height && image.channels === other.channels) return [image.width, image.height];
  throw new AugmentError({
    op,
    expected: `another image of ${describe(image)}, as the first`,
    got: describe(other),
    fix: 'resize both to one size first',
  });
}

const describe = ({ width, height, channels }: Image): string => `${width} × ${height} × ${channels}`;

/** The first sample with the second, as a record says. @throws AugmentError for samples that do not fit, and for a part outside the images */
export function mixPair(record: MixRecord, pair: Pair, classes: number | undefined): MixedImage {
  const [width, height] = sizeOfPair(record.op, pair);
  const [own, other] = pair;
  const { lambda } = record;
  const [label, rest] = [probabilities(record.op, own.label, classes), probabilities(record.op, other.label, classes)];
  if (label.length !== rest.length)
    throw new AugmentError({
      op: record.op,
      expected: `labels of ${label.length} classes, as the first`,
      got: String(rest.length),
      fix: 'give both a probability for each class',
    });
  const mixed = label.map((value, i) => lambda * value + (1 - lambda) * (rest[i] ?? 0));
  if (record.op === 'mixUp') return { image: blend(own.image, other.image, lambda), label: mixed, record };
  requirePart(record, width, height);
  return { image: paste(own.image, other.image, record), label: mixed, record };
}

/** A probability for each class. */
function probabilities(op: string, label: unknown, classes: number | undefined): readonly number[] {
  if (Array.isArray(label) && label.length > 0 && label.every((value) => Number.isFinite(value) && Number(value) >= 0)) return label as number[];
  if (classes !== undefined && Number.isInteger(label) && Number(label) >= 0 && Number(label) < classes)
    return Array.from({ length: classes }, (_, i) => Number(i === label));
  throw new AugmentError({
    op,
    expected: `a label of probabilities, one for each class${classes === undefined ? '' : `, or a class from 0 to ${classes - 1}`}`,
    got: showValue(label),
    fix: 'say how many classes there are, { alpha, classes: 10 }, to pass the index of one',
  });
}

/** λ · image + (1 - λ) · other, rounded to the nearest level. */
function blend(image: Image, other: Image, lambda: number): Image {
  return createImage(
    image,
    image.data.map((level, i) => Math.round(lambda * level + (1 - lambda) * (other.data[i] as number))),
  );
}

/** The image with a part of the other over it. */
function paste(image: Image, other: Image, { x, y, width, height }: MixRecord & { readonly op: 'cutMix' }): Image {
  const data = image.data.slice();
  for (let row = y; row < y + height; row++) {
    const at = (row * image.width + x) * image.channels;
    data.set(other.data.subarray(at, at + width * image.channels), at);
  }
  return createImage(image, data);
}
