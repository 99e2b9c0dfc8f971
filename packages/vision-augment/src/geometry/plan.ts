/**
 * The plan of neighbouring geometric operations: as few passes over the pixels as keep what each operation means.
 *
 * Operations are chained into one matrix and resampled once. What an operation in the middle cuts off (a crop; a rotation that keeps the
 * canvas) stays cut off. A resize is a pass of its own, with its own resampler, when it stands alone or last, or when a warp would show:
 * when it shrinks with antialiasing, is bicubic, or is nearest. Otherwise bilinear interpolation is what the warp does anyway.
 */

import type { Size } from '../image.ts';
import type { Fill, GeometricOperation, Resampler } from '../operations.ts';
import { IDENTITY, chain, movesWholePixels } from './matrix.ts';
import type { Matrix } from './matrix.ts';
import { motionOf } from './motion.ts';
import type { Motion } from './motion.ts';

/** One pass over the pixels, of one or more operations. */
export interface GeometryStep extends Size {
  /** What the operations do, in order; targets go through them one by one. */
  readonly motions: readonly Motion[];
  /** From the image before the step to the image after it. */
  readonly matrix: Matrix;
  /** The resampler of a pass that is a resize; undefined for a warp. */
  readonly resampler: Resampler | undefined;
  /** The colour of what comes from outside, where an operation has an opinion. */
  readonly fill: Fill | undefined;
}

/** The passes that a run of operations takes on an image of this size. @throws AugmentError for parameters that make no sense for it */
export function planGeometry(run: readonly GeometricOperation[], size: Size): GeometryStep[] {
  const warps = run.some(interpolates);
  const steps: GeometryStep[] = [];
  let open: GeometryStep | undefined;
  let current = size;
  for (const [i, operation] of run.entries()) {
    const motion = motionOf(operation, current);
    const alone = operation.op === 'resize' && !(warps && i < run.length - 1 && isPlainBilinear(operation.resampler, motion, current));
    const fill = 'fill' in operation ? operation.fill : undefined;
    if (open !== undefined && (alone || !sameFill(open.fill, fill))) {
      steps.push(open);
      open = undefined;
    }
    if (alone) steps.push({ ...sizeOf(motion), motions: [motion], matrix: motion.matrix, resampler: operation.resampler, fill: undefined });
    else
      open = {
        ...sizeOf(motion),
        motions: [...(open?.motions ?? []), motion],
        matrix: chain(open?.matrix ?? IDENTITY, motion.matrix),
        resampler: undefined,
        fill: open?.fill ?? fill,
      };
    current = motion;
  }
  if (open !== undefined) steps.push(open);
  return steps;
}

const sizeOf = ({ width, height }: Size): Size => ({ width, height });

/** Whether an operation needs values between pixels, whatever the size of the image. */
function interpolates(operation: GeometricOperation): boolean {
  if (operation.op === 'affine') return true;
  return (
    operation.op === 'rotate' &&
    !movesWholePixels(motionOf({ op: 'rotate', degrees: operation.degrees, expand: true, fill: 0 }, { width: 2, height: 2 }).matrix)
  );
}

function isPlainBilinear(resampler: Resampler, to: Size, from: Size): boolean {
  return resampler === 'opencv-bilinear' || (resampler === 'bilinear' && to.width >= from.width && to.height >= from.height);
}

function sameFill(a: Fill | undefined, b: Fill | undefined): boolean {
  return a === undefined || b === undefined || JSON.stringify(a) === JSON.stringify(b);
}
