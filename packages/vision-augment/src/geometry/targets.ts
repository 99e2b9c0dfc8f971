/** Boxes and keypoints on the way through the motions of a step. */

import type { Box, Keypoint } from '../sample.ts';
import type { Size } from '../image.ts';
import { mapPoint } from './matrix.ts';
import type { Matrix, Point } from './matrix.ts';
import type { GeometryStep } from './plan.ts';

/** Boxes narrower than this, in pixels, are empty but for rounding. */
const EMPTY = 1e-9;

/** Where a keypoint goes: it stands for the centre of its pixel. */
export function moveKeypoint([x, y]: Keypoint, matrix: Matrix): Keypoint {
  const [column, row] = mapPoint(matrix, [x + 0.5, y + 0.5]);
  return [column - 0.5, row - 0.5];
}

/**
 * Where a box goes: the smallest box around its corners, clipped to the new image; undefined when nothing is left. What operations before
 * the last one cut off is cut off the box before it goes on.
 */
export function moveBox([x0, y0, x1, y1]: Box, { motions, width, height }: GeometryStep): Box | undefined {
  let corners: Point[] = [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
  for (const [i, motion] of motions.entries()) {
    corners = corners.map((corner) => mapPoint(motion.matrix, corner));
    if (motion.cuts && i < motions.length - 1) corners = clip(corners, motion);
  }
  if (corners.length === 0) return undefined;
  const columns = corners.map(([x]) => x);
  const rows = corners.map(([, y]) => y);
  const box = [
    Math.max(0, Math.min(...columns)),
    Math.max(0, Math.min(...rows)),
    Math.min(width, Math.max(...columns)),
    Math.min(height, Math.max(...rows)),
  ] as const;
  return box[2] - box[0] > EMPTY && box[3] - box[1] > EMPTY ? box : undefined;
}

/** The part of a convex polygon inside an image: Sutherland and Hodgman, "Reentrant Polygon Clipping", CACM 17 (1974). */
function clip(polygon: readonly Point[], { width, height }: Size): Point[] {
  const edges: readonly ((point: Point) => number)[] = [([x]) => x, ([, y]) => y, ([x]) => width - x, ([, y]) => height - y];
  let corners = [...polygon];
  for (const inside of edges) {
    corners = corners.flatMap((corner, i) => {
      const before = corners.at(i - 1) ?? corner;
      const [here, there] = [inside(corner), inside(before)];
      const crossing = here >= 0 === there >= 0 ? [] : [between(before, corner, there / (there - here))];
      return here >= 0 ? [...crossing, corner] : crossing;
    });
  }
  return corners;
}

function between([x0, y0]: Point, [x1, y1]: Point, part: number): Point {
  return [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
}
