/** Applies operations to a sample: neighbouring geometric ones through a plan, colours one by one. */

import { applyColor } from './color/apply.ts';
import { motionOf } from './geometry/motion.ts';
import { planGeometry } from './geometry/plan.ts';
import type { GeometryStep } from './geometry/plan.ts';
import { moveBox, moveKeypoint } from './geometry/targets.ts';
import { warp } from './geometry/warp.ts';
import type { Image, Size } from './image.ts';
import type { AugmentRecord, ColorOperation, GeometricOperation, Operation } from './operations.ts';
import { requireRecord } from './record.ts';
import { resizeImage } from './resample/resize.ts';
import { requireSample } from './sample.ts';
import type { Box, Sample } from './sample.ts';

/** A sample after augmentation. */
export interface Augmented extends Sample {
  /** What was done, as plain JSON; `augment.replay` does it to another sample. */
  readonly record: AugmentRecord;
  /** The indices of the boxes of the sample of which nothing was left; `boxes` has the others, in their order. */
  readonly droppedBoxes: readonly number[];
}

const geometric = {
  horizontalFlip: true,
  verticalFlip: true,
  rotate90: true,
  crop: true,
  rotate: true,
  affine: true,
  resize: true,
  brightness: false,
  contrast: false,
  saturation: false,
  hue: false,
  gaussianNoise: false,
  gaussianBlur: false,
  erase: false,
} satisfies Readonly<Record<Operation['op'], boolean>>;

function isGeometric(operation: Operation): operation is GeometricOperation {
  return geometric[operation.op];
}

/** The size of an image after operations. */
export function sizeAfter(operations: readonly Operation[], size: Size): Size {
  return operations.filter(isGeometric).reduce<Size>((current, operation) => motionOf(operation, current), size);
}

/** The sample after the operations of a record. @throws AugmentError for a sample or operations that are not right, or not for each other */
export function applyRecord(record: AugmentRecord, sample: Sample): Augmented {
  requireRecord('augment.replay', record);
  requireSample('augment', sample);
  let current: Tracked = { ...sample, boxes: (sample.boxes ?? []).map((box, index) => ({ box, index })) };
  for (const run of runsOf(record.operations)) {
    if (Array.isArray(run)) for (const step of planGeometry(run, current.image)) current = applyStep(current, step);
    else current = { ...current, image: applyColor(current.image, run) };
  }
  const { image, mask, boxes, keypoints } = current;
  const kept = new Set(boxes.map(({ index }) => index));
  return {
    image,
    ...(mask === undefined ? {} : { mask }),
    ...(sample.boxes === undefined ? {} : { boxes: boxes.map(({ box }) => box) }),
    ...(keypoints === undefined ? {} : { keypoints }),
    record,
    droppedBoxes: [...(sample.boxes ?? []).keys()].filter((index) => !kept.has(index)),
  };
}

/** A sample on its way, whose boxes know their places. */
type Tracked = Omit<Sample, 'boxes'> & { readonly boxes: readonly { readonly box: Box; readonly index: number }[] };

function applyStep({ image, mask, boxes, keypoints }: Tracked, step: GeometryStep): Tracked {
  const move = (pixels: Image, isMask: boolean): Image => {
    if (step.resampler === undefined) return warp(pixels, isMask ? { ...step, fill: 0 } : step, isMask ? 'nearest' : 'bilinear');
    return resizeImage(pixels, step, isMask ? 'nearest' : step.resampler);
  };
  return {
    image: move(image, false),
    ...(mask === undefined ? {} : { mask: move(mask, true) }),
    boxes: boxes.flatMap(({ box, index }) => {
      const moved = moveBox(box, step);
      return moved === undefined ? [] : [{ box: moved, index }];
    }),
    ...(keypoints === undefined ? {} : { keypoints: keypoints.map((point) => moveKeypoint(point, step.matrix)) }),
  };
}

/** Neighbouring geometric operations together, each of the others alone. */
function runsOf(operations: readonly Operation[]): (GeometricOperation[] | ColorOperation)[] {
  const runs: (GeometricOperation[] | ColorOperation)[] = [];
  for (const operation of operations) {
    const last = runs.at(-1);
    if (!isGeometric(operation)) runs.push(operation);
    else if (Array.isArray(last)) last.push(operation);
    else runs.push([operation]);
  }
  return runs;
}
